"""Small data sets, networks and runs that the tests share."""

import torch
from mmengine.config import config as config_module

# One thread: the toy networks gain nothing from two, and two beside another busy process can be far slower.
torch.set_num_threads(1)

# Every checkpoint holds its config as text, and making that text pretty takes longer than these runs.
config_module.FormatCode = lambda text, **_: (text, True)
