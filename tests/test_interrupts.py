"""Signals that ask a program to end: heard as exceptions, or held back."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from assetbuild import interrupts
from assetbuild.interrupts import Terminated


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", interrupts.ENDING)
def test_what_asks_the_process_to_end_is_an_exception_once(number: int) -> None:
    with interrupts.as_exceptions():
        with pytest.raises(Terminated) as ended:
            send(number)
        assert ended.value.number == number
        send(number)  # While that is cleaned up after.
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_somebody_else_handles_is_theirs() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with interrupts.as_exceptions():
            send(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_what_is_held_strikes_in_the_end() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        send(signal.SIGINT)
        done = True
    assert done


def test_what_is_held_strikes_where_it_may() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.held() as strike:
        strike()
        done.append(1)
        send(signal.SIGINT)
        done.append(2)
        strike()
        done.append(3)
    assert done == [1, 2]


def test_what_came_while_a_fault_was_on_its_way_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt) as interrupt, interrupts.held():
        send(signal.SIGINT)
        raise OSError
    assert isinstance(interrupt.value.__context__, OSError)


def test_in_other_threads_nothing_is_heard_and_nothing_held() -> None:
    done = []

    def work() -> None:
        with interrupts.as_exceptions(), interrupts.held() as strike:
            strike()
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
