"""One build at a time in a folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from assetbuild import interrupts
from assetbuild.publish.owner import unusable
from assetbuild.publish.place import FOLDER_MODE


@contextlib.contextmanager
def locked(output: Path, display: str, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the output folder, made if need be, for one build at a time; a second one waits.

    The lock is on the folder itself and ends with the process, however that ends. Raises ConfigError.
    """
    made: list[Path] = []
    try:
        while True:
            try:
                with interrupts.held():
                    _make(output, made)
                descriptor = os.open(output, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise unusable(display, error) from error
            try:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waiting()
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                # While this waited, the folder may have been taken away and another put in its place.
                same = False
                with contextlib.suppress(FileNotFoundError):
                    same = os.path.samestat(os.fstat(descriptor), output.stat())
                if same:
                    yield
                    return
            finally:
                os.close(descriptor)
    except BaseException:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()  # Only where nothing came to be in it.
        raise


def _make(output: Path, made: list[Path]) -> None:
    """The folder and those above it, each noted as it comes to be, with the mode that the whole artifact has."""
    missing = [output]
    while not missing[-1].is_dir():
        missing.append(missing[-1].parent)
    for folder in reversed(missing[:-1]):
        try:
            folder.mkdir()
        except FileExistsError:
            if folder.is_symlink() and not folder.exists():
                raise FileNotFoundError(errno.ENOENT, "it is a symbolic link that leads nowhere") from None
            if not folder.is_dir():
                raise
            continue  # Another build beside this one was faster.
        made.append(folder)
        folder.chmod(FOLDER_MODE)
