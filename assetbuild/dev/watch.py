"""Builds, and builds again after every change. An event only wakes the builder, which finds out by itself what has changed:
what the system did not tell, or told twice, makes no difference. While something is wrong the last good artifact stays."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assetbuild import changes, interrupts
from assetbuild.adopt import adopt
from assetbuild.cache import Cache, opened
from assetbuild.compile import build, glance
from assetbuild.config import Config
from assetbuild.dev import address, live
from assetbuild.dev.events import QUIET, Events, observed, places, settings
from assetbuild.errors import AssetbuildError, Problem
from assetbuild.filters import FilterError
from assetbuild.index import Index
from assetbuild.looks import different
from assetbuild.result import Order, Result
from assetbuild.sources import Glance

#: Seconds between two looks for what no event told; at least, and in lengths of such a look.
LOOK, LOOKS = 2.0, 20
#: The same where there are no events at all.
POLL, POLLS = 0.3, 4
#: Seconds that a command may take to end.
PATIENCE = 5.0
#: Of how many rebuilds the files stay, so that a page that was loaded a moment ago still finds its own.
REBUILDS = 5


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
    config, events = load(), Events()
    builder = _Builder(load, audience, jobs, server)
    with contextlib.ExitStack() as stack:
        if server is not None:
            _heard(server)
            stack.callback(server.stop)
            # While there is still somebody to answer pages that have it: then no page has it.
            stack.callback(lambda url: address.withdraw(builder.order.config if builder.order else config, url), server.url)
        observation = _Observation(events, audience, stack.enter_context(contextlib.ExitStack()))
        if not poll:
            observation.follow(config, config.bundles_from is not None)
        builder.build()
        process = stack.enter_context(_beside(command)) if command else None
        while process is None or process.poll() is None:
            config = builder.order.config if builder.order else config
            if not poll and observation.follow(config, builder.adopts):
                builder.build()  # What happened meanwhile, nobody told.
            rest = max(POLL, POLLS * builder.took) if poll or observation.fault else max(LOOK, LOOKS * builder.took)
            due = builder.looked + rest
            if events.wait(due - time.monotonic(), process):
                _rebuilt(builder, events, whole=time.monotonic() > due)  # There may be no moment without an event.
            else:
                builder.build()
        status = process.returncode
        return 128 - status if status < 0 else status


def _heard(server: live.LiveReload) -> None:
    """The server begins. Raises AssetbuildError."""
    try:
        server.start()
    except OSError as error:
        # Python adds where it tried to `strerror`.
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        hint = "name an address of this machine with --live-reload-host, and a port that is free with --live-reload-port"
        raise AssetbuildError(f"live reload cannot listen on {server.where}: {reason}; {hint}") from error


class _Observation:
    """What the system tells of. fault: why that is nothing, or ""."""

    def __init__(self, events: Events, audience: Audience, stack: contextlib.ExitStack) -> None:
        self.events = events
        self.audience = audience
        self.stack = stack
        self.there: object = None
        self.fault = ""

    def follow(self, config: Config, adopts: bool) -> bool:
        """Whether something else is observed from now on. adopts: whether bundles are from elsewhere."""
        now = (places(config), adopts)
        if now == self.there and not self.events.lost:
            return False
        self.stack.close()
        self.events.lost = False
        self.there = now
        self.fault = self.stack.enter_context(observed(config, self.events, adopts))
        if self.fault:
            self.audience.note(f"no events of files are to be had ({self.fault}): looking every {POLL:g} s instead")
        return True


def _rebuilt(builder: _Builder, events: Events, *, whole: bool = False) -> None:
    """whole: whether it is time to look at everything, whatever was told."""
    events.settle()
    told = events.take()
    paths = None if whole else told
    seen = builder.named(paths) if paths is not None else None
    if seen is None:
        # New or gone, or just between the two: an editor may be in the midst of a save.
        events.settle(QUIET)
        more = events.take()
        seen = builder.named(paths | more) if paths is not None and more is not None else None
    builder.build(seen)


class _Builder:
    """took: seconds of the last look: of a build that found nothing to do, or at the sources alone. looked: when the last build
    that looked at everything ended. names: public paths by logical path, as pages were told of them last.
    adopts: whether bundles are from elsewhere."""

    def __init__(
        self, load: Callable[[], Config], audience: Audience, jobs: int | None, server: live.LiveReload | None
    ) -> None:
        self.load = load
        self.audience = audience
        self.jobs = jobs
        self.server = server
        self.known: Index | None = None
        self.order: Order | None = None
        self.seen: Glance | None = None
        self.told: tuple[Problem, ...] = ()
        self.took = 0.0
        self.looked = 0.0
        self.names: Mapping[str, str] = {}
        self.begun = False
        self.adopts = False

    def named(self, paths: Iterable[str]) -> Glance | None:
        """The sources as they look now, where nothing else has happened than that some of those that are known, and that these
        paths name, were written; else None."""
        if self.seen is None or self.known is None or self.order is None or self.adopts:
            return None
        paths = frozenset(paths)
        if not paths.isdisjoint(settings(self.order.config)):
            return None
        return self.seen.again(paths)

    def build(self, seen: Glance | None = None) -> None:
        """seen: the sources as they look, where that is known."""
        try:
            self.tried(seen)
        finally:
            if seen is None:
                self.looked = time.monotonic()

    def tried(self, seen: Glance | None) -> None:
        started = time.monotonic()
        before = self.known
        try:
            result, changed = self.built(seen)
        except AssetbuildError as error:
            self.failed(error.problems)
            return
        except OSError as error:
            # Somebody took away what was being looked at: the next look begins with nothing.
            self.known = self.seen = None
            file = os.path.basename(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else ""
            self.failed((Problem(file, 0, 0, error.strerror or str(error), "it is tried again at the next look"),))
            return
        seconds = time.monotonic() - started
        mended = bool(self.told)
        self.told = ()
        if result.unchanged and seen is None:
            self.took = seconds
        if before is None or mended or not result.unchanged:
            assert self.known is not None
            self.audience.rebuilt(Rebuild(result, changed, seconds))
            if self.server:
                # Pages have what the last good build made, whatever of that was forgotten since.
                earlier, self.names = self.names, _names(self.known)
                self.server.rebuilt(live.Changes(result.digest, _replaced(earlier, self.names)))

    def failed(self, problems: tuple[Problem, ...]) -> None:
        if problems != self.told:
            self.told = problems
            self.audience.failed(problems)
            if self.server:
                self.server.failed(problems)

    def built(self, seen: Glance | None) -> tuple[Result, tuple[str, ...]]:
        """What was built, and the logical paths of the sources that look otherwise than to the build before."""
        order = self.order
        known = self.known
        sound = seen is not None and order is not None
        if seen is None or order is None:
            self.seen = None  # Should this fail, then nobody builds upon an earlier look.
            order = self.ordered()
            begun = time.monotonic()
            seen = glance(order.config)
            self.took = time.monotonic() - begun
            if known is not None and not _same(order.config, known):
                self.known = known = None  # Should the build fail, then the next one does not build upon it either.
        # Should the build fail, then what changed is different from what is known at the next one, too.
        self.order, self.seen = order, seen
        # The first build tidies up what the last session kept.
        now = order if self.begun else replace(order, config=replace(order.config, keep=0))
        built = build(now, known, seen, sound=sound)
        changed = sorted({key.partition("/")[2] for key in seen.differing(known.surface.looks if known else {})})
        self.known, self.seen, self.begun = built.index, seen.built(), True
        return built.result, tuple(changed)

    def ordered(self) -> Order:
        config = replace(self.load(), mode="development", compress=(), keep=REBUILDS, keep_days=None)
        self.adopts = config.bundles_from is not None
        adopted = adopt(config)
        found = opened(str(adopted.config.cache_dir))
        cache = found if isinstance(found, Cache) else None
        keys = {"live_reload": self.server.url} if self.server else {}
        return Order(adopted.config, cache, (), adopted.warnings, self.jobs, keys=keys, lasting=False)


def _same(config: Config, known: Index) -> bool:
    """Whether all that decides a build besides its files is what it was."""
    try:
        return changes.environment(config, (), known.surface.tools) == known.surface.key
    except FilterError:
        return False  # The build itself says what is wrong with it.


def _replaced(before: Mapping[str, str], now: Mapping[str, str]) -> Mapping[str, tuple[str | None, str | None]]:
    """Public paths before and after, by logical path, of what has another one."""
    return {path: (before.get(path), now.get(path)) for path in different(before, now)}


def _names(index: Index) -> Mapping[str, str]:
    depth = index.depth()
    return depth.records.names if depth else {}


@contextlib.contextmanager
def _beside(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs meanwhile, with the terminal that this has, and is told to end at the end."""
    process = None
    try:
        with interrupts.held():  # A signal that comes as it starts finds it known, so that it is told to end too.
            try:
                process = subprocess.Popen(command)
            except OSError as error:
                raise AssetbuildError(f"{command[0]} cannot be run: {error.strerror}") from error
        yield process
    except BaseException as reason:
        if process is None:
            raise
        number = reason.number if isinstance(reason, interrupts.Terminated) else signal.SIGINT
        _end(process, number)
        raise


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        # Ctrl-C reaches all that a terminal has in front, and a server that hears it twice leaves its work undone.
        if process.poll() is None and not (number == signal.SIGINT and _in_front()):
            process.send_signal(number)
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    except BaseException:  # Asked once more.
        process.kill()
        process.wait()
        raise


def _in_front() -> bool:
    """Whether a terminal sends its signals here."""
    try:
        return bool(os.tcgetpgrp(0) == os.getpgrp())
    except OSError:
        return False
