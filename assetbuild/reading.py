"""Files of the user's are read here: a pipe or a device that took a file's place meanwhile is told of, and not waited for."""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO


def opened(path: str) -> FileIO:
    """The file, for its bytes. Raises OSError, for what is no file too."""
    # FileIO closes what it was given, where it raises.
    file = FileIO(path, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.ENXIO, "it is no file any more", path)
    return file


def content(path: str) -> bytes:
    """All bytes of a file. Raises OSError."""
    with opened(path) as file:
        return file.readall()
