# CamVid, 30 labels, one phase without a warm-up: the peers' averages label the weak views for each other in every
# iteration; what they are at least 0.7 sure of is learned from strong views, with classes of labeled images pasted on
# (ClassMix) and rectangles exchanged (CutMix). Labeled images are drawn by class, the rare ones oftener.
_base_ = ['dmt_lite0-lite1_1xb8_camvid-30.py', '../_base_/recipes/field.py', '../_base_/recipes/class_mix.py']
rare = dict(temperature=0.1, min_pixels=30)
hook = dict(_base_.hook, phases=[dict(labeled=12), dict(labeled=8, pseudo=4)], rare_classes=rare)
mixes = [*_base_.class_mix, *_base_.cutmix]
# The average's momentum is a memory of a hundred iterations.
model, train_dataloader, custom_hooks, train_cfg = __import__('mmdmt.configs').configs.recipe(
    _base_, hook=hook, mixes=mixes, min_confidence=0.7, momentum=0.01
)
train_dataloader['batch_size'] = 12
