# CutMix: a rectangle of another pseudo-labeled image, as often and as large as in UniMatch. A leaf adds it by
#   model = dict(mixes=_base_.cutmix)
# and with another mix by mixes=[*_base_.cutmix, *_base_.class_mix].
cutmix = [dict(type='mmdmt.CutMix')]
