"""Files first, the manifest last: the only writer of the artifact.

The laws, in the order in which they are kept:
1. Nothing of the user's is touched: only files that an earlier manifest or an unfinished build's journal names are ours.
2. The journal, on disk before the first file, names what is about to appear; an unfinished build is known by it.
3. A new file appears under a name that no manifest has yet, so nobody reads it; where a name is kept, the new bytes wait
   beside it and are renamed just before the manifest.
4. One sync, then the manifest by one rename: whoever reads finds the old artifact or the new one.
5. Only then are files removed that nothing names any more; the journal goes last.
6. A signal that asks the process to end is heard between two steps, while all can still be undone; never in the midst of one,
   and not once the manifest is being replaced.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from assetbuild import interrupts
from assetbuild.errors import AssetbuildError, BuildError, Problem
from assetbuild.looks import look
from assetbuild.names import all_folders
from assetbuild.publish.item import Item, Published, Standing, from_source
from assetbuild.publish.lock import locked
from assetbuild.publish.owner import DENIED, JOURNAL_HEAD, owned, plain, unusable
from assetbuild.publish.place import PIECE, Place, whole
from assetbuild.publish.plan import plan as planned
from assetbuild.publish.writing import Writing, clear
from assetbuild.runtime import manifest as treaty

__all__ = [
    "JOURNAL_HEAD",
    "PIECE",
    "Item",
    "Published",
    "Standing",
    "from_source",
    "locked",
    "owned",
    "plain",
    "publish",
    "standing",
    "whole",
]


def standing(output: Path, looks: Mapping[str, str], manifest: str, epoch: int | None) -> frozenset[str] | None:
    """The files of the folder whose looks are no more what they were, gone ones among them; None where the folder as such is
    not as a build left it: another manifest, an unfinished build, folders of other modes.

    looks: by public path. manifest: the SHA-256 that its bytes have to have.
    """
    place = Place(output, epoch)
    try:
        if hashlib.sha256((output / treaty.NAME).read_bytes()).hexdigest() != manifest:
            return None
        if any(place.exists(name) for name in (treaty.JOURNAL, treaty.JOURNAL + "~")):
            return None
        if not place.metadata_right(treaty.NAME) or not place.folders_right(all_folders(looks)):
            return None
    except OSError:
        return None
    changed = []
    prefix = f"{output}/"
    for path, known in looks.items():
        try:
            if look(os.lstat(prefix + path)) != known:
                changed.append(path)
        except OSError:
            changed.append(path)
    return frozenset(changed)


def publish(
    output: Path,
    items: Sequence[Item],
    manifest: bytes,
    *,
    display: str,
    epoch: int | None = None,
    progress: Callable[[int, int], None],
    standing: Standing | None = None,
    lasting: bool = True,
    jobs: int = 1,
) -> Published:
    """Make the folder hold exactly these files and this manifest. The caller holds the lock.

    display: the folder as one types it. epoch: the modification time of everything, in seconds; None: now. standing: files
    that are there besides the items, and need no look. lasting: whether all is on the disk before the manifest is replaced.
    jobs: threads at most.
    Raises ConfigError where something in the folder is not ours, BuildError where the file system refuses; the artifact is
    then as it was.
    """
    place = Place(output, epoch)
    try:
        if standing is None:
            named, leftovers = owned(output, display)
            clear(place, leftovers - named.keys())
            plan = planned(place, items, named.keys(), named.keys(), display)
        else:
            plan = planned(place, items, standing.names, standing.gone, display)
        if plan.done(place, manifest):
            return Published((), (), False)
    except OSError as error:
        raise _refused(place, display, error) from error
    writing = Writing(place, plan.folders, display=display, progress=progress, lasting=lasting, jobs=jobs)
    with interrupts.held() as writing.strike:
        try:
            waiting = writing.write(plan.wanted, plan.stale, manifest)
            writing.strike()
            writing.replace(waiting)
        except BaseException as error:
            writing.undo()
            if isinstance(error, OSError):
                raise _refused(place, display, error) from error
            raise
        try:
            removed = writing.remove(plan.stale)
        except OSError as error:
            raise _refused(place, display, error) from error
    return Published(tuple(item.public_path for item in plan.wanted), tuple(removed), True)


def _refused(place: Place, display: str, error: OSError) -> AssetbuildError:
    if error.errno in DENIED:
        return unusable(display, error)
    reason = error.strerror or str(error)
    where = f" ({os.path.relpath(os.fsdecode(error.filename), place.output)})" if error.filename else ""
    hint = "free some space and run it again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "run it again"
    return BuildError(Problem(display, 0, 0, f"the artifact could not be written: {reason}{where}", hint))
