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

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assetbuild import interrupts
from assetbuild.errors import AssetbuildError, BuildError, ConfigError, Problem
from assetbuild.looks import look
from assetbuild.runtime import manifest as treaty

PIECE = 1 << 20
FILE_MODE = 0o644
FOLDER_MODE = 0o755
#: Where new bytes for a name that is in use wait, beside the manifest: same file system, and a name that nothing serves.
WAITING = ".assetbuild-new-{}"
#: Where the old bytes of such a name stay until the new manifest is in place, so that a failure can bring them back.
REPLACED = ".assetbuild-old-{}"
#: The longest name (NAME_MAX) and path (PATH_MAX) of Linux, in bytes: what is longer names no file.
LONGEST, LONGEST_PATH = 255, 4096
JOURNAL_HEAD = "assetbuild-journal 1"


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in the folder by an index that is believed. names: every file that the manifest there names. whole: those that
    are as they were written, and are to stay."""

    names: Collection[str]
    whole: Collection[str]


def standing(output: Path, looks: Mapping[str, str], manifest: str, epoch: int | None) -> frozenset[str] | None:
    """The files of the folder whose looks are no more what they were, gone ones among them; None where the folder as such is
    not as a build left it: another manifest, an unfinished build, folders of other modes.

    looks: by public path. manifest: the SHA-256 that its bytes have to have.
    """
    publication = _Publication(output, (), b"", "", epoch, lambda _done, _total: None)
    try:
        if hashlib.sha256((output / treaty.NAME).read_bytes()).hexdigest() != manifest:
            return None
        if any(publication.exists(name) for name in (treaty.JOURNAL, treaty.JOURNAL + "~")):
            return None
        publication.folders = all_folders(looks)
        if not publication.metadata_right(treaty.NAME) or not publication.folders_right():
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


def all_folders(paths: Iterable[str]) -> set[str]:
    """All folders that these files are in, at any depth."""
    folders = {path.rpartition("/")[0] for path in paths}
    return {above for folder in folders for above in folders_of(folder + "/x")} - {""}


@contextlib.contextmanager
def locked(output: Path, display: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
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
                raise _unusable(display, error) from error
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


#: What is said where this user may not write, whatever the system calls it: no right, not the owner, read-only.
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


def _unusable(display: str, error: OSError) -> ConfigError:
    hint = "make it writable for this user, or choose another --output" if error.errno in _DENIED else "choose another --output"
    return ConfigError(Problem(display, 0, 0, f"the output folder cannot be used: {error.strerror}", hint))


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
) -> Published:
    """Make the folder hold exactly these files and this manifest. The caller holds the lock.

    display: the folder as one types it. epoch: the modification time of everything, in seconds; None: now. standing: files
    that are there besides the items, and need no look. lasting: whether all is on the disk before the manifest is replaced.
    Raises ConfigError where something in the folder is not ours, BuildError where the file system refuses; the artifact is
    then as it was.
    """
    return _Publication(output, items, manifest, display, epoch, progress, standing, lasting).run()


def owned(output: Path, display: str) -> tuple[dict[str, str], frozenset[str]]:
    """What is ours in the folder: path → integrity by its manifest ("" for a variant), and what an unfinished build's
    journal names. Raises ConfigError where the folder is not empty and says nothing of us, or cannot be read."""
    try:
        entries = os.listdir(output)
        journal = _read_journal(output, display)
        if journal is None and treaty.NAME not in entries:
            # A first build beside this one may just have come to its end: its manifest appears before its journal goes.
            entries = os.listdir(output)
    except FileNotFoundError:
        return {}, frozenset()
    except OSError as error:
        raise _unusable(display, error) from error
    if treaty.NAME in entries:
        try:
            return _named(treaty.load(output / treaty.NAME)), frozenset(journal or ())
        except treaty.ManifestError as error:
            what = f"its {treaty.NAME} cannot be used ({error.message}), so nothing in the folder is touched"
            raise ConfigError(Problem(display, 0, 0, what, f"choose another output, or {error.hint}")) from error
    if any(_strangers(output, journal or ())):
        what = "the output folder is not empty and holds no manifest of assetbuild's, so nothing in it is touched"
        raise ConfigError(Problem(display, 0, 0, what, "choose another output, or empty the folder"))
    return {}, frozenset(journal or ())


def _strangers(output: Path, names: Iterable[str]) -> Iterator[str]:
    """What is in the folder and not among these, nor a folder of one of these. Names with a dot are others' business."""
    named = set(names)
    named |= {folder for name in named for folder in folders_of(name)}
    for where, folders, files in os.walk(output):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *files):
            path = os.path.relpath(os.path.join(where, name), output)
            if not name.startswith(".") and path not in named:
                yield path


def _named(manifest: treaty.Manifest) -> dict[str, str]:
    """Every file that a manifest names, with its integrity; "" for a variant, which has none of its own."""
    named: dict[str, str] = {}
    files: list[tuple[str, treaty.Entry | treaty.Carried]] = [(e["path"], e) for e in manifest["assets"].values()]
    for release in manifest["previous"]:
        files.extend(release["files"].items())
    for path, entry in files:
        named[path] = entry["integrity"]
        for coding in entry.get("variants", {}).keys() & treaty.SUFFIXES.keys():
            named[path + treaty.SUFFIXES[coding]] = ""
    return {path: integrity for path, integrity in named.items() if _plain(path)}


def _read_journal(output: Path, display: str) -> list[str] | None:
    journal = output / treaty.JOURNAL
    try:
        if not stat.S_ISREG(journal.lstat().st_mode):  # A pipe would be waited for.
            raise _in_the_way(display, treaty.JOURNAL)
        lines = journal.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        return None
    if lines[0] != JOURNAL_HEAD:
        return None
    # A last line without its end may be half a name.
    return [line for line in lines[1:-1] if _plain(line)]


def _in_the_way(display: str, names: str) -> ConfigError:
    return ConfigError(Problem(display, 0, 0, f"not assetbuild's, and in the way: {names}", "move it elsewhere"))


def _plain(path: str) -> bool:
    """Whether a path read from disk names something below the folder and nothing else."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > LONGEST for part in parts):
        return False
    return path != treaty.NAME and len(os.fsencode(path)) < LONGEST_PATH


class _Publication:
    def __init__(
        self,
        output: Path,
        items: Sequence[Item],
        manifest: bytes,
        display: str,
        epoch: int | None,
        progress: Callable[[int, int], None],
        standing: Standing | None = None,
        lasting: bool = True,
    ) -> None:
        self.output = output
        self.lasting = lasting
        self.standing = standing
        self.items = sorted(items, key=lambda item: item.public_path)
        self.manifest = manifest
        self.display = display
        self.epoch = epoch
        self.progress = progress
        self.created: list[str] = []
        #: (where its old bytes stay, name) of each name in use that got new ones.
        self.replaced: list[tuple[str, str]] = []
        #: Where a signal that came may strike.
        self.strike: Callable[[], None] = lambda: None
        #: Whether everything is written and waits for its name, the manifest too.
        self.replacing = False
        self.created_folders: set[str] = set()
        #: Folders that are there by now.
        self.made: set[str] = {""}
        self.folders: set[str] = set()

    def path(self, public_path: str) -> str:
        return f"{self.output}/{public_path}"

    def run(self) -> Published:
        ours: Collection[str]
        names = {item.public_path for item in self.items}
        if self.standing is None:
            named, leftovers = owned(self.output, self.display)
            ours = named.keys()
            try:
                self.clear(leftovers - ours)
            except OSError as error:
                raise self.refused(error) from error
        else:
            ours = self.standing.names
            names |= frozenset(self.standing.whole)
        stale = [path for path in sorted(frozenset(ours) - names) if self.exists(path)]
        self.folders = all_folders(stale)
        wanted = self.to_write(ours)
        try:
            same_manifest = (self.output / treaty.NAME).read_bytes() == self.manifest
        except OSError:
            same_manifest = False
        if same_manifest and not wanted and not stale and self.metadata_right(treaty.NAME) and self.folders_right():
            return Published((), (), False)
        with interrupts.held() as self.strike:
            try:
                waiting = self.write(wanted, stale)
                self.strike()
                self.replace(waiting)
            except BaseException as error:
                self.undo()
                if isinstance(error, OSError):
                    raise self.refused(error) from error
                raise
            try:
                removed = self.remove(stale)
            except OSError as error:
                raise self.refused(error) from error
        return Published(tuple(item.public_path for item in wanted), tuple(removed), True)

    def refused(self, error: OSError) -> AssetbuildError:
        if error.errno in _DENIED:
            return _unusable(self.display, error)
        reason = error.strerror or str(error)
        where = f" ({os.path.relpath(os.fsdecode(error.filename), self.output)})" if error.filename else ""
        hint = "free some space and run it again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "run it again"
        return BuildError(Problem(self.display, 0, 0, f"the artifact could not be written: {reason}{where}", hint))

    def exists(self, public_path: str) -> bool:
        return os.path.lexists(self.path(public_path))

    def clear(self, leftovers: Collection[str]) -> None:
        """What an unfinished build left goes first: no manifest names it, so nobody reads it and nothing trusts it."""
        if self.exists(treaty.JOURNAL):
            self.unlink(leftovers)
            os.unlink(self.path(treaty.JOURNAL))
        if self.exists(treaty.JOURNAL + "~"):  # One that was not written to its end.
            os.unlink(self.path(treaty.JOURNAL + "~"))

    # What is there already

    def to_write(self, ours: Collection[str]) -> list[Item]:
        """The items that are not there yet, whole and ours. Raises ConfigError naming every file in the way."""
        in_the_way = []
        wanted = []
        looked_at = set[str]()
        for item in self.items:
            path = item.public_path
            for folder in folders_of(path):
                if folder not in looked_at:
                    looked_at.add(folder)
                    self.folders.add(folder)
                    mode = os.lstat(self.path(folder)).st_mode if self.exists(folder) else stat.S_IFDIR | FOLDER_MODE
                    if not stat.S_ISDIR(mode):
                        in_the_way.append(folder)
                    elif mode & 0o700 != 0o700:
                        self.mend_mode(folder)  # Else nobody knows what is in it.
            if not self.exists(path):
                wanted.append(item)
            elif path not in ours or not stat.S_ISREG(os.lstat(self.path(path)).st_mode):
                in_the_way.append(path)
            elif not self.whole(item):
                wanted.append(item)
        if in_the_way:
            raise _in_the_way(self.display, ", ".join(sorted(set(in_the_way))))
        return wanted

    def whole(self, item: Item) -> bool:
        return whole(self.path(item.public_path), item.digest, item.size, self.epoch)

    def metadata_right(self, public_path: str) -> bool:
        return _metadata_right(os.lstat(self.path(public_path)), self.epoch)

    # Folders; the output is ""

    def folders_right(self) -> bool:
        return all(self.mode_right(folder) and self.time_right(folder) for folder in ("", *self.folders))

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
        if self.epoch is not None and not self.time_right(folder):
            os.utime(self.path(folder), (self.epoch, self.epoch))

    # Writing

    def write(self, wanted: Sequence[Item], stale: Iterable[str]) -> list[tuple[str, str]]:
        """Write every file that is wanted; (name it waits under, name it will have) for those whose name is in use."""
        waiting = []
        targets = []
        for number, item in enumerate(wanted):
            target = item.public_path
            if self.exists(target):
                target = WAITING.format(number)
                waiting.append((target, item.public_path))
            targets.append(target)
        manifest_waits = WAITING.format("manifest")
        # What is to be removed stands in it too: once the new manifest is in place, nothing else names those files.
        replaced = (REPLACED.format(number) for number in range(len(waiting)))
        self.write_journal([*targets, *replaced, manifest_waits, *stale])
        for folder in ("", *self.folders):
            if self.exists(folder):
                self.mend_mode(folder)
        for done, (item, target) in enumerate(zip(wanted, targets, strict=True)):
            self.make_folders(target)
            self.write_file(target, item)
            self.strike()
            self.progress(done + 1, len(wanted))
        data = self.manifest
        self.write_file(manifest_waits, Item(manifest_waits, hashlib.sha256(data).hexdigest(), len(data), lambda: (data,)))
        waiting.append((manifest_waits, treaty.NAME))
        self.sync()
        return waiting

    def write_journal(self, names: Iterable[str]) -> None:
        text = "".join(f"{name}\n" for name in (JOURNAL_HEAD, *names)).encode()
        temporary = self.path(treaty.JOURNAL + "~")
        self.created.append(treaty.JOURNAL + "~")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        with open(descriptor, "wb", buffering=0) as file:
            file.write(text)
            if self.lasting:
                os.fsync(descriptor)
            if self.epoch is not None:
                os.utime(descriptor, (self.epoch, self.epoch))
                if os.fstat(descriptor).st_mtime_ns != self.epoch * 1_000_000_000:
                    what = f"SOURCE_DATE_EPOCH: the file system of {self.display} cannot hold the time {self.epoch}"
                    raise ConfigError(Problem("", 0, 0, what, "name one that is nearer to now"))
        self.created[-1:] = [treaty.JOURNAL, treaty.JOURNAL + "~"]
        os.rename(temporary, self.path(treaty.JOURNAL))
        self.sync_folder()

    def make_folders(self, public_path: str) -> None:
        folder = public_path.rpartition("/")[0]
        if folder in self.made:
            return
        self.made.add(folder)
        for folder in folders_of(public_path):
            path = self.path(folder)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, FOLDER_MODE)
                self.created_folders.add(folder)
                os.chmod(path, FOLDER_MODE)

    def write_file(self, target: str, item: Item) -> None:
        sha = hashlib.sha256()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        # Noted first: an interrupt may come as soon as it is there.
        self.created.append(target)
        try:
            descriptor = os.open(self.path(target), flags, FILE_MODE)
        except FileExistsError:
            self.created.pop()
            raise
        with open(descriptor, "wb", buffering=0) as file:
            for piece in from_source(item):
                self.strike()
                sha.update(piece)
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
            os.fchmod(descriptor, FILE_MODE)
            if self.epoch is not None:
                os.utime(descriptor, (self.epoch, self.epoch))
        if sha.hexdigest() != item.digest:
            shown = item.shown or item.public_path
            raise BuildError(Problem(shown, 0, 0, "this changed during the build", "run it again"))

    def replace(self, waiting: Sequence[tuple[str, str]]) -> None:
        """The names in use, and last of all the manifest, get their new bytes."""
        self.replacing = True
        for number, (_, name) in enumerate(waiting[:-1]):
            self.replaced.append((REPLACED.format(number), name))
            try:
                os.link(self.path(name), self.path(REPLACED.format(number)))
            except OSError:  # A file system without hard links has no way back.
                self.replaced.pop()
        for source, target in waiting:
            os.rename(self.path(source), self.path(target))
        self.sync_folder()

    def undo(self) -> None:
        """After a failure: what this run made goes and what it replaced comes back, as far as the system lets it.

        Once the new manifest is in place there is nothing to undo: the artifact is the new one, whole, and the journal stays
        to tell the next build of what is still to be removed.
        """
        manifest_waits = WAITING.format("manifest")
        if self.replacing and not self.exists(manifest_waits):
            return
        for old, name in self.replaced:
            with contextlib.suppress(OSError):
                os.rename(self.path(old), self.path(name))
                os.unlink(self.path(old))  # Where both are one file still, renaming does nothing.
        for name in reversed(self.created):
            with contextlib.suppress(OSError):
                os.unlink(self.path(name))
        self.remove_empty_folders(self.created_folders)

    def remove(self, stale: Sequence[str]) -> list[str]:
        self.unlink([old for old, _ in self.replaced])
        removed = self.unlink(stale)
        for folder in self.folders:
            self.mend_time(folder)
        os.unlink(self.path(treaty.JOURNAL))
        self.mend_time("")
        self.sync_folder()
        return removed

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

    # Onto the disk

    def sync(self) -> None:
        """All that was written reaches the disk, by one call for the file system and not one a file."""
        if not self.lasting:
            return
        descriptor = os.open(self.output, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _syncfs(descriptor)
        finally:
            os.close(descriptor)

    def sync_folder(self) -> None:
        if not self.lasting:
            return
        descriptor = os.open(self.output, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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


def from_source(item: Item) -> Iterator[bytes]:
    """The item's pieces. Raises BuildError where they cannot be read: that is no fault of the output folder's."""
    try:
        yield from item.pieces()
    except OSError as error:
        what = "disappeared" if isinstance(error, FileNotFoundError) else f"could no longer be read ({error.strerror})"
        file = item.shown or (os.path.relpath(os.fsdecode(error.filename)) if error.filename else item.public_path)
        raise BuildError(Problem(file, 0, 0, f"this file {what} during the build", "run it again")) from error


def _syncfs(descriptor: int) -> None:
    """syncfs(2) where the C library has it: one file system, and unlike sync(2) it tells of write errors."""
    import ctypes  # Slow to import; only a build that wrote something comes here.

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
    elif libc.syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def folders_of(public_path: str) -> list[str]:
    """`a/b/c.css` → `a`, `a/b`."""
    parts = public_path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]
