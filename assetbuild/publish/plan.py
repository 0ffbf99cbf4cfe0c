"""What there is to do in the output folder: what is to be written, what is to go, and whether there is anything at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Sequence
from typing import NamedTuple

from assetbuild.names import all_folders, folders_of
from assetbuild.publish.item import Item
from assetbuild.publish.owner import changed_kind, in_the_way
from assetbuild.publish.place import FOLDER_MODE, Place, whole
from assetbuild.runtime import manifest as treaty


class Plan(NamedTuple):
    """wanted: the items that are not there yet, whole and ours. stale: files of ours that nothing names any more. folders: of
    the items and of what is stale."""

    wanted: Sequence[Item]
    stale: Sequence[str]
    folders: Collection[str]

    def done(self, place: Place, manifest: bytes) -> bool:
        """Whether the folder is as it should be already."""
        if self.wanted or self.stale:
            return False
        try:
            same = (place.output / treaty.NAME).read_bytes() == manifest
        except OSError:
            return False
        return same and place.metadata_right(treaty.NAME) and place.folders_right(self.folders)


def plan(place: Place, items: Sequence[Item], ours: Collection[str], gone: Collection[str], display: str) -> Plan:
    """ours: every file in the folder that is of an artifact. gone: those that are to go where they are no item's; the others
    are as they should be. Raises ConfigError naming every file in the way, or every name that is a folder's now and was a
    file's, or the reverse."""
    items = sorted(items, key=lambda item: item.public_path)
    names = {item.public_path for item in items}
    stale = [path for path in sorted(frozenset(gone) - names) if place.exists(path)]
    folders = all_folders([*stale, *(item.public_path for item in items)])
    return Plan(_wanted(place, items, ours, display), stale, folders)


def _wanted(place: Place, items: Sequence[Item], ours: Collection[str], display: str) -> list[Item]:
    obstacles = []
    wanted = []
    looked_at = set[str]()
    for item in items:
        path = item.public_path
        for folder in folders_of(path):
            if folder not in looked_at:
                looked_at.add(folder)
                mode = os.lstat(place.path(folder)).st_mode if place.exists(folder) else stat.S_IFDIR | FOLDER_MODE
                if not stat.S_ISDIR(mode):
                    obstacles.append(folder)
                elif mode & 0o700 != 0o700:
                    place.mend_mode(folder)  # Else nobody knows what is in it.
        if not place.exists(path):
            wanted.append(item)
        elif path not in ours or not stat.S_ISREG(os.lstat(place.path(path)).st_mode):
            obstacles.append(path)
        elif not whole(place.path(path), item.digest, item.size, place.epoch):
            wanted.append(item)
    if obstacles:
        strangers = sorted({path for path in obstacles if not _is_ours(place, path, ours)})
        if strangers:
            raise in_the_way(display, ", ".join(strangers))
        raise changed_kind(display, ", ".join(sorted(set(obstacles))))
    return wanted


def _is_ours(place: Place, path: str, ours: Collection[str]) -> bool:
    """Whether what stands there is of an artifact: a file that it names, or a folder of one."""
    mode = os.lstat(place.path(path)).st_mode
    return path in ours if stat.S_ISREG(mode) else stat.S_ISDIR(mode) and path in all_folders(ours)
