"""Import what every run needs, and take it out of what the garbage collector looks through.

MMEngine collects garbage whenever a dataset is made. With all that these packages import, each time takes a second.
"""

import gc
from importlib import import_module

# Ours first: it cures what the toolboxes could not be imported with.
for name in (
    'mmdmt.apis',
    'mmdmt.engine',
    'mmdmt.datasets',
    'mmseg.models',
    'mmseg.datasets',
    'mmpretrain.models',
    'mmpretrain.datasets',
    'sklearn.datasets',
):
    import_module(name)


def freeze():
    """Keep all that is alive out of the garbage collector for good."""
    gc.collect()
    gc.freeze()


freeze()
