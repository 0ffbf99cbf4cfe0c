"""Texts that wait to be linked: on disk and not in memory, in a file without a name, so that nothing is left behind whatever
ends the build."""

from __future__ import annotations

import os
import tempfile
from types import TracebackType

from assetbuild.errors import BuildError


class Spool:
    """Append-only storage of texts by key; a text that is stored again replaces the earlier one."""

    def __init__(self) -> None:
        """Raises BuildError where there is no folder for temporary files."""
        try:
            # Unbuffered: texts come whole, and reads go round the file object.
            self._file = tempfile.TemporaryFile(prefix="assetbuild-", buffering=0)  # noqa: SIM115 (it is one)
        except OSError as error:
            message = f"no temporary file can be made: {error.strerror}; set TMPDIR to a folder that can be written"
            raise BuildError(message) from error
        self._spans: dict[str, tuple[int, int]] = {}
        self._end = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def put(self, key: str, text: bytes) -> None:
        """Raises BuildError where the temporary folder is full."""
        view = memoryview(text)
        position = self._end
        while view:
            try:
                written = os.pwrite(self._file.fileno(), view, position)
            except OSError as error:
                message = f"{tempfile.gettempdir()}: temporary files cannot be written: {error.strerror}"
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
