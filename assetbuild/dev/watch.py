"""Builds, and builds again after every change. An event only wakes the builder, which finds out by itself what has changed:
what the system did not tell, or told twice, makes no difference. While something is wrong the last good artifact stays."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assetbuild import changes, interrupts
from assetbuild.adopt import adopt
from assetbuild.cache import Cache, opened
from assetbuild.compile import build
from assetbuild.config import Config
from assetbuild.dev import live
from assetbuild.errors import AssetbuildError, Problem
from assetbuild.index import Asset, Index
from assetbuild.result import Order, Result

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

#: Seconds without an event after which a burst (a checkout, an editor's dance of renames) has ended, and at most.
QUIET, LONGEST = 0.02, 0.5
#: Seconds between two looks for what no event told; at least, and in lengths of such a look.
LOOK, LOOKS = 2.0, 20
#: The same where there are no events at all.
POLL, POLLS = 0.3, 4
#: Seconds that a command may take to end.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A build that changed something. sources: what was different, as paths below the roots, sorted; seconds: on the wall."""

    result: Result
    sources: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told: of a rebuild, of what is wrong, and of what there is to know."""

    rebuilt: Callable[[Rebuild], object]
    failed: Callable[[Sequence[Problem]], object]
    note: Callable[[str], object]


def watch(
    load: Callable[[], Config],
    audience: Audience,
    *,
    poll: bool = False,
    jobs: int | None = None,
    server: live.LiveReload | None = None,
    command: Sequence[str] = (),
) -> int:
    """Build until told to end. load: reads the configuration; poll: without events; server: tells browsers; command: runs
    beside it, and its end is the end. Returns the exit status: the command's own, or 0.

    Raises ConfigError where the first configuration is wrong, and KeyboardInterrupt and Terminated.
    """
    config = load()
    woken = threading.Event()
    builder = _Builder(load, audience, jobs, server)
    with contextlib.ExitStack() as stack:
        if server is not None:
            server.start()
            stack.callback(server.stop)
        events = not poll and stack.enter_context(_events(config, woken, audience.note))
        builder.build()
        process = stack.enter_context(_beside(command)) if command else None
        while process is None or process.poll() is None:
            rest = max(LOOK, LOOKS * builder.took) if events else max(POLL, POLLS * builder.took)
            if _wait(woken, rest, process):
                _settle(woken)
            builder.build()
        status = process.returncode
        return 128 - status if status < 0 else status


def _wait(woken: threading.Event, seconds: float, process: subprocess.Popen[bytes] | None) -> bool:
    """Whether an event came; False after that time, or when the command ended."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if woken.wait(min(left, 0.2) if process else left):
            return True
        if process and process.poll() is not None:
            return False
    return False


def _settle(woken: threading.Event) -> None:
    """Wait for the end of a burst. What comes after that wakes the builder again."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        woken.clear()
        if not woken.wait(QUIET):
            break
    woken.clear()


class _Builder:
    """took: seconds of the last build that found nothing to do, or of the first."""

    def __init__(
        self, load: Callable[[], Config], audience: Audience, jobs: int | None, server: live.LiveReload | None
    ) -> None:
        self.load = load
        self.audience = audience
        self.jobs = jobs
        self.server = server
        self.known: Index | None = None
        self.told: tuple[Problem, ...] = ()
        self.took = 0.0

    def build(self) -> None:
        started = time.monotonic()
        before = self.known
        try:
            result = self.built()
        except AssetbuildError as error:
            if error.problems != self.told:
                self.told = error.problems
                self.audience.failed(error.problems)
                if self.server:
                    self.server.failed(error.problems)
            return
        seconds = time.monotonic() - started
        mended = bool(self.told)
        self.told = ()
        if result.unchanged:
            self.took = seconds
        if before is None or mended or not result.unchanged:
            assert self.known is not None
            self.audience.rebuilt(Rebuild(result, _different(before, self.known), seconds))
            if self.server:
                self.server.rebuilt(live.Changes(result.digest, _replaced(before, self.known)))

    def built(self) -> Result:
        adopted = adopt(replace(self.load(), mode="development", compress=()))
        config = adopted.config
        found = opened(str(config.cache_dir))
        cache = found if isinstance(found, Cache) else None
        keys = {"live_reload": self.server.url} if self.server else {}
        order = Order(config, cache, (), adopted.warnings, self.jobs, keys=keys, lasting=False)
        known = self.known
        if known is not None and changes.environment(config, (), known.surface.tools) != known.surface.key:
            known = None
        built = build(order, known)
        self.known = built.index
        return built.result


def _different(before: Index | None, now: Index) -> tuple[str, ...]:
    looks = before.surface.looks if before else {}
    seen = now.surface.looks
    return tuple(sorted({key.partition("/")[2] for key in looks.keys() | seen.keys() if looks.get(key) != seen.get(key)}))


def _replaced(before: Index | None, now: Index) -> Mapping[str, tuple[str | None, str | None]]:
    """Public paths before and after, by logical path, of what has another one."""
    earlier, later = _records(before), _records(now)
    changed = [path for path in earlier.keys() | later.keys() if earlier.get(path) != later.get(path)]
    names = {path: (_name(earlier.get(path)), _name(later.get(path))) for path in changed}
    return {path: (old, new) for path, (old, new) in names.items() if old != new}


def _records(index: Index | None) -> Mapping[str, str]:
    depth = index.depth() if index else None
    return depth.records if depth else {}


def _name(record: str | None) -> str | None:
    return Asset.of(record).files[0].path if record is not None else None


@contextlib.contextmanager
def _events(config: Config, woken: threading.Event, note: Callable[[str], object]) -> Iterator[bool]:
    """Events of the sources and the configuration wake; False where the system has none to give."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    output = str(config.output)

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            # That a file was read is no change.
            if event.event_type not in ("opened", "closed_no_write") and not str(event.src_path).startswith(output + os.sep):
                woken.set()

    observer = Observer()
    try:
        handler = Handler()
        roots = {os.path.realpath(root) for root in config.sources}
        for root in sorted(roots):
            observer.schedule(handler, root, recursive=True)
        if config.file and not any(str(config.file).startswith(root + os.sep) for root in roots):
            observer.schedule(handler, str(config.file.parent))
        observer.start()
    except OSError as error:
        note(f"no events of files are to be had ({error.strerror}): looking every {POLL:g} s instead")
        yield False
        return
    try:
        yield True
    finally:
        observer.stop()
        observer.join()


@contextlib.contextmanager
def _beside(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs meanwhile, in a process group of its own, and is told to end at the end."""
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        raise AssetbuildError(f"{command[0]} cannot be run: {error.strerror}") from error
    try:
        yield process
    except BaseException as reason:
        number = reason.number if isinstance(reason, interrupts.Terminated) else signal.SIGINT
        _end(process, number)
        raise


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
