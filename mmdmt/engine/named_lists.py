"""Say in the log which lists of images a run uses."""

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from mmdmt.datasets.list_names import list_name


def log_lists(runner: Runner) -> None:
    """Log how many images are labeled, unlabeled and validated on, and which published list each of them is.

    ``reports/log.py`` reads these lines.

    Args:
        runner (Runner): Of a run whose loaders are built.
    """
    if not is_main_process():
        return
    dataset = runner.train_dataloader.dataset
    lists = {'labeled': dataset.labeled, 'unlabeled': dataset.unlabeled}
    if runner.val_loop is not None:
        lists['validation'] = runner.val_loop.dataloader.dataset
    for kind, images in lists.items():
        runner.logger.info(f'List of {kind} images: {list_name(images)}.')
