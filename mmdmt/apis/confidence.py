"""Tell users how far to trust a prediction: calibrated confidence, and where peers agree."""

import numpy as np
import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from numpy.typing import NDArray

from mmdmt.apis.inference import load_batches
from mmdmt.apis.peer_labels import evaluated_dataset, evenly, truth_of
from mmdmt.method.calibration import Calibration, calibrate
from mmdmt.models.names import ENSEMBLE

_PIXELS = 4096


def calibrate_model(model: BaseModel, most: int = 50, num_workers: int = 0) -> Calibration:
    """Measure on validation images how the confidence of a model is to be corrected.

    Args:
        model (BaseModel): Of :func:`~mmdmt.apis.inference.init_peers`: an ensemble, or a segmentor.
        most (int): How many images are predicted, evenly spread over all; of each 4096 pixels count. Defaults to 50.
        num_workers (int): Processes that load images. Defaults to 0.

    Raises:
        ValueError: If the config validates on nothing, or the model has one channel for two classes.
    """
    dataset = evaluated_dataset(model.cfg)
    logits, truths = [], []
    for batch in load_batches(model, dataset, num_workers, evenly(len(dataset), most)):
        if isinstance(batch, str):
            raise ValueError(batch)
        truth = truth_of(batch['data_samples'][0])
        assert truth is not None
        with torch.no_grad():
            (sample,) = model.test_step(batch)
        found = sample.seg_logits.data.float().cpu().numpy()
        if len(found) < 2:
            raise ValueError('The model predicts two classes by one channel: calibrate one with a channel for each.')
        known = np.flatnonzero(truth < len(found))
        known = known[:: max(1, known.size // _PIXELS)]
        logits.append(found.reshape(len(found), -1).T[known])
        truths.append(truth.ravel()[known])
    return calibrate(np.concatenate(logits), np.concatenate(truths).astype(np.int64))


def agreement_map(sample: BaseDataElement) -> NDArray[np.float32] | None:
    """Return the share of the peers that predict the class of the result, (H, W); None if there is one model alone."""
    if 'peers' not in sample:
        return None
    result = sample.pred_sem_seg.data[0]
    peers = [one.pred_sem_seg.data[0] for name, one in sample.peers.items() if name != ENSEMBLE]
    return np.asarray(torch.stack([one == result for one in peers]).float().mean(dim=0).cpu().numpy())
