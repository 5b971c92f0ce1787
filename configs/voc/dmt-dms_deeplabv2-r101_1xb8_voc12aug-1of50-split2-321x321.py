# VOC 2012, 1/50 (211 labels) of split id 2: DMT in the setting of the published ablations, with two peers from
# COCO weights, each warmed up on 168 labels (125 common).
_base_ = 'dmt-dms_deeplabv2-r101_1xb8_voc12aug-1of50-321x321.py'
mmdmt = __import__('mmdmt.configs')
lists = f'{_base_.splits}/voc12aug/split2'
train_dataloader = mmdmt.configs.lists(lists, '1of50')
parts = {side: f'{lists}/dms_{side}_1of50.txt' for side in ('left', 'right')}
custom_hooks, train_cfg = mmdmt.configs.schedule(_base_, labeled_lists=parts)
