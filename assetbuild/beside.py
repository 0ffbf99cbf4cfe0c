"""One thing done while another is, on another core: for looks at thousands of files, which hold the interpreter's lock."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

#: Signals that ask a process to end.
_ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def beside(function: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Begin with the function at once, in a forked process where that can be; what is yielded waits for what it returns.

    The function changes nothing that others can see: it is called here where the other process could not, or was ended.
    """
    # A fork knows nothing of other threads, but for the locks that they hold; elsewhere the system advises against it.
    if sys.platform != "linux" or threading.active_count() > 1 or len(os.sched_getaffinity(0)) < 2:
        yield function
        return
    try:
        reading, writing = os.pipe()
    except OSError:
        yield function
        return
    # A signal that comes before the child has its own handlers would strike in the wrong one of the two.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)
    try:
        child = os.fork()
    except OSError:  # There may be no more processes.
        child = -1
    if child == 0:
        _answer(function, writing)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(writing)
    if child == -1:
        os.close(reading)
        yield function
        return
    with open(reading, "rb") as answer:
        try:
            yield lambda: _received(answer.read(), function)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)  # What is still at it is not needed any more.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _answer(function: Callable[[], object], writing: int) -> None:
    try:
        for number in _ASKED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKED)
        with open(writing, "wb") as pipe:
            pipe.write(pickle.dumps((function(),)))
    finally:
        os._exit(0)  # Nothing of the parent's is tidied up here, nor shown.


def _received(data: bytes, function: Callable[[], T]) -> T:
    try:
        (value,) = pickle.loads(data)
    except (pickle.UnpicklingError, EOFError):  # It said nothing, or not all of it.
        return function()
    result: T = value
    return result
