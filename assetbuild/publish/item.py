"""What is to be published, and what became of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from assetbuild.errors import BuildError, Problem


@dataclass(frozen=True, slots=True)
class Item:
    """A file to publish. digest: the SHA-256 of its bytes in hex digits. pieces: gives those bytes, again at each call.
    shown: what it is made of, as one would type it."""

    public_path: str
    digest: str
    size: int
    pieces: Callable[[], Iterable[bytes]] = field(compare=False)
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """written: public paths that were written, in order; removed: those that went; manifest: whether it was replaced.
    Nothing of the three: the artifact was this one already, and not a byte of it was touched."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    manifest: bool


class Standing(NamedTuple):
    """What is in the folder by an index that is believed. names: every file that the manifest there names, each as it was
    written but for those that are an item's. gone: those of them that are to go where they are no item's."""

    names: Collection[str]
    gone: Collection[str]


def from_source(item: Item) -> Iterator[bytes]:
    """The item's pieces. Raises BuildError where they cannot be read: that is no fault of the output folder's."""
    try:
        yield from item.pieces()
    except OSError as error:
        what = "disappeared" if isinstance(error, FileNotFoundError) else f"could no longer be read ({error.strerror})"
        file = item.shown or (os.path.relpath(os.fsdecode(error.filename)) if error.filename else item.public_path)
        raise BuildError(Problem(file, 0, 0, f"this file {what} during the build", "run it again")) from error
