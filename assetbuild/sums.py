"""What `sha256sum` prints of an artifact's files, sorted by path: by that the artifact is known. Kept up while files come and
go."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterable
from operator import itemgetter

#: Of a line.
_PATH = itemgetter(slice(66, None))
#: To look for so many lines takes longer than to go through all.
_MANY = 100


def line(digest: str, public_path: str) -> str:
    """What is printed of a file. digest: its SHA-256 in hex digits."""
    return f"{digest}  {public_path}"


def changed(sums: str, gone: Collection[str], new: Iterable[str]) -> str:
    """The lines without some of them, and with others."""
    lines = sums.split("\n") if sums else []
    if len(gone) > _MANY:
        without = frozenset(gone)
        lines = [one for one in lines if one not in without]
    else:
        for one in gone:
            del lines[bisect_left(lines, _PATH(one), key=_PATH)]
    return "\n".join(sorted([*lines, *new], key=_PATH))


def digest(sums: str) -> str:
    """The artifact's: "sha256-" and 64 hex digits."""
    return "sha256-" + hashlib.sha256(f"{sums}\n".encode() if sums else b"").hexdigest()
