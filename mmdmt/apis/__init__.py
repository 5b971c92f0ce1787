"""What scripts and notebooks call."""

from mmdmt.apis.export import export_peer
from mmdmt.apis.toolbox import run_toolbox_script, toolbox_script

__all__ = ['export_peer', 'run_toolbox_script', 'toolbox_script']
