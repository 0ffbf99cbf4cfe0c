"""How a file looks to whoever does not read it: as long as that stays, its bytes do, unless the clock is too coarse."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import compress
from operator import eq, ne

#: A look of which it is not certain that it tells the bytes.
UNSETTLED = ""

#: What the kernel's clock, which gives files their times, counts in at most (100 Hz), and file systems with whole seconds or
#: two, in nanoseconds.
_TICK, _COARSE = 10_000_000, 2_000_000_000


def look(status: os.stat_result) -> str:
    """Size, modification time, inode and change time, in nanoseconds, of a file: what git's index has of one too. The change
    time is the kernel's, which no program sets."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino} {status.st_ctime_ns}"


def settled(seen: str, when: int) -> str:
    """The look, if no later change of the file could have the same; else UNSETTLED. when: the time at which it was looked at,
    or one before, in nanoseconds since 1970.

    A file that was changed within the clock's grain of that may change once more and look the same (git's rule,
    Documentation/technical/racy-git.txt).
    """
    _, modified, _, changed = seen.split(" ")
    latest = max(int(modified), int(changed))
    grain = _TICK if latest % 1_000_000 else _COARSE
    return seen if latest < when - grain else UNSETTLED


def different(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The keys that two mappings have different values for, or only one of them any."""
    if len(one) == len(other) and all(map(eq, one, other)):  # The usual case, in a tenth of the time.
        return list(compress(one, map(ne, one.values(), other.values())))
    return [*(key for key, value in one.items() if other.get(key) != value), *(key for key in other if key not in one)]
