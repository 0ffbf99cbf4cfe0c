"""What `sha256sum` prints of an artifact's files, sorted by path: by that the artifact is known. Kept up while files come and
go."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from operator import itemgetter

from assetbuild import texts

#: Of a line.
_PATH = itemgetter(slice(66, None))


def line(digest: str, public_path: str) -> str:
    """What is printed of a file, but for the line end. digest: its SHA-256 in hex digits."""
    return f"{digest}  {public_path}"


def changed(sums: bytes, gone: Collection[str], new: Collection[str]) -> bytes:
    """The lines without some of them, and with others."""
    if not gone and not new:
        return sums
    if len(gone) > texts.FEW or len(new) > texts.FEW:
        without = frozenset(gone)
        lines = [one for one in sums.decode().split("\n")[:-1] if one not in without]
        return "".join([f"{one}\n" for one in sorted([*lines, *new], key=_PATH)]).encode()
    edits = []
    for line in gone:
        whole, start = f"{line}\n".encode(), _place(sums, _PATH(line))
        assert sums.startswith(whole, start), line
        edits.append((start, start + len(whole), b""))
    for line in sorted(new, key=_PATH):
        start = _place(sums, _PATH(line))
        edits.append((start, start, f"{line}\n".encode()))
    return b"".join(texts.spliced(sums, sorted(edits, key=itemgetter(0, 1))))


def _place(sums: bytes, path: str) -> int:
    """Where the line with this path would begin."""
    low, high = 0, len(sums)
    while low < high:
        start = sums.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = sums.index(b"\n", start) + 1
        if _PATH(sums[start : end - 1].decode()) < path:
            low = end
        else:
            high = start
    return low


def digest(sums: bytes) -> str:
    """The artifact's: "sha256-" and 64 hex digits."""
    return "sha256-" + hashlib.sha256(sums).hexdigest()
