"""What scripts and notebooks call."""

from mmdmt.apis.toolbox import run_toolbox_script, toolbox_script

__all__ = ['run_toolbox_script', 'toolbox_script']
