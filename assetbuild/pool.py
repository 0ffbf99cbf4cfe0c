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
    from multiprocessing.connection import Connection

T = TypeVar("T")
R = TypeVar("R")

#: What a worker is handed at once: few messages for many small items, and no pipe full of big ones.
BATCH_ITEMS = 24
BATCH_WEIGHT = 400_000

#: Below this weight for a worker, starting it costs more than it saves.
WORTH_A_WORKER = 200_000


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

    function, items and results must be picklable. weights: about how much work each item is, in bytes.
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
    pool = _Pool(function, items, batches, count, time_limits or [None] * len(items))
    try:
        yield from pool.results()
    finally:
        pool.stop()


class _Worker(Generic[T, R]):
    def __init__(self, function: Callable[[T], R]) -> None:
        # Forking hands the function and the loaded modules over for nothing. Where the system advises against it, a new
        # interpreter starts.
        import multiprocessing  # A build with little to do starts no worker.

        context = multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (function, theirs, self.connection, os.getpid())
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
        batches: deque[list[int]],
        count: int,
        time_limits: Sequence[float | None],
    ) -> None:
        self.function = function
        self.items = items
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
            self.workers.append(_Worker(self.function))
        for worker in self.workers:
            self.feed(worker)
        while any(worker.waiting for worker in self.workers):
            by_connection = {worker.connection: worker for worker in self.workers if worker.waiting}
            for ready in wait(list(by_connection), self.patience()):
                assert isinstance(ready, Connection)
                worker = by_connection[ready]
                try:
                    i, ok, result = ready.recv()
                except (EOFError, OSError):
                    yield self.replace(worker, Lost("crash", worker.ended_by()))
                    continue
                if not ok:
                    raise WorkerError(result)
                worker.waiting.popleft()
                worker.heard = time.monotonic()
                if len(worker.waiting) <= 1:
                    self.feed(worker)
                yield i, result
            for worker in self.overdue():
                yield self.replace(worker, Lost("timeout"))

    def feed(self, worker: _Worker[T, R]) -> None:
        """Hand it a batch, before its last one is done, so that it never waits."""
        if not self.batches:
            return
        batch = self.batches.popleft()
        if not worker.waiting:
            worker.heard = time.monotonic()
        worker.waiting.extend(batch)
        # Where it has died, its end of the pipe says so at the next look, and what it had goes to another.
        with contextlib.suppress(OSError):
            worker.connection.send([(i, self.items[i]) for i in batch])

    def replace(self, worker: _Worker[T, R], lost: Lost) -> tuple[int, Lost]:
        worker.kill()
        guilty, *rest = worker.waiting
        if rest:
            self.batches.appendleft(rest)
        self.workers[self.workers.index(worker)] = new = _Worker(self.function)
        self.feed(new)
        return guilty, lost

    def deadline(self, worker: _Worker[T, R]) -> float:
        """When the item that it has in hand is overdue."""
        limit = self.time_limits[worker.waiting[0]]
        return math.inf if limit is None else worker.heard + limit

    def patience(self) -> float | None:
        first = min(self.deadline(worker) for worker in self.workers if worker.waiting)
        return None if first == math.inf else max(0.01, first - time.monotonic())

    def overdue(self) -> list[_Worker[T, R]]:
        now = time.monotonic()
        # A result may have come while others were handled: only a silent worker is overdue.
        return [w for w in self.workers if w.waiting and self.deadline(w) < now and not w.connection.poll()]


def _work(function: Callable[[T], R], connection: Connection, parents_end: Connection, parent: int) -> None:
    parents_end.close()
    os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    _die_with(parent)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    while True:
        try:
            batch = connection.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            break
        for i, item in batch:
            try:
                answer: tuple[int, bool, object] = (i, True, function(item))
            except Exception:
                import traceback

                answer = (i, False, traceback.format_exc())
            try:
                connection.send(answer)
            except OSError:
                return  # The parent is gone.


def _die_with(parent: int) -> None:
    """A worker in the midst of a long item does not read, and so would not notice that nobody waits for it any more."""
    if sys.platform != "linux":
        return
    import ctypes  # Nothing of Python's own reaches this system call.

    # The system sends it when the *thread* ends that started this process (prctl(2), PR_SET_PDEATHSIG).
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:  # It ended before that.
        os._exit(1)
