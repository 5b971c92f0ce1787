# ClassMix: half of the classes of a labeled image are pasted onto each pseudo-labeled one. A leaf adds it by
#   model = dict(mixes=_base_.class_mix)
class_mix = [dict(type='mmdmt.ClassMix')]
