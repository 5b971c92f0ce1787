"""Train: MMSegmentation's own script, all its options."""

from mmdmt.scripts import run_toolbox_script

if __name__ == '__main__':
    run_toolbox_script('train.py')
