# 40 000 iterations in all, a quarter of them on labels alone, and AdamW, as is usual for transformers, for both peers.
# No more than half of a class is ever kept: of labels from another domain the less confident half is wrong more often
# than right. Ours: the paper has no domain adaptation.
_base_ = ['dmt_cityscapes_40k.py', 'segformer_adamw.py']
optim_wrapper = _base_.segformer_adamw
custom_hooks = [dict(_base_.custom_hooks[0], ratios=(0.1, 0.2, 0.3, 0.4, 0.5))]
