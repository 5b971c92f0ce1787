# CamVid from day to dusk: each peer by itself learns from its own labels, in the phases of DMT and by its rule.
_base_ = 'dmt_lite0-lite1_1xb8_camvid-day2dusk.py'
model = dict(labelers=dict(lite0='lite0', lite1='lite1'))
