"""A publication's steps, each so that what was begun can be undone: the journal, the files, the names, the removal."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from assetbuild.errors import BuildError, ConfigError, Problem
from assetbuild.names import folders_of
from assetbuild.publish.item import Item, from_source
from assetbuild.publish.owner import JOURNAL_HEAD
from assetbuild.publish.place import FILE_MODE, FOLDER_MODE, Place
from assetbuild.runtime import manifest as treaty

#: Where new bytes for a name that is in use wait, beside the manifest: same file system, and a name that nothing serves.
WAITING = ".assetbuild-new-{}"
#: Where the old bytes of such a name stay until the new manifest is in place, so that a failure can bring them back.
REPLACED = ".assetbuild-old-{}"
#: Up to so many files are brought onto the disk each for itself.
FEW = 8
#: For so many files another thread is worth its while.
SHARE = 200
#: Seconds after which a thread that waits for others looks whether it is to end.
PATIENCE = 0.05


class _StoppedError(Exception):
    """Another thread has failed."""


def clear(place: Place, leftovers: Collection[str]) -> None:
    """What an unfinished build left goes first: no manifest names it, so nobody reads it and nothing trusts it."""
    if place.exists(treaty.JOURNAL):
        place.unlink(leftovers)
        os.unlink(place.path(treaty.JOURNAL))
    if place.exists(treaty.JOURNAL + "~"):  # One that was not written to its end.
        os.unlink(place.path(treaty.JOURNAL + "~"))


class Writing:
    """What one build does to the folder. folders: of what is written and what goes. lasting: whether the disk is waited for.
    jobs: threads at most."""

    def __init__(
        self,
        place: Place,
        folders: Collection[str],
        *,
        display: str,
        progress: Callable[[int, int], None],
        lasting: bool,
        jobs: int,
    ) -> None:
        self.place = place
        self.folders = folders
        self.display = display
        self.progress = progress
        self.lasting = lasting
        self.jobs = jobs
        self.created: list[str] = []
        #: (where its old bytes stay, name) of each name in use that got new ones.
        self.replaced: list[tuple[str, str]] = []
        #: Where a signal that came may strike.
        self.strike: Callable[[], None] = lambda: None
        #: The number of the first file that went wrong, and how.
        self.failed = sys.maxsize
        self.failure: BaseException | None = None
        self.lock = threading.Lock()
        #: Whether everything is written and waits for its name, the manifest too.
        self.replacing = False
        self.created_folders: set[str] = set()
        #: Folders that are there by now.
        self.made: set[str] = {""}

    def write(self, wanted: Sequence[Item], stale: Iterable[str], manifest: bytes) -> list[tuple[str, str]]:
        """Write every file that is wanted; (name it waits under, name it will have) for those whose name is in use."""
        waiting = []
        targets = []
        for number, item in enumerate(wanted):
            target = item.public_path
            if self.place.exists(target):
                target = WAITING.format(number)
                waiting.append((target, item.public_path))
            targets.append(target)
        manifest_waits = WAITING.format("manifest")
        # What is to be removed stands in it too: once the new manifest is in place, nothing else names those files.
        replaced = (REPLACED.format(number) for number in range(len(waiting)))
        self.write_journal([*targets, *replaced, manifest_waits, *stale])
        for folder in ("", *self.folders):
            if self.place.exists(folder):
                self.place.mend_mode(folder)
        for target in targets:
            self.make_folders(target)
        self.write_files(wanted, targets)
        self.write_pieces(manifest_waits, (manifest,), size=0 if self.lasting else len(manifest))
        waiting.append((manifest_waits, treaty.NAME))
        self.sync([*targets, manifest_waits])
        return waiting

    def write_journal(self, names: Iterable[str]) -> None:
        text = "".join(f"{name}\n" for name in (JOURNAL_HEAD, *names)).encode()
        temporary = self.place.path(treaty.JOURNAL + "~")
        self.created.append(treaty.JOURNAL + "~")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        with open(descriptor, "wb", buffering=0) as file:
            file.write(text)
            if self.lasting:
                os.fsync(descriptor)
            if self.place.epoch is not None:
                os.utime(descriptor, (self.place.epoch, self.place.epoch))
                if os.fstat(descriptor).st_mtime_ns != self.place.epoch * 1_000_000_000:
                    what = f"SOURCE_DATE_EPOCH: the file system of {self.display} cannot hold the time {self.place.epoch}"
                    raise ConfigError(Problem("", 0, 0, what, "name one that is nearer to now"))
        self.created[-1:] = [treaty.JOURNAL, treaty.JOURNAL + "~"]
        os.rename(temporary, self.place.path(treaty.JOURNAL))
        self.sync_folder()

    def make_folders(self, public_path: str) -> None:
        folder = public_path.rpartition("/")[0]
        if folder in self.made:
            return
        self.made.add(folder)
        for folder in folders_of(public_path):
            path = self.place.path(folder)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, FOLDER_MODE)
                self.created_folders.add(folder)
                os.chmod(path, FOLDER_MODE)

    def write_files(self, wanted: Sequence[Item], targets: Sequence[str]) -> None:
        """In threads, where there are many: what the system does, and the hashes, needs no lock of the interpreter's."""
        numbers = iter(range(len(wanted)))  # Each goes to one thread.
        done = 0

        def work(step: Callable[[int], None]) -> None:
            nonlocal done
            number = -1
            try:
                for number in numbers:
                    self.write_file(targets[number], wanted[number], lambda: step(number))  # noqa: B023 (called before the next)
                    with self.lock:
                        done += 1
                    step(number)
            except _StoppedError:
                pass
            except BaseException as error:
                self.fail(number if isinstance(error, Exception) else -1, error)

        def heard(number: int) -> None:
            """In this thread: only here signals are heard, and people told."""
            self.pause(number)
            self.strike()
            self.progress(done, len(wanted))

        helpers = []
        for _ in range(min(self.jobs, len(wanted) // SHARE) - 1):
            helper = threading.Thread(target=work, args=(self.pause,))
            with contextlib.suppress(RuntimeError):  # There are as many as the system lets it have.
                helper.start()
                helpers.append(helper)
        work(heard)
        for helper in helpers:
            while helper.is_alive():
                try:
                    helper.join(PATIENCE)
                    self.strike()
                except BaseException as error:
                    self.fail(-1, error)
        if self.failure is not None:
            raise self.failure
        self.progress(len(wanted), len(wanted))

    def pause(self, number: int) -> None:
        """Between two steps of a thread's, at the file of this number. Those before one that failed are still written: they may
        fail too, and the first of all is told."""
        if self.failed < number:
            raise _StoppedError

    def fail(self, number: int, error: BaseException) -> None:
        """number: of the file with which that went wrong; -1: what asks the program to end goes before all of these."""
        with self.lock:
            if number < self.failed:
                self.failed, self.failure = number, error

    def write_file(self, target: str, item: Item, step: Callable[[], None]) -> None:
        sha = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for piece in from_source(item):
                step()
                sha.update(piece)
                yield piece

        self.write_pieces(target, hashed())
        if sha.hexdigest() != item.digest:
            shown = item.shown or item.public_path
            raise BuildError(Problem(shown, 0, 0, "this changed during the build", "run it again"))

    def write_pieces(self, target: str, pieces: Iterable[bytes], size: int = 0) -> None:
        """size: bytes for which room is made beforehand. Else ext4 brings a file onto the disk in the moment in which it is
        renamed over another, whether anybody waits for that or not (auto_da_alloc in ext4(5))."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        # Noted first: an interrupt may come as soon as it is there.
        self.created.append(target)
        try:
            descriptor = os.open(self.place.path(target), flags, FILE_MODE)
        except FileExistsError:
            self.created.remove(target)
            raise
        with open(descriptor, "wb", buffering=0) as file:
            if size and hasattr(os, "posix_fallocate"):
                with contextlib.suppress(OSError):  # Not every file system can.
                    os.posix_fallocate(descriptor, 0, size)
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
            os.fchmod(descriptor, FILE_MODE)
            if self.place.epoch is not None:
                os.utime(descriptor, (self.place.epoch, self.place.epoch))

    def replace(self, waiting: Sequence[tuple[str, str]]) -> None:
        """The names in use, and last of all the manifest, get their new bytes."""
        self.replacing = True
        for number, (_, name) in enumerate(waiting[:-1]):
            self.replaced.append((REPLACED.format(number), name))
            try:
                os.link(self.place.path(name), self.place.path(REPLACED.format(number)))
            except OSError:  # A file system without hard links has no way back.
                self.replaced.pop()
        for source, target in waiting:
            os.rename(self.place.path(source), self.place.path(target))
        self.sync_folder()

    def undo(self) -> None:
        """After a failure: what this run made goes and what it replaced comes back, as far as the system lets it.

        Once the new manifest is in place there is nothing to undo: the artifact is the new one, whole, and the journal stays
        to tell the next build of what is still to be removed.
        """
        manifest_waits = WAITING.format("manifest")
        if self.replacing and not self.place.exists(manifest_waits):
            return
        for old, name in self.replaced:
            with contextlib.suppress(OSError):
                os.rename(self.place.path(old), self.place.path(name))
                os.unlink(self.place.path(old))  # Where both are one file still, renaming does nothing.
        for name in reversed(self.created):
            with contextlib.suppress(OSError):
                os.unlink(self.place.path(name))
        self.place.remove_empty_folders(self.created_folders)

    def remove(self, stale: Sequence[str]) -> list[str]:
        self.place.unlink([old for old, _ in self.replaced])
        removed = self.place.unlink(stale)
        for folder in self.folders:
            self.place.mend_time(folder)
        os.unlink(self.place.path(treaty.JOURNAL))
        self.place.mend_time("")
        self.sync_folder()
        return removed

    # Onto the disk

    def sync(self, written: Sequence[str]) -> None:
        """All that was written reaches the disk: few files, and the folders that they are new in, each for itself; many by one
        call for the file system, which waits for whatever others have written to it too."""
        if len(written) > FEW:
            self.wait_for("", _syncfs)
            return
        folders = {name.rpartition("/")[0] for name in (*written, *self.created_folders)}
        for name in (*written, *sorted(folders)):
            self.wait_for(name, os.fsync)

    def sync_folder(self) -> None:
        self.wait_for("", os.fsync)

    def wait_for(self, name: str, call: Callable[[int], None]) -> None:
        """Open a file or a folder for this call, where the disk is to be waited for."""
        if not self.lasting:
            return
        descriptor = os.open(self.place.path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            call(descriptor)
        finally:
            os.close(descriptor)


def _syncfs(descriptor: int) -> None:
    """syncfs(2) where the C library has it: one file system, and unlike sync(2) it tells of write errors."""
    import ctypes  # Slow to import; only a build that wrote something comes here.

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
    elif libc.syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
