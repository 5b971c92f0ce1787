# 40 000 iterations in all, a quarter of them on labels alone, and AdamW, as is usual for transformers, for
# both peers. Ours: the paper has no domain adaptation.
_base_ = ['dmt_cityscapes_40k.py', 'segformer_adamw.py']
optim_wrapper = _base_.segformer_adamw
