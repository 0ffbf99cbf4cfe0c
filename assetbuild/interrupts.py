"""Signals that ask a program to end: exceptions where what was begun can be undone, and held back where it cannot be left half
done. Only the main thread's Python code hears of signals, so only there is anything to hold."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

#: Sent by `kill`, service managers and container runtimes; and to what a terminal started when it goes away.
ENDING = (signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """A signal asked this process to end. number: the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


#: What is let through where everything else that code of a project's own raises is caught.
INTERRUPTS = (KeyboardInterrupt, Terminated)


@contextlib.contextmanager
def as_exceptions() -> Iterator[None]:
    """SIGTERM and SIGHUP raise Terminated, once: what comes while that is cleaned up after is not heard. A signal that is
    ignored (`nohup`) stays ignored, and one that somebody else handles is theirs."""
    if not _heard_here():
        yield
        return
    ours = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]
    ended = False

    def end(number: int, _: FrameType | None) -> None:
        nonlocal ended
        if not ended:
            ended = True
            raise Terminated(number)

    try:
        for number in ours:
            signal.signal(number, end)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def held() -> Iterator[Callable[[], None]]:
    """While this is entered, SIGINT, SIGTERM and SIGHUP wait, as far as Python code handles them. One that came strikes when
    what this gives is called, or in the end."""
    if not _heard_here():
        yield lambda: None
        return
    came: list[int] = []
    handlers: dict[int, Callable[[int, FrameType | None], object]] = {}
    for number in (signal.SIGINT, *ENDING):
        if callable(handler := signal.getsignal(number)):
            handlers[number] = handler

    def strike() -> None:
        if came:
            number = came[0]
            came.clear()
            handlers[number](number, None)

    try:
        for one in handlers:
            signal.signal(one, lambda number, _: came.append(number))
        yield strike
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)
        strike()


def _heard_here() -> bool:
    return threading.current_thread() is threading.main_thread()
