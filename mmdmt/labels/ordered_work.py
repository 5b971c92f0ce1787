"""Do work in threads, and take its results in the order in which the work was handed over."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock, Semaphore
from typing import Any, Generic, TypeVar

R = TypeVar('R')


class OrderedWork(Generic[R]):
    """Threads that work on a bounded number of things; one of them at a time takes the results, in order.

    What is taken, and in which order, does not depend on the number of threads. Errors of the work and of the taker
    are raised in the thread that calls :meth:`submit` or :meth:`finish`; after the first, nothing more is taken.

    Args:
        work (Callable): What the threads do; it must be safe to call side by side.
        take (Callable): What is done with each result, never in two threads at once.
        threads (int): How many work. 0 works and takes at once, in the calling thread.
    """

    def __init__(self, work: Callable[..., R], take: Callable[[R], None], threads: int) -> None:
        self._work, self._take = work, take
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix='label') if threads else None
        self._room = Semaphore(2 * threads)
        self._lock = Lock()  # of what follows
        self._under_way: deque[Future[R]] = deque()
        self._taking = False
        self._ended = False
        self._error: BaseException | None = None

    def submit(self, *arguments: Any) -> None:
        """Hand over work; wait for the oldest if as much is under way as may be."""
        if not self._pool:
            self._take(self._work(*arguments))
            return
        self._raise_error()
        self._room.acquire()
        self._raise_error()
        result: Future[R] = Future()
        with self._lock:
            self._under_way.append(result)
        self._pool.submit(self._work_and_take, result, arguments)

    def _work_and_take(self, result: Future[R], arguments: tuple[Any, ...]) -> None:
        if self._ended:
            return
        try:
            result.set_result(self._work(*arguments))
        except BaseException as error:
            result.set_exception(error)
        while (oldest := self._oldest_result()) is not None:
            try:
                self._take(oldest.result())
            except BaseException as error:
                self._error, self._ended = error, True
            self._taking = False
            self._room.release()

    def _oldest_result(self) -> Future[R] | None:
        """Return what is to be taken next, if it is there and no other thread is taking; this one takes it."""
        with self._lock:
            if self._taking or self._ended or not self._under_way or not self._under_way[0].done():
                return None
            self._taking = True
            return self._under_way.popleft()

    def finish(self) -> None:
        """Wait until all that is under way is taken, and let the threads go."""
        if self._pool:
            self._pool.shutdown()
        self._raise_error()

    def abandon(self) -> None:
        """Let the threads go as soon as each has done what it is doing; the rest is dropped."""
        self._ended = True
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
