"""One process, from its start to its exit: what it took, and whether it succeeded."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Seconds after which a process is stopped.
LIMIT = 1800.0

#: Seconds between two looks at the memory of a process tree.
PERIOD = 0.05

# A process starts with the peak memory of the one that it was forked from, so a small one stands between it and the harness.
_STARTER = """
import json, os, sys, time
begin = time.monotonic()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
wall = time.monotonic() - begin
took = [os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000]
os.write(int(sys.argv[1]), json.dumps(took).encode())
"""


class ContenderError(Exception):
    """A contender did not do its work; the message says what it printed, or what is missing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process took.

    wall, processor: seconds, the latter of user and system together, with all children that it waited for. peak: the largest
    resident memory of one of these processes, in MB. tree: the largest sum of all of them at one time, shared pages counted
    once, in MB; 0 where nobody looked. written: files of the output that it wrote anew; -1 where nobody looked.
    """

    wall: float
    processor: float
    peak: float
    tree: float = 0
    written: int = -1


def environment() -> dict[str, str]:
    """That of the user, less what would change what the tools do."""
    theirs = ("ASSETBUILD_", "DJANGO_", "NODE_", "PYTHON", "VITE_", "SOURCE_DATE_EPOCH")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)}


def run(command: Sequence[str], folder: Path, extra: Mapping[str, str] | None = None, *, watched: bool = False) -> Sample:
    """Runs a command in a folder. watched: the memory of the tree is looked at meanwhile, which takes time of its own. Raises
    ContenderError where the exit status is not 0 or the command takes longer than LIMIT."""
    # Nobody waits for what another one has left to be written to the disk.
    os.sync()
    ours, theirs = os.pipe()
    with (folder / "output.txt").open("w+b") as printed:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _STARTER, str(theirs), *command],
            cwd=folder,
            env=environment() | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            pass_fds=[theirs],
            start_new_session=True,
        )
        os.close(theirs)
        timer = threading.Timer(LIMIT, end, [process])
        timer.start()
        tree = _watch(process) if watched else 0.0
        process.wait()
        timer.cancel()
        with os.fdopen(ours, "rb") as answer:
            took = json.loads(answer.read() or "[-9, 0, 0, 0]")
        if took[0] != 0:
            printed.seek(0)
            last = printed.read().decode(errors="replace").strip()[-600:]
            raise ContenderError(f"exit status {took[0]}: {last}")
    return Sample(took[1], took[2], took[3], tree)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stops a process that run() or a caller started in a session of its own, with all that is in that session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _watch(process: subprocess.Popen[bytes]) -> float:
    largest = 0.0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PERIOD)
            return largest
        largest = max(largest, sum(_proportional(child) for child in _below(process.pid)))


def _below(top: int) -> list[int]:
    """The processes below one, without it."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            # The second field is a name in parentheses, which may hold blanks.
            with contextlib.suppress(OSError, ValueError):
                fields = Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(name))
    found = list(children.get(top, ()))
    for one in found:
        found += children.get(one, ())
    return found


def _proportional(process: int) -> float:
    """Memory in MB, a page that n processes share counted as its n-th part; 0 for one that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
