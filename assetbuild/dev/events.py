"""What the system tells of files while `watch` runs: that something happened, and to which paths. It may tell too little, and
too much; what changed is found by looking."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assetbuild.config import Config

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

#: Seconds without an event after which a save has ended, while no more than FEW paths were named: where the system told that
#: the file was closed, and where it did not, though inotify does in the end. Those after which a burst has (a checkout, an
#: editor's dance of renames); and at most.
CLOSED, SAVE, QUIET, LONGEST = 0.002, 0.1 if sys.platform == "linux" else 0.005, 0.05, 1.0
FEW = 4


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
        while (left := deadline - time.monotonic()) > 0:
            if self._woken.wait(min(left, 0.2) if process else left):
                return True
            if process and process.poll() is not None:
                return False
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


def places(config: Config) -> tuple[tuple[str, int], ...]:
    """The folders to observe, as they are now: a folder that was made again is another one."""
    found = []
    for root in sorted({os.path.realpath(root) for root in config.sources}):
        try:
            found.append((root, os.stat(root).st_ino))
        except OSError:
            found.append((root, 0))
    return tuple(found)


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
            paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
            if paths := [path for path in paths if path == self.only or not (self.only or path.startswith(output))]:
                events.tell(*paths, folder=event.is_directory, unclosed=event.event_type in ("created", "modified"))

    # It warns, in words that mean nothing to a user, of folders that were moved away and back.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
    observer = Observer()
    try:
        handler = Handler()
        for root in sorted(filter(os.path.isdir, roots)):  # One that is missing is another one when it comes: see `places`.
            observer.schedule(handler, root, recursive=True)
        # The configuration may be a link, and what it leads to is written.
        for file in sorted({str(config.file), os.path.realpath(config.file)}) if config.file else ():
            if not any(file.startswith(root + os.sep) for root in roots):
                # Bundles that come from elsewhere may change with any file.
                observer.schedule(Handler("" if elsewhere else file), os.path.dirname(file))
        observer.start()
    except OSError as error:
        observer.stop()
        yield error.strerror or str(error)
        return
    try:
        yield ""
    finally:
        observer.stop()
        observer.join()
