"""What a build keeps in the folder for temporary files: texts that wait to be linked, on disk and not in memory, in a file
without a name, so that nothing is left behind whatever ends the build; and a folder for what filters make on their way."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from types import ModuleType, TracebackType
from typing import IO

from assetbuild import interrupts
from assetbuild.errors import BuildError

#: Seconds in which a program that was killed has ended, and makes no more files.
PATIENCE = 2.0


class Spool:
    """Append-only storage of texts by key; a text that is stored again replaces the earlier one."""

    def __init__(self) -> None:
        self._opened: IO[bytes] | None = None
        self._spans: dict[str, tuple[int, int]] = {}
        self._end = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._opened:
            self._opened.close()

    @property
    def _file(self) -> IO[bytes]:
        """Made when it is first needed. Raises BuildError where there is no folder for temporary files."""
        if self._opened is None:
            try:
                # Unbuffered: texts come whole, and reads go round the file object.
                self._opened = _tempfile().TemporaryFile(prefix="assetbuild-", buffering=0)
            except OSError as error:
                raise _none(error) from error
        return self._opened

    def put(self, key: str, text: bytes) -> None:
        """Raises BuildError where there is no temporary folder, or it is full."""
        view = memoryview(text)
        position = self._end
        while view:
            try:
                written = os.pwrite(self._file.fileno(), view, position)
            except OSError as error:
                message = f"{_tempfile().gettempdir()}: temporary files cannot be written: {error.strerror}"
                raise BuildError(f"{message}; free some space, or set TMPDIR to another folder") from error
            view = view[written:]
            position += written
        self._spans[key] = (self._end, len(text))
        self._end = position

    def get(self, key: str) -> bytes:
        """Raises KeyError where nothing was stored."""
        start, length = self._spans[key]
        parts = []
        while length:
            part = os.pread(self._file.fileno(), length, start)
            if not part:
                raise OSError("the temporary file was cut short")
            parts.append(part)
            start += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


@contextlib.contextmanager
def workspace() -> Iterator[str]:
    """A folder for temporary files, which goes in the end with all that is in it. Raises BuildError."""
    folder = ""
    try:
        try:
            with interrupts.held():
                folder = _tempfile().mkdtemp(prefix="assetbuild-")
        except OSError as error:
            raise _none(error) from error
        yield folder
    finally:
        with interrupts.held():
            deadline = time.monotonic() + PATIENCE
            while folder and os.path.lexists(folder):
                import shutil

                shutil.rmtree(folder, ignore_errors=True)
                if time.monotonic() > deadline:
                    break


def _tempfile() -> ModuleType:
    import tempfile  # Slow to import, and a small build writes no temporary file.

    return tempfile


def _none(error: OSError) -> BuildError:
    return BuildError(f"no temporary file can be made: {error.strerror}; set TMPDIR to a folder that can be written")
