"""beside: done in another process while this one goes on, and here where that one could not."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from assetbuild.beside import beside

linux = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="another process is begun on Linux with two cores only"
)


@linux
def test_it_is_done_in_another_process_that_is_gone_afterwards() -> None:
    with beside(os.getpid) as answer:
        other = answer()
    assert other != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(other, 0)


def test_what_it_raises_is_raised_here() -> None:
    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), beside(fail) as answer:
        answer()


@linux
def test_where_the_other_process_is_killed_it_is_done_here() -> None:
    here = os.getpid()

    def fatal() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    with beside(fatal) as answer:
        assert answer() == 7


@linux
def test_whoever_does_not_wait_for_the_answer_leaves_nothing_behind() -> None:
    reading, writing = os.pipe()

    def endless() -> None:
        os.write(writing, str(os.getpid()).encode())
        threading.Event().wait()

    with pytest.raises(KeyError), beside(endless):
        other = int(os.read(reading, 20))
        raise KeyError
    with pytest.raises(ProcessLookupError):
        os.kill(other, 0)


@pytest.mark.parametrize("call", ["pipe", "fork"])
def test_where_the_system_has_no_process_to_give_it_is_done_here(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def none() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, call, none)
    with beside(os.getpid) as answer:
        assert answer() == os.getpid()
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {signal.SIGINT, signal.SIGTERM}


def test_with_other_threads_it_is_done_here() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with beside(os.getpid) as answer:
            assert answer() == os.getpid()
    finally:
        done.set()
        thread.join()
