"""Check the data of validation and test as those of training; both must have the same classes."""

from collections.abc import Sequence

from mmengine.runner import BaseLoop, Runner

from mmdmt.datasets.plain_dataset import check_annotated
from mmdmt.engine.fact_checks import check_facts
from mmdmt.engine.peers_of_run import labels_of, model_of
from mmdmt.evaluation import PeerMetric
from mmdmt.rules.findings import FileError, by_kind
from mmdmt.rules.joined_datasets import plain_datasets


def check_evaluated(runner: Runner) -> None:
    """Check the data that a run validates or tests on, before the first image.

    Args:
        runner (Runner): About to train, validate or test.

    Raises:
        ValueError: If a list, an image or a mask breaks a rule, or what is ignored differs.
        FileNotFoundError: If a file does not exist.
    """
    loops = {'val_dataloader': runner._val_loop, 'test_dataloader': runner._test_loop}
    built = {name: loop for name, loop in loops.items() if isinstance(loop, BaseLoop)}
    check_facts(runner, built)
    trained_on = runner._train_loop.dataloader.dataset if isinstance(runner._train_loop, BaseLoop) else None
    findings = list(getattr(trained_on, 'findings', ()))
    labels, peers = labels_of(runner), model_of(runner).bare_peers.values()
    pads_again = any(getattr(getattr(peer, 'data_preprocessor', None), 'test_cfg', None) for peer in peers)
    for name, loop in built.items():
        for part in plain_datasets(loop.dataloader.dataset):
            if hasattr(part, 'pipeline'):
                findings += check_annotated(f'{name}.dataset', part, labels)
                labels.undo_padding(f'{name}.dataset', part, pads_again)
    for finding in findings:
        if finding.stops:
            raise FileError(finding)
    for sentence in by_kind(findings):
        runner.logger.warning(f'Of the images that were looked at: {sentence}')


def check_validation(runner: Runner, classes: Sequence[str], carry_metric: str | None) -> None:
    """Check classes and metrics of a validation, if there is one.

    Args:
        runner (Runner): About to train.
        classes (Sequence[str]): Of the labeled dataset.
        carry_metric (str, optional): By which the best weights are chosen; None if they are not.

    Raises:
        ValueError: If its classes are others or in another order, or it cannot give that metric.
    """
    if runner.val_loop is None:
        return
    theirs = runner.val_loop.dataloader.dataset.metainfo.get('classes') or ()
    if theirs and tuple(theirs) != tuple(classes):
        if len(theirs) != len(classes) or set(theirs) == set(classes):
            what = 'the same classes in another order' if set(theirs) == set(classes) else 'other classes'
            raise ValueError(
                f'val_dataloader.dataset has {what} ({", ".join(theirs)}) than the labeled dataset '
                f'({", ".join(classes)}): give both the same metainfo classes.'
            )
        runner.logger.warning(
            f'val_dataloader.dataset calls its classes {", ".join(theirs)}, the labeled dataset {", ".join(classes)}.'
        )
    if carry_metric is None:
        return
    metrics = [metric for metric in runner.val_loop.evaluator.metrics if isinstance(metric, PeerMetric)]
    if not metrics:
        raise ValueError(
            f"carry='best' of DMTHook judges each peer by its own {carry_metric}, which val_evaluator does not give: "
            "set val_evaluator=dict(type='mmdmt.PeerMetric', metric=...)."
        )
    known = [metric.result_names for metric in metrics]
    if None not in known and not any(carry_metric in (names or ()) for names in known):
        given = ', '.join(name for names in known for name in names or ())
        raise ValueError(
            f'carry_metric={carry_metric!r} of DMTHook is none of what val_evaluator gives, {given}: choose one of '
            'them, or add it to the iou_metrics of the metric.'
        )
