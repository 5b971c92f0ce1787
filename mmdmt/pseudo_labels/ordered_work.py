"""Do work in threads, and take its results in the order in which the work was handed over."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

R = TypeVar('R')


class OrderedWork(Generic[R]):
    """Threads that work on a bounded number of things, and one taker of the results, in order.

    What is taken, and in which order, does not depend on the number of threads. Errors of the work and of the taker
    are raised in the thread that calls :meth:`submit` or :meth:`finish`.

    Args:
        work (Callable): What the threads do; it must be safe to call side by side.
        take (Callable): What is done with each result, in the thread that submits.
        threads (int): How many. 0 works at once, in the calling thread.
    """

    def __init__(self, work: Callable[..., R], take: Callable[[R], None], threads: int) -> None:
        self._work, self._take = work, take
        self._pending: deque[Future[R]] = deque()
        self._most = 2 * threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix='label') if threads else None

    def submit(self, *arguments: Any) -> None:
        """Hand over work; wait for the oldest if as much is under way as may be.

        Args:
            *arguments: Of the work. They must not be changed afterwards.
        """
        if self._pool is None:
            self._take(self._work(*arguments))
            return
        while self._pending and (len(self._pending) >= self._most or self._pending[0].done()):
            self._take(self._pending.popleft().result())
        self._pending.append(self._pool.submit(self._work, *arguments))

    def finish(self) -> None:
        """Wait for all that is under way, take it, and let the threads go."""
        try:
            while self._pending:
                self._take(self._pending.popleft().result())
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let the threads go as soon as each has done what it is doing; the rest is dropped."""
        self._pending.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
