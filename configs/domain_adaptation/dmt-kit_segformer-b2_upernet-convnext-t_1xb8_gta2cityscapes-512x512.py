# GTA5 -> Cityscapes, 19 classes, with the kit of DAFormer and MIC around mutual training. Not in the paper.
_base_ = ['../_base_/runs/domain_adaptation_kit.py', '../_base_/datasets/gta2cityscapes.py']
# The photometry of the kit stands in place of the usual one; of a target image the learner alone sees it.
of_target = _base_.unlabeled_target.pipeline
source = dict(pipeline=[*_base_.source.pipeline[:-2], *_base_.photometry, _base_.pack])
target = dict(pipeline=[*of_target[:3], _base_.margins, *of_target[3:5], _base_.views, of_target[-1]])
train_dataloader = dict(dataset=dict(labeled=source, unlabeled=target))
