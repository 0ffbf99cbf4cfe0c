"""beside: done in another process while this one goes on, and here where that one could not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from assetbuild.beside import beside

linux = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="another process is begun on Linux with two cores only"
)


def alone(script: str) -> None:
    """Runs it in a process where no test before has left a thread, with which there would be no other process."""
    code = f"import os, signal, threading\nfrom assetbuild.beside import beside\n{textwrap.dedent(script)}"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


GONE = """
try:
    os.kill(other, 0)
except ProcessLookupError:
    pass
else:
    raise AssertionError("it is there")
"""


@linux
def test_it_is_done_in_another_process_that_is_gone_afterwards() -> None:
    alone(
        """
        with beside(os.getpid) as answer:
            other = answer()
        assert other != os.getpid()
        """
        + textwrap.indent(GONE, " " * 8)
    )


def test_what_it_raises_is_raised_here() -> None:
    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), beside(fail) as answer:
        answer()


@linux
def test_where_the_other_process_is_killed_it_is_done_here() -> None:
    alone(
        """
        here, tried = os.getpid(), os.memfd_create("tried")

        def fatal():
            os.write(tried, b".")
            if os.getpid() != here:
                os.kill(os.getpid(), signal.SIGKILL)
            return 7

        with beside(fatal) as answer:
            assert answer() == 7
        assert os.fstat(tried).st_size == 2
        """
    )


@linux
def test_whoever_does_not_wait_for_the_answer_leaves_nothing_behind() -> None:
    alone(
        """
        reading, writing = os.pipe()

        def endless():
            os.write(writing, str(os.getpid()).encode())
            threading.Event().wait()

        try:
            with beside(endless):
                other = int(os.read(reading, 20))
                raise KeyError
        except KeyError:
            pass
        """
        + textwrap.indent(GONE, " " * 8)
    )


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
