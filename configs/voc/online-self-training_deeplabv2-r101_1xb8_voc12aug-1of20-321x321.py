# VOC 2012, 1/20: one peer, which labels the images of each batch itself and learns what it is at least 0.9 sure of, as
# long as DMT; the loss is divided by what it learns.
_base_ = 'dst_deeplabv2-r101_1xb8_voc12aug-1of20-321x321.py'
model = dict(loss=dict(gamma_agree=0.0, gamma_disagree=0.0, average_over='kept'))
online = dict(labeler='weights', min_confidence=0.9)
custom_hooks, train_cfg = __import__('mmdmt.configs').configs.schedule(_base_, iters=5 * 4 * 1436, online=online)
