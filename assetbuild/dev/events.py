"""What the system tells of files while `watch` runs: that something happened, and to which paths. It may tell too little, and
too much; what changed is found by looking."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assetbuild.config import NAME, PYPROJECT, Config

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

#: Seconds without an event after which a save has ended, while no more than FEW paths were named: where the system told that
#: the file was closed, and where it did not, though inotify does in the end. Those after which a burst has (a checkout, an
#: editor's dance of renames); and at most.
CLOSED, SAVE, QUIET, LONGEST = 0.002, 0.1 if sys.platform == "linux" else 0.005, 0.05, 1.0
FEW = 4

_LIMIT = "the limit fs.inotify.max_user_watches is reached"
_ROOT_GOES = 0x400  # IN_DELETE_SELF, of inotify(7)


class Events:
    """What was told since it was last asked for; any thread may tell. lost: whether a root went, and its events with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._paths: set[str] = set()
        self._unclosed: set[str] = set()
        self._folders = False
        self.lost = False

    def tell(self, *paths: str, folder: bool = False, unclosed: bool = True) -> None:
        """Something happened to these. folder: to a whole folder. unclosed: whether somebody may be writing still."""
        with self._lock:
            self._paths.update(paths)
            (self._unclosed.update if unclosed else self._unclosed.difference_update)(paths)
            self._folders = self._folders or folder
        self._woken.set()

    def wait(self, seconds: float, process: subprocess.Popen[bytes] | None) -> bool:
        """Whether anything was told; False after that time, or when the process ended."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(0.0, deadline - time.monotonic())
            if self._woken.wait(min(left, 0.2) if process else left):
                return True
            if not left or (process and process.poll() is not None):
                return False

    def settle(self, quiet: float = 0) -> None:
        """Wait for the end of a save or a burst. quiet: seconds without an event, at the least. What comes after that wakes the
        builder again."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            self._woken.clear()
            enough = QUIET if len(self._paths) > FEW else SAVE if self._unclosed else CLOSED
            if not self._woken.wait(max(quiet, enough)):
                break

    def take(self) -> frozenset[str] | None:
        """The paths since the last time; None where they do not say all."""
        with self._lock:
            self._woken.clear()
            paths = None if self._folders else frozenset(self._paths)
            self._paths, self._unclosed, self._folders = set(), set(), False
        return paths


def settings(config: Config) -> frozenset[str]:
    """The files that the configuration is in, or would be, and what a link in their place leads to."""
    files = [config.file] if config.file else [config.folder / NAME, config.folder / PYPROJECT]
    return frozenset((*map(str, files), *map(os.path.realpath, files)))


def places(config: Config) -> tuple[tuple[str, int], ...]:
    """What is observed: roots, and files of the configuration, each with its folder as it is now: one that was made again is
    another one."""
    observed = {os.path.realpath(root): os.path.realpath(root) for root in config.sources}
    observed |= {file: os.path.dirname(file) for file in settings(config)}
    found = []
    for path, folder in sorted(observed.items()):
        try:
            found.append((path, os.stat(folder).st_ino))
        except OSError:
            found.append((path, 0))
    return tuple(found)


def exhausted() -> str:
    """Why the system would observe no further folder, or "": where it refuses one below a root, watchdog says nothing."""
    if sys.platform != "linux":
        return ""
    system = ctypes.CDLL(None, use_errno=True)
    descriptor = system.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        return ""
    with open(descriptor, "rb"):
        refused = system.inotify_add_watch(descriptor, b"/", _ROOT_GOES) < 0
        return _LIMIT if refused and ctypes.get_errno() == errno.ENOSPC else ""


@contextlib.contextmanager
def observed(config: Config, events: Events, elsewhere: bool = False) -> Iterator[str]:
    """The sources and the configuration are observed. elsewhere: whether bundles come from another file, or from code.
    Yields "", or why the system has no events to give."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    output = str(config.output) + os.sep
    roots = {os.path.realpath(root) for root in config.sources}

    class Handler(FileSystemEventHandler):
        """only: the one file that matters of a folder; "" for all."""

        def __init__(self, only: str = "") -> None:
            self.only = only

        def on_any_event(self, event: FileSystemEvent) -> None:
            # That a file was read is no change; that a folder is other than it was is told of what is in it, too.
            if event.event_type in ("opened", "closed_no_write") or (event.is_directory and event.event_type == "modified"):
                return
            if event.is_directory and event.event_type in ("deleted", "moved") and os.fsdecode(event.src_path) in roots:
                events.lost = True
            if event.is_directory and event.event_type == "created" and exhausted():
                events.lost = True  # And all that happens in the new one.
            paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
            if paths := [path for path in paths if path == self.only or not (self.only or path.startswith(output))]:
                events.tell(*paths, folder=event.is_directory, unclosed=event.event_type in ("created", "modified"))

    # It warns, in words that mean nothing to a user, of folders that were moved away and back, and of events that were lost.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
    logging.getLogger("watchdog").addHandler(logging.NullHandler())
    observer = Observer()
    try:
        handler = Handler()
        for root in sorted(filter(os.path.isdir, roots)):  # One that is missing is another one when it comes: see `places`.
            observer.schedule(handler, root, recursive=True)
        for file in sorted(settings(config)):
            if not any(file.startswith(root + os.sep) for root in roots):
                # Bundles that come from elsewhere may change with any file.
                observer.schedule(Handler("" if elsewhere else file), os.path.dirname(file))
        observer.start()
        if fault := exhausted():
            raise OSError(errno.ENOSPC, fault)
    except OSError as error:
        observer.stop()
        if observer.is_alive():
            observer.join()
        yield _LIMIT if error.errno == errno.ENOSPC else error.strerror or str(error)
        return
    try:
        yield ""
    finally:
        observer.stop()
        observer.join()
