"""The output folder as a place: what is in it, and whether its files and folders are as a build leaves them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from assetbuild.names import folders_of

PIECE = 1 << 20
FILE_MODE = 0o644
FOLDER_MODE = 0o755


class Place:
    """output: the folder. epoch: the modification time of everything in it, in seconds; None: whatever it is."""

    def __init__(self, output: Path, epoch: int | None) -> None:
        self.output = output
        self.epoch = epoch

    def path(self, public_path: str) -> str:
        return f"{self.output}/{public_path}"

    def exists(self, public_path: str) -> bool:
        return os.path.lexists(self.path(public_path))

    def metadata_right(self, public_path: str) -> bool:
        return _metadata_right(os.lstat(self.path(public_path)), self.epoch)

    # Folders; the output is ""

    def folders_right(self, folders: Iterable[str]) -> bool:
        """Whether they are as a build leaves them. A link in the place of one is not, wherever it leads."""
        folders = tuple(folders)
        if any(os.path.islink(self.path(folder)) for folder in folders):
            return False
        return all(self.mode_right(folder) and self.time_right(folder) for folder in ("", *folders))

    def mode_right(self, folder: str) -> bool:
        status = os.stat(self.path(folder))
        mode = stat.S_IMODE(status.st_mode)
        # What else the output's mode says (set-group-ID) is its owner's business.
        return not _is_owner(status) or (mode if folder else mode & 0o777) == FOLDER_MODE

    def time_right(self, folder: str) -> bool:
        status = os.stat(self.path(folder))
        return not _is_owner(status) or self.epoch is None or status.st_mtime_ns == self.epoch * 1_000_000_000

    def mend_mode(self, folder: str) -> None:
        if not self.mode_right(folder):
            special = 0 if folder else stat.S_IMODE(os.stat(self.path(folder)).st_mode) & 0o7000
            os.chmod(self.path(folder), FOLDER_MODE | special)

    def mend_time(self, folder: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # It may have gone with its last file.
            if self.epoch is not None and not self.time_right(folder):
                os.utime(self.path(folder), (self.epoch, self.epoch))

    # Removal

    def unlink(self, names: Collection[str]) -> list[str]:
        """Remove files of ours, and the folders that this leaves empty. A folder, or anything behind a link, where a file
        of ours was is someone else's and stays."""
        removed = []
        for name in names:
            if any(os.path.islink(self.path(folder)) for folder in folders_of(name)):
                continue
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                os.unlink(self.path(name))
                removed.append(name)
        # Of names that were gone already too: an unfinished build may have come just so far.
        self.remove_empty_folders({folder for name in names for folder in folders_of(name)})
        return removed

    def remove_empty_folders(self, folders: Iterable[str]) -> None:
        for folder in sorted(folders, reverse=True):
            with contextlib.suppress(OSError):
                os.rmdir(self.path(folder))


def whole(path: str, digest: str, size: int, epoch: int | None) -> bool:
    """Whether a published file has these bytes, its mode and its time. Names are not trusted: the bytes are read."""
    sha = hashlib.sha256()
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size != size or not _metadata_right(status, epoch):
            return False
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(PIECE):
                sha.update(piece)
    except OSError:
        return False
    return sha.hexdigest() == digest


def _metadata_right(status: os.stat_result, epoch: int | None) -> bool:
    right_time = epoch is None or status.st_mtime_ns == epoch * 1_000_000_000
    return stat.S_IMODE(status.st_mode) == FILE_MODE and right_time


def _is_owner(status: os.stat_result) -> bool:
    """Whether mode and time are this user's to set. Those of a folder that was put here by another stay as they are."""
    return os.geteuid() in (0, status.st_uid)
