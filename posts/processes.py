"""Work on all cores, in processes that may end badly, and within limits of time."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from os import cpu_count
from typing import TypeVar

CHUNK = 8

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class TimeUp(BaseException):
    """Something took longer than it may.

    No Exception, because Pygments and docutils catch those and go on.
    """


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp in here after so many seconds. Works in a process' main thread only."""

    def stop(*_: object) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def work_through(
    job: Callable[[Item], Outcome], items: Sequence[Item], tell_of_lost: Callable[[Item], Outcome]
) -> Iterator[Outcome]:
    """Do the job with each item, in their order. What ends its process is told of by the third."""
    rest = list(items)
    workers = cpu_count() or 1
    while rest:
        done = 0
        try:
            for outcome in work_in_pool(job, rest, workers):
                done += 1
                yield outcome
        except BrokenProcessPool:
            suspects = rest[done : done + CHUNK * (workers + 1)]
            yield from (work_alone(job, each, tell_of_lost) for each in suspects)
            done += len(suspects)
        rest = rest[done:]


def work_in_pool(
    job: Callable[[Item], Outcome], items: Sequence[Item], workers: int
) -> Iterator[Outcome]:
    """Fresh processes: they hold neither our database connection nor our memory."""
    workers = min(workers, len(items))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(job, items, chunksize=CHUNK)


def work_alone(
    job: Callable[[Item], Outcome], each: Item, tell_of_lost: Callable[[Item], Outcome]
) -> Outcome:
    """In a process of its own, for an item that may have brought one down."""
    try:
        return next(work_in_pool(job, [each], 1))
    except BrokenProcessPool:
        return tell_of_lost(each)
