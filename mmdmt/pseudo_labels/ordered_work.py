"""Do work in threads, and take its results in the order in which the work was handed over."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

R = TypeVar('R')


class OrderedWork(Generic[R]):
    """Threads that work on a bounded number of things, and one more that takes the results, in order.

    What is taken, and in which order, does not depend on the number of threads. Errors of the work and of the taker
    are raised in the thread that calls :meth:`submit` or :meth:`finish`; after the first, nothing more is taken.

    Args:
        work (Callable): What the threads do; it must be safe to call side by side.
        take (Callable): What is done with each result, in one thread.
        threads (int): How many work. 0 works and takes at once, in the calling thread.
    """

    def __init__(self, work: Callable[..., R], take: Callable[[R], None], threads: int) -> None:
        self._work, self._take = work, take
        self._taken: deque[Future[None]] = deque()  # of what is under way
        self._most = 2 * threads
        self._pools = [ThreadPoolExecutor(n, thread_name_prefix='label') for n in (threads, 1)] if threads else []
        self._ended = False

    def submit(self, *arguments: Any) -> None:
        """Hand over work; wait for the oldest if as much is under way as may be.

        Args:
            *arguments: Of the work. They must not be changed afterwards.
        """
        if not self._pools:
            self._take(self._work(*arguments))
            return
        while self._taken and (len(self._taken) >= self._most or self._taken[0].done()):
            self._taken.popleft().result()
        working, taking = self._pools
        self._taken.append(taking.submit(self._take_result, working.submit(self._work, *arguments)))

    def _take_result(self, result: Future[R]) -> None:
        if self._ended:
            return
        try:
            self._take(result.result())
        except BaseException:
            self._ended = True
            raise

    def finish(self) -> None:
        """Wait until all that is under way is taken, and let the threads go."""
        try:
            while self._taken:
                self._taken.popleft().result()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let the threads go as soon as each has done what it is doing; the rest is dropped."""
        self._ended = True
        self._taken.clear()
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)
