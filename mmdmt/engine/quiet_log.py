"""Keep out of the log what others say at length."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.logging import MMLogger


@contextmanager
def quiet_log(level: int = logging.WARNING) -> Iterator[None]:
    """Log nothing below a level in the block; ``logging.disable`` does not reach MMEngine's loggers."""
    logger = MMLogger.get_current_instance()
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)
