"""Say in the log which lists of images a run uses."""

from mmengine.runner import Runner

from mmdmt.datasets.image_names import list_name


def log_lists(runner: Runner) -> dict[str, str]:
    """Log how many images are labeled, unlabeled and validated on, and which published list each of them is."""
    dataset = runner.train_dataloader.dataset
    lists = {'labeled': dataset.labeled, 'unlabeled': dataset.unlabeled}
    if runner.val_loop is not None:
        lists['validation'] = runner.val_loop.dataloader.dataset
    named = {kind: list_name(images) for kind, images in lists.items()}
    for kind, name in named.items():
        runner.logger.info(f'List of {kind} images: {name}.')
    return named
