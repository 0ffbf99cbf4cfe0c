"""Files of the user's are read here: a pipe or a device that took a file's place meanwhile is told of, and not waited for."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from io import FileIO


def opened(path: str) -> FileIO:
    """The file, for its bytes. Raises OSError, for what is no file too."""
    # FileIO closes what it was given, where it raises.
    file = FileIO(path, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _no_file(path)
    return file


def content(path: str) -> bytes:
    """All bytes of a file. Raises OSError."""
    return b"".join(pieces(path, 1 << 62))


def pieces(path: str, most: int) -> Iterator[bytes]:
    """The bytes of a file, so many at most at once. Raises OSError."""
    # Without a file object, which would take as long as all the rest for a small file.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _no_file(path)
        size = min(max(status.st_size + 1, 1 << 13), most)  # Some file systems tell of no size.
        while piece := os.read(descriptor, size):
            yield piece
    finally:
        os.close(descriptor)


def _no_file(path: str) -> OSError:
    return OSError(errno.ENXIO, "it is no file any more", path)
