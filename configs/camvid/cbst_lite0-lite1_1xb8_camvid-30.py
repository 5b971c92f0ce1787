# CamVid, 30 labels: each peer by itself learns its own class-balanced labels by plain cross entropy (CBST).
_base_ = 'self-training_lite0-lite1_1xb8_camvid-30.py'
model = dict(loss=dict(gamma_agree=0.0, gamma_disagree=0.0))
