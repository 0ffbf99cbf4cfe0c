"""Stands between a worker and one external tool, as a program of its own: when the worker ends, however it ends, or asks for
it, the tool and all that it started are killed.

It is started as `python -I -S supervisor.py LIFELINE SCRATCH PROGRAM ARGUMENT…` with a socket as the descriptor LIFELINE,
whose other end only the worker holds: the system closes that end even when the worker is killed outright. Through it goes
one line back: `exit N` (a negative N is a signal's number) or `errno N` where the program could not be started. SCRATCH is a
folder that a worker that has ended can no longer remove ("": none). It leads a
session of its own, so that what kills the worker's process group leaves it the moment that it needs, and the tool leads a
process group of its own, so that one call reaches its children too.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys


def main(lifeline: int, scratch: str, argv: list[str]) -> None:
    os.set_inheritable(lifeline, False)
    try:
        # Python ignores these two; a tool that inherits that would not notice that nobody reads what it writes.
        restored = [signal.SIGPIPE, signal.SIGXFSZ]
        tool = os.posix_spawn(argv[0], argv, os.environ, setpgroup=0, setsigdef=restored)
    except OSError as error:
        os.write(lifeline, f"errno {error.errno}".encode())
        return
    # With its copies of the pipes closed, the tool's end is the end of what can be read from it.
    os.closerange(0, 3)
    _thread.start_new_thread(_kill_at_the_end, (lifeline, tool))
    status = os.waitstatus_to_exitcode(os.waitpid(tool, 0)[1])
    # What the tool left behind holds the pipes open, and nobody waits for it.
    _kill(tool)
    try:
        os.write(lifeline, f"exit {status}".encode())
    except OSError:
        if scratch:
            import shutil  # Rarely needed, and slow to import.

            shutil.rmtree(scratch, ignore_errors=True)


def _kill_at_the_end(lifeline: int, tool: int) -> None:
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)
    _kill(tool)


def _kill(group: int) -> None:
    # Nobody is left (macOS: only those that have ended and not been waited for).
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
    os._exit(0)
