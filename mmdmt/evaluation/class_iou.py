"""Record the IoU of each class as scalars, for curves and reports."""

import math
from pathlib import Path

from mmengine.dist import collect_results
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub
from mmengine.visualization import Visualizer


def write_class_iou(metric: BaseMetric, size: int) -> dict[str, float]:
    """Write the IoU of every class as scalars ``<prefix>/IoU/<class>``, in percent, to the visualization backends.

    For MMSegmentation's ``IoUMetric`` about to be evaluated in validation; every process has to call it. MMEngine's
    log lines hold what a metric returns, so that the dozens of classes of a data set go past them.
    """
    hub = MessageHub.get_current_instance()
    # Known by what it does: classification runs where MMSegmentation is not installed.
    total_area_to_metrics = getattr(metric, 'total_area_to_metrics', None)
    if total_area_to_metrics is None or metric.format_only or hub.get_info('loop_stage') != 'val':
        return {}
    # A folder of its own: the evaluation fills collect_dir while the main process may still be clearing it here.
    folder = None if metric.collect_dir is None else str(Path(metric.collect_dir) / 'class_iou')
    results = collect_results(metric.results, size, metric.collect_device, tmpdir=folder)
    if not results or not Visualizer._instance_dict:  # asking for the current one while there is none keeps a lock
        return {}
    areas = [sum(area) for area in zip(*results, strict=True)]
    iou = total_area_to_metrics(*areas, metrics=['mIoU'], nan_to_num=metric.nan_to_num)['IoU']
    scalars = {
        f'{metric.prefix}/IoU/{name}': round(float(value) * 100, 2)
        for name, value in zip(metric.dataset_meta['classes'], iou, strict=True)
        if not math.isnan(value)  # neither predicted nor in the truth
    }
    # The hub counts iterations from 0, and a loop validates after the one it has last announced.
    Visualizer.get_current_instance().add_scalars(scalars, step=hub.get_info('iter', -1) + 1)
    return scalars
