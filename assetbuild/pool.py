"""Run these in parallel: one function over many items, in worker processes that can be stopped. A worker that hangs or
crashes costs the item it had in hand, never the build's life; results carry their place, so that order never depends on
who was first."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    import mmap
    from multiprocessing.connection import Connection

T = TypeVar("T")
R = TypeVar("R")

#: What a worker is handed at once: few messages for many small items, and no pipe full of big ones.
BATCH_ITEMS = 24
BATCH_WEIGHT = 400_000

#: What a worker has waiting for it while it works, so that it never waits itself, of items whose weight tells how long they
#: take; and how many at most, since a pipe that is full would stop both.
AHEAD, AHEAD_ITEMS = BATCH_WEIGHT // 2, 4 * BATCH_ITEMS

#: Seconds for which a worker gathers its results: few messages, and nobody waits for one.
GATHER = 0.01

#: Below this weight for a worker, starting it costs more than it saves.
WORTH_A_WORKER = 200_000


#: Bytes of the number of an item, from 1; 0: it has begun with none.
_HAND = 8


class Lost(NamedTuple):
    """What became of an item whose worker had to be stopped or died.

    reason: "timeout" or "crash".
    detail: for a crash, what ended the worker: "signal SIGSEGV", "exit status 3".
    """

    reason: Literal["timeout", "crash"]
    detail: str = ""


class WorkerError(RuntimeError):
    """The function raised: a mistake of the program's own. The message holds the worker's traceback."""


def available_cores() -> int:
    """The cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    weights: Sequence[int],
    jobs: int | None = None,
    time_limits: Sequence[float | None] | None = None,
) -> Generator[tuple[int, R | Lost], None, None]:
    """Yield (place in items, result) as results come, heaviest items first.

    function and results must be picklable, and items where the system does not fork. weights: of each item, about its bytes.
    jobs: workers at most; default, the cores. time_limits: seconds that each item may take before its worker is killed; None:
    as long as it takes. The thread that takes the results must be the one that took the first. Raises WorkerError where the
    function raises.
    """
    order = sorted(range(len(items)), key=lambda i: (-weights[i], i))
    batches: deque[list[int]] = deque()
    weight = BATCH_WEIGHT
    for i in order:
        if weight >= BATCH_WEIGHT or len(batches[-1]) >= BATCH_ITEMS:
            batches.append([])
            weight = 0
        batches[-1].append(i)
        weight += weights[i]
    enough = sum(weights) // WORTH_A_WORKER + 1
    count = min(jobs or available_cores(), len(batches), enough)
    pool = _Pool(function, items, weights, batches, count, time_limits or [None] * len(items))
    try:
        yield from pool.results()
    finally:
        pool.stop()


class _Worker(Generic[T, R]):
    def __init__(self, function: Callable[[T], R], items: Sequence[T]) -> None:
        # Forking hands the function, the items and the loaded modules over for nothing. Where the system advises against it, a
        # new interpreter starts.
        import mmap  # A build with little to do starts no worker.
        import multiprocessing

        context = multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        #: Where the worker notes what it has in hand, in memory that both have; None: each result is sent at once.
        self.hand = mmap.mmap(-1, _HAND) if sys.platform == "linux" else None
        arguments = (function, items, theirs, self.connection, self.hand, os.getpid())
        self.process = context.Process(target=_work, args=arguments, daemon=True)
        # A signal that comes before the worker has its own handlers would strike in the wrong one of the two.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.waiting: deque[int] = deque()
        self.heard = time.monotonic()

    def in_hand(self) -> int:
        """The item that it is at, of those whose results have not come."""
        number = int.from_bytes(self.hand[:], "little") - 1 if self.hand else -1
        return number if number in self.waiting else self.waiting[0]

    def kill(self) -> None:
        """End it with all that it started: it leads a process group of its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.kill()  # It may not have come so far as to lead a group.
        self.process.join()
        self.connection.close()

    def ended_by(self) -> str:
        self.process.join(5)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit status {code}"


class _Pool(Generic[T, R]):
    def __init__(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        weights: Sequence[int],
        batches: deque[list[int]],
        count: int,
        time_limits: Sequence[float | None],
    ) -> None:
        self.function = function
        self.items = items
        self.weights = weights
        self.batches = batches
        self.time_limits = time_limits
        self.count = count
        self.workers: list[_Worker[T, R]] = []

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()

    def results(self) -> Iterator[tuple[int, R | Lost]]:
        from multiprocessing.connection import Connection, wait

        for _ in range(self.count):
            self.workers.append(_Worker(self.function, self.items))
        for worker in self.workers:
            self.feed(worker)
        for worker in self.workers:
            self.feed_ahead(worker)
        while any(worker.waiting for worker in self.workers):
            by_connection = {worker.connection: worker for worker in self.workers if worker.waiting}
            for ready in wait(list(by_connection), self.patience()):
                assert isinstance(ready, Connection)
                worker = by_connection[ready]
                try:
                    answers = ready.recv()
                except (EOFError, OSError):
                    yield self.replace(worker, worker.in_hand(), Lost("crash", worker.ended_by()))
                    continue
                worker.heard = time.monotonic()
                for _ in answers:
                    worker.waiting.popleft()
                if len(worker.waiting) <= 1:
                    self.feed(worker)
                self.feed_ahead(worker)
                for i, ok, result in answers:
                    if not ok:
                        raise WorkerError(result)
                    yield i, result
            while late := next(self.overdue(), None):
                yield self.replace(*late, Lost("timeout"))

    def feed(self, worker: _Worker[T, R]) -> None:
        """Hand it a batch."""
        if not self.batches:
            return
        batch = self.batches.popleft()
        if not worker.waiting:
            worker.heard = time.monotonic()
        worker.waiting.extend(batch)
        # Where it has died, its end of the pipe says so at the next look, and what it had goes to another.
        with contextlib.suppress(OSError):
            worker.connection.send(batch)

    def feed_ahead(self, worker: _Worker[T, R]) -> None:
        """Hand it more while it has little: of what has a limit, which may take long whatever its weight, no more."""
        weight = sum(self.weights[i] for i in worker.waiting)
        while self.batches and weight < AHEAD and len(worker.waiting) < AHEAD_ITEMS:
            if self.time_limits[self.batches[0][0]] is not None:
                break
            weight += sum(self.weights[i] for i in self.batches[0])
            self.feed(worker)

    def replace(self, worker: _Worker[T, R], guilty: int, lost: Lost) -> tuple[int, Lost]:
        worker.kill()
        # Some of these may be done; their results are lost.
        if rest := [i for i in worker.waiting if i != guilty]:
            self.batches.appendleft(rest)
        self.workers[self.workers.index(worker)] = new = _Worker(self.function, self.items)
        self.feed(new)
        return guilty, lost

    def deadline(self, worker: _Worker[T, R], item: int) -> float:
        """When the item that it has in hand is overdue."""
        limit = self.time_limits[item]
        return math.inf if limit is None else worker.heard + limit

    def patience(self) -> float | None:
        """Seconds after which to look whether somebody is overdue."""
        now = time.monotonic()
        # Behind an item without a limit may be one that has a limit, and no message between them.
        limits = [limit for worker in self.workers for i in worker.waiting if (limit := self.time_limits[i]) is not None]
        busy = [worker for worker in self.workers if worker.waiting]
        first = min(self.deadline(worker, worker.in_hand()) for worker in busy) if limits else math.inf
        return max(0.01, min(first - now, *limits)) if limits else None

    def overdue(self) -> Iterator[tuple[_Worker[T, R], int]]:
        """Workers, and the item that each is at for too long."""
        for worker in self.workers:
            if worker.waiting:
                # A result may have come while others were handled: only a silent worker is overdue.
                item = worker.in_hand()
                if self.deadline(worker, item) < time.monotonic() and not worker.connection.poll():
                    yield worker, item


def _work(
    function: Callable[[T], R],
    items: Sequence[T],
    connection: Connection,
    parents_end: Connection,
    hand: mmap.mmap | None,
    parent: int,
) -> None:
    parents_end.close()
    os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    _die_with(parent)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    answers: list[tuple[int, bool, object]] = []
    sent = time.monotonic()
    try:
        while True:
            batch = connection.recv()
            for i in batch:
                if hand:
                    hand[:] = (i + 1).to_bytes(_HAND, "little")
                try:
                    answers.append((i, True, function(items[i])))
                except Exception:
                    import traceback

                    answers.append((i, False, traceback.format_exc()))
                now = time.monotonic()
                if not hand or now - sent >= GATHER or (i == batch[-1] and not connection.poll()):
                    _send(connection, answers)
                    answers, sent = [], now
    except (EOFError, OSError, KeyboardInterrupt):
        return  # The parent is gone, or will be.


def _send(connection: Connection, answers: list[tuple[int, bool, object]]) -> None:
    try:
        connection.send(answers)
    except OSError:
        raise
    except Exception:  # One of them cannot be pickled: that is its own fault, and told as if the function had raised.
        connection.send([_sendable(answer) for answer in answers])


def _sendable(answer: tuple[int, bool, object]) -> tuple[int, bool, object]:
    import pickle

    try:
        pickle.dumps(answer)
    except Exception:
        import traceback

        return (answer[0], False, traceback.format_exc())
    return answer


def _die_with(parent: int) -> None:
    """A worker in the midst of a long item does not read, and so would not notice that nobody waits for it any more."""
    if sys.platform != "linux":
        return
    import ctypes  # Nothing of Python's own reaches this system call.

    # The system sends it when the *thread* ends that started this process (prctl(2), PR_SET_PDEATHSIG).
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:  # It ended before that.
        os._exit(1)
