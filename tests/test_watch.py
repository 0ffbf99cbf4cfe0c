"""assetbuild watch: after every change the artifact is what a build makes; what is wrong is shown, and what was good stays."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pty
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assetbuild import config as configuration
from assetbuild import interrupts, publish
from assetbuild.compile import build, glance
from assetbuild.dev import address
from assetbuild.dev import events as events_module
from assetbuild.dev import watch as watch_module
from assetbuild.dev.events import CLOSED, FEW, QUIET, SAVE, Events, places
from assetbuild.dev.events import observed as observed_events
from assetbuild.dev.live import Changes, LiveReload
from assetbuild.dev.watch import LOOK, REBUILDS, Audience, _beside, _Builder
from assetbuild.dev.watch import PATIENCE as PATIENCE_OF_WATCH
from assetbuild.result import Order
from assetbuild.runtime import Assets
from assetbuild.runtime import manifest as treaty
from assetbuild.verify import verify
from tests.conftest import Project
from tests.server import free_port
from tests.test_changes import RULES, TEXTS, edited

SITE: dict[str, str | bytes] = {
    "assets/a.css": "a  { b : url(i.svg) }",
    "assets/i.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/b.js": "let  b  =  1",
}
PATIENCE = 20.0


class Watch:
    """The real command, and the documents that it prints."""

    def __init__(self, folder: Path, *words: str, within: Sequence[str] = ()) -> None:
        self.folder = folder
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ASSETBUILD_")}
        root = str(Path(configuration.__file__).parent.parent)
        self.process = subprocess.Popen(
            [*within, sys.executable, "-m", "assetbuild", "watch", "--json", *words],
            cwd=folder,
            env=environ | {"PYTHONPATH": root},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def next(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        document: dict[str, Any] = json.loads(line)
        return document

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(project: Project) -> Iterator[Callable[..., Watch]]:
    started: list[Watch] = []

    def begin(*words: str, within: Sequence[str] = ()) -> Watch:
        started.append(Watch(project.folder, *words, within=within))
        return started[-1]

    yield begin
    for one in started:
        one.process.terminate()  # Which ends the command beside it too, as a kill would not.
        one.process.communicate(timeout=PATIENCE)


def text(project: Project, path: str) -> str:
    return (project.folder / "dist" / project.public(path)).read_text()


@pytest.mark.parametrize("words", [(), ("--poll",)], ids=["events", "polling"])
def test_a_change_is_built_and_what_is_wrong_leaves_what_was_good(
    project: Project, start: Callable[..., Watch], words: tuple[str, ...]
) -> None:
    watch = start(*words) if project.write(SITE) else None
    assert watch
    first = watch.next()
    assert (first["ok"], first["files"]) == (True, 3)
    assert text(project, "b.js") == "let  b  =  1", "nothing is minified"
    assert project.manifest["mode"] == "development"
    project.write({"assets/a.css": "a  { c : d }"})
    changed = watch.next()
    assert changed["sources"] == ["a.css"]
    assert [name.split(".")[0] for name in changed["written"]] == ["a"]
    project.write({"assets/a.css": "a  { b : url(gone.svg) }"})
    failed = watch.next()
    assert not failed["ok"]
    assert failed["problems"][0]["message"] == '"gone.svg" is in no source root'
    assert text(project, "a.css") == "a  { c : d }"
    project.write({"assets/gone.svg": "<svg/>"})
    mended = watch.next()
    assert mended["ok"]
    assert mended["sources"] == ["a.css", "gone.svg"]
    assert verify(project.folder / "dist").findings == ()
    assert watch.end() == 0


ENVIRONMENT = (
    "from webassets import Bundle, Environment\nfrom bundled import FILES, mark\nenv = Environment('static', '/static')\n"
)
ENVIRONMENT += "env.register('all', Bundle(*FILES, filters=[mark], output='all.css'))\n"
BUNDLED = "FILES = ['a.css']\ndef mark(_in, out, **kw):\n    out.write(_in.read() + '/* one */')\n"


def test_an_edit_of_the_module_of_bundles_or_of_what_it_imports_is_built(project: Project, start: Callable[..., Watch]) -> None:
    # The environment's folder is no source of the configuration's: what is observed changes with it.
    files = {
        "static/a.css": "a{}",
        "static/b.css": "b{}",
        "assets/c.css": "c{}",
        "env_of_site.py": ENVIRONMENT,
        "bundled.py": BUNDLED,
    }
    project.write({"assetbuild.toml": 'bundles_from = "env_of_site:env"\n', **files})
    watch = start()
    assert watch.next()["ok"]
    assert text(project, "all.css").split() == ["a{}", "/*", "one", "*/"]
    project.write({"bundled.py": BUNDLED.replace("'a.css'", "'a.css', 'b.css'").replace("one", "two")})
    assert watch.next()["ok"]
    assert text(project, "all.css").split() == ["a{}", "b{}", "/*", "two", "*/"]
    project.write({"env_of_site.py": ENVIRONMENT.replace("all.css", "every.css")})
    assert watch.next()["ok"]
    assert "b{}" in text(project, "every.css")
    assert "all.css" not in project.manifest["assets"]


REGISTERED = """
from webassets import Bundle, Environment
from webassets.filter import Filter, register_filter
class Louder(Filter):
    name = "louder"
    def input(self, _in, out, **kw):
        out.write(_in.read().upper())
register_filter(Louder)
env = Environment("static", "/static")
env.register("all", Bundle("a.css", filters="louder", output="all.css"))
"""
NAMED = "directory: static\nfilters: [registered.Louder]\nbundles: {all: {contents: a.css, filters: louder, output: all.css}}\n"


@pytest.mark.parametrize(
    ("bundles", "file", "before", "after"),
    [
        ("registered:env", "registered.py", REGISTERED, REGISTERED.replace("register_filter(Louder)", "")),
        ("named.yml", "named.yml", NAMED, NAMED.replace("filters: [registered.Louder]\n", "")),
    ],
)
def test_a_filter_is_known_by_its_name_as_long_as_it_is_registered(
    project: Project, start: Callable[..., Watch], bundles: str, file: str, before: str, after: str
) -> None:
    project.write({"static/a.css": "a{}", "assetbuild.toml": f'bundles_from = "{bundles}"\n', "registered.py": REGISTERED})
    project.write({file: before})
    watch = start()
    assert watch.next()["ok"]
    project.write({file: after.replace("all.css", "every.css")})
    assert "louder" in str(watch.next()["problems"])
    project.write({file: before})
    assert watch.next()["ok"]
    assert text(project, "all.css") == "A{}\n"


@pytest.mark.parametrize("way", ["in place", "a new file renamed", "vim", "deleted and made"])
def test_however_an_editor_saves_one_rebuild_follows(project: Project, start: Callable[..., Watch], way: str) -> None:
    project.write(SITE)
    watch = start()
    watch.next()
    file = project.folder / "assets/a.css"
    new = "a  { e : f }"
    if way == "a new file renamed":
        other = file.with_name(".a.css.tmp")
        other.write_text(new)
        other.rename(file)
    elif way == "vim":
        (file.parent / "4913").touch()
        (file.parent / "4913").unlink()
        file.rename(file.with_name("a.css~"))
        file.write_text(new)
        file.with_name("a.css~").unlink()
    else:
        if way == "deleted and made":
            file.unlink()
        file.write_text(new)
    assert watch.next()["sources"] == ["a.css"]
    assert text(project, "a.css") == new
    assert watch.end(signal.SIGINT) == 130


def test_many_files_at_once_are_one_rebuild(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, **{f"assets/many/{n}.css": "a{}" for n in range(100)}})
    watch = start()
    watch.next()
    project.write({f"assets/many/{n}.css": f"b{{c:{n}}}" for n in range(100)})
    rebuilds = [watch.next()["sources"]]
    while sum(map(len, rebuilds)) < 100:  # The machine may stand still for longer than a burst's pauses.
        rebuilds.append(watch.next()["sources"])
    assert len(rebuilds) <= 4


def test_bundles_from_elsewhere_are_looked_at_whatever_was_written(project: Project) -> None:
    project.write({**SITE, "env_of_named.yaml": "directory: assets\nbundles:\n  all: {contents: a.css, output: all.css}\n"})
    project.write({"assetbuild.toml": 'bundles_from = "env_of_named.yaml"\n'})
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), Audience(print, print, print), 1, None)
    builder.build()
    assert builder.known
    assert builder.named([os.path.normpath(project.folder / "assets/b.js")]) is None


def test_what_events_do_not_say_is_looked_at(project: Project) -> None:
    project.write({**SITE, "assets/sub/c.css": "c{}", "assets/_p.scss": ""})
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), Audience(print, print, print), 1, None)
    builder.build()
    assets = project.folder / "assets"

    def named(*names: str) -> bool:
        return builder.named(os.path.normpath(assets / name) for name in names) is not None

    assert named("a.css", "sub/c.css", "_p.scss")
    assert named("a.css~", "4913"), "they came and went"
    project.write({"assets/a.css~": "", "assets/new.css": "", "assets/_new.scss": ""})
    assert named("a.css~"), "a backup, which is nobody's business"
    assert not named("new.css"), "it is new"
    assert not named("_new.scss"), "a filter may want it"
    assert not named("../assetbuild.toml"), "no source"
    (assets / "a.css").unlink()
    assert not named("a.css"), "it is gone"
    (assets / "a.css").mkdir()
    assert not named("a.css"), "it is a folder"
    (assets / "a.css").rmdir()
    (assets / "link.css").symlink_to("sub/c.css")
    builder.build()
    assert not named("sub/c.css"), "it has two keys"


def test_a_configuration_that_failed_is_not_forgotten_when_the_fault_is_mended(project: Project) -> None:
    project.write({"assets/a.css": "a{b:url(gone.png)}", "assets/c.css": "c  {}", "assetbuild.toml": 'missing = "ignore"'})
    told: list[object] = []
    builder = _Builder(
        lambda: configuration.load(cwd=project.folder, environ={}), Audience(told.append, told.append, told.append), 1, None
    )
    builder.build()
    filters = "from webassets.filter import Filter\nclass Louder(Filter):\n"
    filters += "    def input(self, _in, out, **kw):\n        out.write(_in.read().upper())\n"
    rules = 'missing = "error"\n[filters]\n"c.css" = ["louder:Louder"]\n'
    project.write({"assetbuild.toml": rules, "louder.py": filters})
    builder.build()
    assert builder.told
    project.write({"assets/a.css": "a{}"})
    builder.build(builder.named([str(project.folder / "assets/a.css")]))
    assert not builder.told
    assert text(project, "c.css") == "C  {}"


def test_a_configuration_inside_a_root_is_no_mere_source(project: Project) -> None:
    project.write({**SITE, "assets/assetbuild.toml": 'sources = ["."]\noutput = "../dist"\n'})
    file = str(project.folder / "assets/assetbuild.toml")
    builder = _Builder(lambda: configuration.load(file, environ={}), Audience(print, print, print), 1, None)
    builder.build()
    assert builder.named([str(project.folder / "assets/a.css")])
    assert builder.named([file]) is None


def test_files_of_earlier_rebuilds_stay_when_the_configuration_changes(project: Project) -> None:
    project.write({**SITE, "assetbuild.toml": ""})
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), Audience(print, print, print), 1, None)
    builder.build()
    first = project.folder / "dist" / project.public("b.js")
    project.write({"assets/b.js": "let other"})
    builder.build()
    project.write({"assetbuild.toml": 'exclude = ["i.svg"]\nmissing = "ignore"\n'})
    builder.build()
    assert not builder.told
    assert first.exists()


def told_of(project: Project, files: dict[str, str | bytes]) -> frozenset[str] | None:
    """The paths that the system tells of when these files are written."""
    events = Events()
    with observed_events(configuration.load(cwd=project.folder, environ={}), events) as fault:
        assert not fault
        project.write(files)
        assert events.wait(PATIENCE, None)
        events.settle(0.2)
        return events.take()


def test_of_the_folder_of_the_configuration_only_that_is_told(project: Project) -> None:
    project.write({**SITE, "assetbuild.toml": ""})
    told = told_of(project, {"other.toml": "", "assetbuild.toml": "# changed"})
    assert told == frozenset([str(project.folder / "assetbuild.toml")])


def test_whether_somebody_may_be_writing_still_is_told(project: Project) -> None:
    events = Events()
    config = configuration.load(cwd=project.write(SITE).folder, environ={})
    with observed_events(config, events), open(project.folder / "assets/a.css", "ab", 0) as file:
        file.write(b"a{}")
        wait_for(lambda: bool(events._unclosed))
        file.close()
        wait_for(lambda: not events._unclosed)
    assert events.take() == frozenset([str(project.folder / "assets/a.css")])


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


INTERRUPTED = """
import signal, sys, time
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
print("ready", flush=True)
while not heard:
    time.sleep(0.01)
time.sleep(0.5)
print("heard", len(heard), flush=True)
sys.exit(7)
"""


def test_ctrl_c_reaches_the_command_beside_it_once(project: Project) -> None:
    project.write(SITE)
    ours, theirs = pty.openpty()
    root = str(Path(configuration.__file__).parent.parent)
    command = [sys.executable, "-m", "assetbuild", "watch", "--", sys.executable, "-c", INTERRUPTED]
    # In a session of its own, whose terminal this becomes.
    entry = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", entry, *command],
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": root},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # The other end is closed by the last of the two.
        while piece := os.read(ours, 4096):
            said += piece
            if b"ready" in said:
                os.write(ours, b"\x03")
                said = said.replace(b"ready", b"")
    os.close(ours)
    process.wait(PATIENCE)
    assert b"heard 1" in said


def test_a_signal_that_comes_as_the_command_starts_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, command: list[str]) -> None:
            super().__init__(command)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt), _beside([sys.executable, "-c", "import time; time.sleep(60)"]):
        pytest.fail("it went on")
    assert started[0].returncode is not None


@pytest.mark.usefixtures("project")
def test_who_asks_twice_ends_a_command_that_does_not_listen(start: Callable[..., Watch]) -> None:
    # A signal is handled within a flush, too, and a buffer that is being flushed takes no other text: the handler has none.
    stubborn = "import os, signal, time; signal.signal(2, lambda *_: os.write(1, b'no\\n')); print(os.getpid(), flush=True)\n"
    watch = start("--", sys.executable, "-c", stubborn + "while True: time.sleep(0.1)")
    assert watch.process.stdout
    lines = [watch.process.stdout.readline() for _ in range(2)]
    (number,) = [int(line) for line in lines if line.strip().isdigit()]
    try:
        watch.process.send_signal(signal.SIGINT)
        assert watch.process.stdout.readline() == "no\n"
        watch.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert watch.process.wait(PATIENCE) == 128 + signal.SIGINT
        assert time.monotonic() - began < 0.8 * PATIENCE_OF_WATCH
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def observed(process: int) -> set[int]:
    """The inodes of which a process has asked the system for events."""
    lines = []
    for file in Path(f"/proc/{process}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            lines += [line.split() for line in file.read_text().splitlines() if line.startswith("inotify ")]
    return {int(words[2].removeprefix("ino:"), 16) for words in lines}


def test_a_root_that_goes_and_comes_back_is_observed_again(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, "other.txt": ""})
    watch = start()
    watch.next()
    root = project.folder / "assets"
    assert root.stat().st_ino in observed(watch.process.pid)
    root.rename(project.folder / "away")
    assert not watch.next()["ok"]
    project.write(SITE)
    while not watch.next()["ok"]:
        pass
    deadline = time.monotonic() + PATIENCE
    while root.stat().st_ino not in observed(watch.process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (project.folder / "away").stat().st_ino not in observed(watch.process.pid)


def test_an_overflow_of_the_event_queue_loses_nothing(project: Project, start: Callable[..., Watch]) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    project.write({**SITE, "assets/x.txt": "", "assets/y.txt": ""})
    watch = start()
    watch.next()
    watch.process.send_signal(signal.SIGSTOP)
    with open(project.folder / "assets/x.txt", "ab", 0) as one, open(project.folder / "assets/y.txt", "ab", 0) as other:
        for _ in range(limit // 2 + 100):  # One file twice in a row would be one event.
            one.write(b"x")
            other.write(b"y")
    project.write({"assets/a.css": "lost{}"})
    watch.process.send_signal(signal.SIGCONT)
    seen = set[str]()
    while "a.css" not in seen:
        seen.update(watch.next()["sources"])
    assert text(project, "a.css") == "lost{}"
    watch.end()
    assert watch.process.stderr
    assert watch.process.stderr.read() == "", "watchdog's own words"


def test_the_configuration_and_new_folders_are_watched_too(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, "assetbuild.toml": ""})
    watch = start()
    watch.next()
    project.write({"assetbuild.toml": 'base_url = "/x/"\n'})
    assert watch.next()["base_url"] == "/x/"
    project.write({"assetbuild.toml": "base_url = 1\n"})
    assert "base_url" in watch.next()["problems"][0]["message"]
    project.write({"assetbuild.toml": 'base_url = "/x/"\n'})
    assert watch.next()["ok"]
    project.write({"assets/new/deep/c.css": "c{}"})
    assert "new/deep/c.css" in watch.next()["sources"]
    (project.folder / "assets/new").rename(project.folder / "assets/old")
    assert "old/deep/c.css" in watch.next()["sources"]


def test_what_a_link_leads_to_is_looked_at_without_an_event(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, "elsewhere/t.css": "t{}", "assetbuild.toml": "follow_symlinks = true"})
    (project.folder / "assets/t.css").symlink_to(project.folder / "elsewhere/t.css")
    watch = start()
    watch.next()
    project.write({"elsewhere/t.css": "t{u:v}"})
    assert watch.next()["sources"] == ["t.css"]


def test_a_command_runs_beside_it_and_both_end_together(project: Project, start: Callable[..., Watch]) -> None:
    project.write(SITE)
    watch = start("--", sys.executable, "-c", "import sys; sys.exit(7)")
    watch.next()
    assert watch.process.wait(PATIENCE) == 7
    watch = start("--", sys.executable, "-c", "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)")
    watch.next()
    pid = project.folder / "pid"
    deadline = time.monotonic() + PATIENCE
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert watch.end() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


APP = """
from assetbuild import Assets
assets = Assets(auto_reload=True, wait=20)
word = "one"
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{word} {assets.url('a.css')}".encode()})
"""


def answer(url: str, wanted: Callable[[str], bool], meanwhile: Callable[[], object] = lambda: None) -> str:
    """What is said at last that is wanted. meanwhile: is done every second until then."""
    started = time.monotonic()
    done = 0
    while (passed := time.monotonic() - started) < PATIENCE:
        if passed >= done:
            meanwhile()
            done += 1
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=PATIENCE) as response:
            said: str = response.read().decode()
            if wanted(said):
                return said
        time.sleep(0.02)
    pytest.fail(f"{url} never said so")


def test_uvicorns_reloader_runs_beside_it_and_sees_every_manifest(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, "app.py": APP})
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    watch = start("--", sys.executable, "-m", "uvicorn", "app:app", "--reload", "--port", str(port), "--log-level", "error")
    watch.next()
    first = answer(url, bool)
    assert first == f"one /static/{project.public('a.css')}"
    project.write({"assets/a.css": "changed{}"})
    watch.next()
    second = answer(url, lambda said: said != first)
    assert second == f"one /static/{project.public('a.css')}"
    edited = {"app.py": APP.replace('"one"', '"other"')}
    # What uvicorn's first look finds, a moment after its start, it takes for what was there before: so one saves again.
    last = answer(url, lambda said: said.startswith("other"), lambda: project.write(edited))
    assert last == second.replace("one", "other")
    assert watch.end() == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


def test_a_first_configuration_that_is_wrong_ends_it(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, "assetbuild.toml": "base_url = 1\n"})
    assert start().process.wait(PATIENCE) == 2


def test_a_compile_after_it_is_for_production_again(project: Project, start: Callable[..., Watch]) -> None:
    project.write(SITE)
    watch = start("--live-reload", "--live-reload-port", "0")
    watch.next()
    assert "live_reload" in project.manifest
    watch.end()
    project.compile()
    assert project.manifest["mode"] == "production"
    assert "live_reload" not in project.manifest
    assert text(project, "b.js") == "let b=1"


def test_the_manifest_names_the_script_as_long_as_it_runs_and_the_next_one_has_its_address(
    project: Project, start: Callable[..., Watch]
) -> None:
    project.write(SITE)
    assets = None
    urls: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        watch = start("--live-reload", "--live-reload-port", "0") if not urls else start("--live-reload")
        watch.next()
        assets = assets or Assets(project.folder / "dist", auto_reload=True)
        urls.append(project.manifest["live_reload"])
        assert urls[-1] in assets.live_reload_tag()
        watch.end(number)
        assert "live_reload" not in project.manifest
        assert assets.live_reload_tag() == ""
        assert verify(project.folder / "dist").findings == ()
    assert urls[0] == urls[1]


def test_what_another_build_wrote_meanwhile_stays_as_the_script_is_withdrawn(project: Project) -> None:
    project.write(SITE).compile()
    config = configuration.load(cwd=project.folder, environ={})
    before = (config.output / "manifest.json").read_bytes()
    address.withdraw(config, "http://127.0.0.1:1/client.js?token=t")
    assert (config.output / "manifest.json").read_bytes() == before
    assert address.named(config) is None
    assert address.kept(config) == "http://127.0.0.1:1/client.js?token=t"
    shutil.rmtree(config.output)
    address.withdraw(config, "http://127.0.0.1:1/client.js?token=t")


def test_live_reload_beyond_loopback_needs_a_name_and_says_who_may_hear(project: Project, start: Callable[..., Watch]) -> None:
    project.write(SITE)
    refused = start("--live-reload-host", "0.0.0.0")
    assert refused.process.wait(PATIENCE) == 2
    assert refused.process.stdout
    assert "name the hosts by which pages may ask, with --live-reload-allow" in refused.process.stdout.read()
    watch = start("--live-reload-host", "0.0.0.0", "--live-reload-port", "0", "--live-reload-allow", "dev.test")
    watch.next()
    assert project.manifest["live_reload"].startswith("http://dev.test:")
    watch.end()
    assert watch.process.stderr
    assert "live reload listens on 0.0.0.0" in watch.process.stderr.read()


def test_the_files_of_the_last_few_rebuilds_stay_and_the_next_start_tidies_up(
    project: Project, start: Callable[..., Watch]
) -> None:
    project.write(SITE)
    watch = start()
    watch.next()
    names = [project.public("b.js")]
    for number in range(REBUILDS + 2):
        project.write({"assets/b.js": f"let b = {number}"})
        assert len(watch.next()["written"]) == 1
        names.append(project.public("b.js"))
    there = {path.name for path in (project.folder / "dist").glob("b.*.js")}
    assert there == set(names[-REBUILDS - 1 :])
    assert verify(project.folder / "dist").findings == ()
    watch.end()
    start().next()
    assert [path.name for path in (project.folder / "dist").glob("b.*.js")] == names[-1:]


@pytest.mark.parametrize("seed", range(3))
def test_after_any_edits_the_artifact_is_what_a_fresh_build_makes(
    project: Project, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assetbuild.dev.watch.REBUILDS", 0)
    dice = random.Random(seed)
    project.write({"assetbuild.toml": RULES, **{f"assets/{name}": texts[0] for name, texts in TEXTS.items()}})
    told: list[object] = []
    builder = _Builder(
        lambda: configuration.load(cwd=project.folder, environ={}), Audience(told.append, told.append, told.append), 1, None
    )
    builder.build()
    partial = 0
    for number in range(8):
        seen = builder.named(map(str, edited(dice, project.folder)))
        partial += seen is not None
        builder.build(seen)
        if builder.told:
            continue
        fresh = tmp_path / f"fresh-{number}"
        config = configuration.load(cwd=project.folder, environ={"ASSETBUILD_OUTPUT": str(fresh)})
        development = replace(config, mode="development", compress=())
        build(Order(development, None, ()), None)
        found = {p.relative_to(fresh).as_posix(): p.read_bytes() for p in sorted(fresh.rglob("*")) if p.is_file()}
        assert found == project.tree()
        assert treaty.load(fresh / "manifest.json")["mode"] == "development"
    assert told
    assert partial


def test_a_root_that_was_away_for_long_is_observed_again(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, "more/d.css": "d{}", "assetbuild.toml": 'sources = ["assets", "more"]\n'})
    watch = start()
    watch.next()
    (project.folder / "more").rename(project.folder / "away")
    while watch.next()["ok"]:
        pass
    time.sleep(2 * LOOK)  # So that it has been looked for in vain.
    assert (project.folder / "assets").stat().st_ino in observed(watch.process.pid)
    project.write({"more/d.css": "d{e:f}"})
    while not watch.next()["ok"]:
        pass
    deadline = time.monotonic() + PATIENCE
    while (project.folder / "more").stat().st_ino not in observed(watch.process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


LOUDER = """
from webassets.filter import Filter
class Louder(Filter):
    def input(self, _in, out, **kw):
        out.write(_in.read().upper())
"""


def test_a_filter_that_breaks_is_told_and_its_mending_is_seen(project: Project, start: Callable[..., Watch]) -> None:
    rules = '[filters]\n"c.css" = ["louder:Louder"]\n'
    project.write({**SITE, "assets/c.css": "c{}", "assetbuild.toml": rules, "louder.py": LOUDER})
    watch = start("--", sys.executable, "-c", "import time; time.sleep(600)")
    assert watch.next()["ok"]
    project.write({"louder.py": LOUDER + "this is broken("})
    assert "louder" in str(watch.next()["problems"])
    project.write({"louder.py": LOUDER.replace("upper", "lower"), "assets/b.js": "let other"})
    while not watch.next()["ok"]:
        pass
    assert watch.process.poll() is None
    assert text(project, "c.css") == "c{}"


@pytest.mark.parametrize("gone", ["a file", "the manifest", "all"])
def test_what_goes_while_a_build_ends_is_made_again(project: Project, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    project.write({**SITE, "assetbuild.toml": ""})
    failed: list[object] = []
    audience = Audience(print, failed.append, print)
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), audience, 1, None)
    builder.build()
    genuine = publish.publish

    def and_gone(*words: Any, **options: Any) -> object:
        published = genuine(*words, **options)
        if gone == "all":
            shutil.rmtree(project.folder / "dist")
        else:
            (project.folder / "dist" / ("manifest.json" if gone == "the manifest" else project.public("a.css"))).unlink()
        return published

    project.write({"assets/a.css": "a{}"})
    with monkeypatch.context() as patched:
        patched.setattr(publish, "publish", and_gone)
        builder.build(builder.named([str(project.folder / "assets/a.css")]))
    if gone == "the manifest":  # What is in the folder is nobody's then.
        shutil.rmtree(project.folder / "dist")
    builder.build()
    assert not failed
    assert text(project, "a.css") == "a{}"
    assert not verify(project.folder / "dist").findings


def test_an_error_of_the_system_is_told_and_tried_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write({**SITE, "assetbuild.toml": ""})
    failed: list[Any] = []
    audience = Audience(print, failed.append, print)
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), audience, 1, None)
    builder.build()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", str(project.folder / "assets"))

    with monkeypatch.context() as patched:
        patched.setattr(watch_module, "build", refuse)
        project.write({"assets/a.css": "a{}"})
        builder.build(builder.named([str(project.folder / "assets/a.css")]))
    ((problem,),) = failed
    assert "Input/output error" in problem.message
    builder.build()
    assert not builder.told
    assert text(project, "a.css") == "a{}"


def test_a_save_has_not_ended_while_the_file_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "SAVE", PATIENCE)
    monkeypatch.setattr(events_module, "LONGEST", PATIENCE)
    events = Events()
    events.tell("a.css")
    closed = threading.Timer(0.05, lambda: events.tell("a.css", unclosed=False))
    closed.start()
    events.settle()
    assert closed.finished.is_set()


def test_what_a_linked_configuration_leads_to_is_told(project: Project) -> None:
    project.write({**SITE, "elsewhere/real.toml": ""})
    (project.folder / "assetbuild.toml").symlink_to("elsewhere/real.toml")
    told = told_of(project, {"elsewhere/real.toml": "# changed", "elsewhere/other.toml": ""})
    assert told == frozenset([str(project.folder / "elsewhere/real.toml")])


def test_a_folder_that_is_moved_away_and_back_is_no_matter(project: Project, start: Callable[..., Watch]) -> None:
    project.write({**SITE, "assets/css/in/d.css": "d{}"})
    watch = start()
    watch.next()
    for _ in range(2):
        (project.folder / "assets/css").rename(project.folder / "away")
        assert watch.next()["ok"]
        (project.folder / "away").rename(project.folder / "assets/css")
        assert watch.next()["ok"]
    watch.end()
    assert watch.process.stderr
    assert watch.process.stderr.read() == ""


def test_two_that_tell_pages_are_one_too_many(project: Project, start: Callable[..., Watch]) -> None:
    project.write(SITE)
    first = start("--live-reload", "--live-reload-port", "0")
    assert first.next()["ok"]
    second = start("--live-reload", "--live-reload-port", "0")
    assert second.process.wait(PATIENCE) == 1
    assert second.process.stdout and "another `assetbuild watch`" in second.process.stdout.read()
    other = start()
    assert other.process.wait(PATIENCE) == 1, "each would take the other's manifest for a change"
    first.end()
    assert start("--live-reload", "--live-reload-port", "0").next()["ok"]


def builder_of(project: Project) -> _Builder:
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), Audience(print, print, print), 1, None)
    builder.build()
    return builder


def test_what_failed_is_looked_at_again_when_another_file_is_saved(project: Project) -> None:
    builder = builder_of(project.write({**SITE, "assetbuild.toml": 'missing = "error"\n'}))
    for path, content in (("assets/a.css", "a{b:url(gone.svg)}"), ("assets/b.js", "let other")):
        project.write({path: content})
        builder.build(builder.named([str(project.folder / path)]))
        assert "gone.svg" in str(builder.told)


def test_a_build_that_came_between_is_not_written_over_by_what_is_known(project: Project) -> None:
    builder = builder_of(project.write({**SITE, "assetbuild.toml": ""}))
    project.compile()
    project.write({"assets/b.js": "let other"})
    builder.build(builder.named([str(project.folder / "assets/b.js")]))
    assert not builder.told
    assert not verify(project.folder / "dist").findings
    assert text(project, "b.js") == "let other"


#: As many folders can be observed as the first word says.
LIMITED = ["unshare", "--user", "--map-root-user", "sh", "-ec", 'echo "$0" > /proc/sys/user/max_inotify_watches; exec "$@"']


@pytest.fixture
def limited() -> list[str]:
    """Runs a command for which the system observes three folders."""
    if not shutil.which("unshare") and not os.environ.get("CI"):
        pytest.skip("needs util-linux")
    if fault := subprocess.run([*LIMITED, "3", "true"], capture_output=True, text=True, check=False).stderr:
        pytest.skip(f"this machine allows no namespaces: {fault}")
    return [*LIMITED, "3"]


@pytest.mark.parametrize("first", [4, 0], ids=["at the start", "later"])
def test_where_the_system_observes_no_more_folders_it_says_so_and_polls(
    project: Project, start: Callable[..., Watch], limited: list[str], first: int
) -> None:
    folders = [f"assets/{number}/c.css" for number in range(4)]
    project.write({**SITE, **dict.fromkeys(folders[:first], "c{}")})
    watch = start(within=limited)
    watch.next()
    project.write(dict.fromkeys(folders, "c{d:e}"))
    while text_or_none(project, "3/c.css") != "c{d:e}":
        watch.next()
    project.write({"assets/3/c.css": "c{}"})
    watch.next()
    watch.end()
    assert watch.process.stderr
    said = watch.process.stderr.read()
    assert (
        said
        == "no events of files are to be had (the limit fs.inotify.max_user_watches is reached): looking every 0.3 s instead\n"
    )


def text_or_none(project: Project, path: str) -> str | None:
    return text(project, path) if path in project.manifest["assets"] else None


def test_a_configuration_that_is_new_or_a_link_that_leads_elsewhere_is_observed_from_then_on(project: Project) -> None:
    project.write({**SITE, "one.toml": "", "sub/two.toml": ""})
    assert told_of(project, {"assetbuild.toml": ""}) == frozenset([str(project.folder / "assetbuild.toml")])
    seen = []
    for target in ("one.toml", "sub/two.toml"):
        (project.folder / "assetbuild.toml").unlink()
        (project.folder / "assetbuild.toml").symlink_to(target)
        seen.append(places(configuration.load(cwd=project.folder, environ={})))
    assert seen[0] != seen[1]
    shutil.move(project.folder / "sub", project.folder / "before")
    shutil.copytree(project.folder / "before", project.folder / "sub")
    assert places(configuration.load(cwd=project.folder, environ={})) != seen[1]


def test_a_file_that_is_written_again_and_again_does_not_keep_it_from_looking(
    project: Project, start: Callable[..., Watch]
) -> None:
    project.write({**SITE, "assets/.log": ""})
    watch = start()
    watch.next()
    sheet = project.folder / "dist" / project.public("a.css")
    good = sheet.read_text()
    sheet.write_text("damaged")  # Of which no event tells.

    def mended() -> bool:
        project.write({"assets/.log": str(time.monotonic())})
        return sheet.exists() and sheet.read_text() == good

    wait_for(mended)


def test_pages_hear_what_they_have_after_a_configuration_that_failed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write({**SITE, "assetbuild.toml": ""})
    server = LiveReload(port=0)
    server.start()
    told: list[Changes] = []
    try:
        builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), Audience(print, print, print), 1, server)
        builder.build()
        before = project.public("a.css")
        project.write({"assetbuild.toml": 'missing = {"*.css" = "error"}\n', "assets/a.css": "a{b:url(gone.svg)}"})
        builder.build()
        assert builder.told
        monkeypatch.setattr(server, "rebuilt", told.append)
        project.write({"assets/a.css": "a{b:c}"})
        builder.build()
    finally:
        server.stop()
    (changes,) = told
    assert changes.paths == {"a.css": (before, project.public("a.css"))}


WAITS = "import os, sys, time\nfor _ in range(200):\n    os.path.exists('seen') and sys.exit(7)\n    time.sleep(0.1)\n"


def test_roots_that_come_with_bundles_are_observed_from_the_first_build_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml = "directory: static\nbundles:\n  all: {contents: a.css, output: all.css}\n"
    project.write({"static/a.css": "a{}", "env_of_first.yaml": yaml, "assetbuild.toml": 'bundles_from = "env_of_first.yaml"\n'})
    project.write({"assets/c.css": ""}).compile()  # So that no folder is made beside the configuration, which is observed.
    monkeypatch.setattr(watch_module, "LOOK", 1000.0)
    monkeypatch.chdir(project.folder)
    built: list[object] = []

    def rebuilt(rebuild: object) -> None:
        built.append(rebuild)
        project.write({"static/a.css": "a{b:c}"} if len(built) == 1 else {"seen": ""})

    status = watch_module.watch(
        lambda: configuration.load(environ={}), Audience(rebuilt, print, print), jobs=1, command=[sys.executable, "-c", WAITS]
    )
    assert status == 7
    assert len(built) == 2


@pytest.mark.parametrize(
    "words", [("--live-reload-port", "{}"), ("--live-reload-host", "192.0.2.1", "--live-reload-allow", "a.test")]
)
def test_an_address_that_is_not_to_be_had_is_named(
    project: Project, start: Callable[..., Watch], words: tuple[str, ...]
) -> None:
    project.write(SITE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        watch = start(*(word.format(port) for word in words))
        assert watch.process.wait(PATIENCE) == 1
    (problem,) = watch.next()["problems"]
    where = f"127.0.0.1:{port}: Address already in use" if "{}" in words else "192.0.2.1:35779: Cannot assign requested address"
    assert problem["message"].startswith(f"live reload cannot listen on {where}; name an address")


class Clock:
    """Time that passes where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def slowed(self, function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        def slow(*words: Any, **options: Any) -> Any:
            self.now += seconds
            return function(*words, **options)

        return slow


def test_between_two_looks_lies_a_rest_in_lengths_of_a_look_and_not_of_a_build(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(watch_module, "time", clock)
    monkeypatch.setattr(watch_module, "glance", clock.slowed(glance, 3.0))
    monkeypatch.setattr(watch_module, "build", clock.slowed(build, 50.0))
    project.write({**SITE, "assetbuild.toml": 'missing = "error"\n', "assets/a.css": "a{b:url(gone.svg)}"})
    builder = builder_of(project)
    assert builder.told
    assert (builder.took, builder.looked) == (3.0, 53.0), "a build that failed took what its look took"
    project.write({"assets/a.css": "a{}"})
    builder.build()
    assert (builder.took, builder.looked) == (3.0, 106.0), "and one that made something"
    builder.build()
    assert (builder.took, builder.looked) == (53.0, 159.0), "one that found nothing to do is a look as a whole"
    project.write({"assets/a.css": "a{b:c}"})
    builder.build(builder.named([str(project.folder / "assets/a.css")]))
    assert (builder.took, builder.looked) == (53.0, 159.0), "a named file is no look at everything"


class Pauses(threading.Event):
    """How long it is waited for, and never in vain."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        return False


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ([(["a.css"], False)], CLOSED),
        ([(["a.css"], True)], SAVE),
        ([(["a.css"], True), (["a.css"], False)], CLOSED),
        ([(["a.css", "b.js"], True), (["a.css"], False)], SAVE),
        ([([f"{number}.css" for number in range(FEW + 1)], False)], QUIET),
    ],
    ids=["closed", "open", "open and closed", "one of two is open", "a burst"],
)
def test_a_save_has_ended_after_a_pause_that_depends_on_what_was_told(
    told: list[tuple[list[str], bool]], seconds: float
) -> None:
    events = Events()
    events._woken = pauses = Pauses()
    for paths, unclosed in told:
        events.tell(*paths, unclosed=unclosed)
    events.settle()
    events.settle(1.0)
    assert pauses.asked == [seconds, 1.0]
    tenth = 0.1 if sys.platform == "linux" else 0.005
    assert tenth == SAVE, "what the pages tell of"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_being_told_to_end_is_ended_when_ctrl_c_comes_once_more(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    class Interrupted(subprocess.Popen[bytes]):
        def send_signal(self, sig: int) -> None:
            if sig == number:
                signal.raise_signal(signal.SIGINT)
            super().send_signal(sig)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    monkeypatch.setattr(watch_module, "_in_front", lambda: False)
    with pytest.raises(KeyboardInterrupt), _beside([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        raise interrupts.Terminated(number) if number == signal.SIGTERM else KeyboardInterrupt
    assert process.returncode == -signal.SIGKILL


def test_what_it_ends_with_is_a_line_too_and_options_of_the_command_are_not_ours(
    project: Project, start: Callable[..., Watch]
) -> None:
    project.write(SITE)
    watch = start("--", "no-such-command", "--quiet")
    assert watch.next()["ok"]
    assert watch.next()["problems"][0]["message"] == "no-such-command cannot be run: No such file or directory"
    words = [sys.executable, "-m", "assetbuild", "watch", "--", "no-such-command", "--json", "-q"]
    root = str(Path(configuration.__file__).parent.parent)
    done = subprocess.run(words, cwd=project.folder, env=os.environ | {"PYTHONPATH": root}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == ["no-such-command cannot be run: No such file or directory"]


class Restless(Events):
    """There is always something to tell."""

    def wait(self, seconds: float, process: subprocess.Popen[bytes] | None) -> bool:
        super().wait(min(seconds, 0.05), process)
        return True


def test_where_there_is_no_moment_without_an_event_all_is_looked_at_in_time(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "Events", Restless)
    monkeypatch.chdir(project.write({**SITE, "assetbuild.toml": ""}).folder)
    built: list[object] = []

    def rebuilt(rebuild: object) -> None:
        built.append(rebuild)
        if len(built) == 1:
            (project.folder / "dist" / project.public("a.css")).unlink()
        else:
            project.write({"seen": ""})

    audience = Audience(rebuilt, print, print)
    command = [sys.executable, "-c", WAITS]
    assert watch_module.watch(lambda: configuration.load(environ={}), audience, jobs=1, command=command) == 7


def test_what_fails_is_told_once_and_its_mending_even_where_all_is_as_it_was(project: Project) -> None:
    project.write({**SITE, "assetbuild.toml": ""})
    failed: list[object] = []
    rebuilt: list[object] = []
    audience = Audience(rebuilt.append, failed.append, print)
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), audience, 1, None)
    builder.build()
    project.write({"assets/a.css": "a{b:url(gone.svg)}"})
    builder.build()
    builder.build()
    project.write({"assets/a.css": SITE["assets/a.css"]})
    builder.build()
    builder.build()
    assert (len(failed), len(rebuilt)) == (1, 2)


def test_while_the_configuration_is_wrong_a_saved_source_mends_nothing(project: Project) -> None:
    builder = builder_of(project.write({**SITE, "assetbuild.toml": ""}))
    project.write({"assetbuild.toml": "base_url = 1\n"})
    builder.build()
    project.write({"assets/b.js": "let other"})
    builder.build(builder.named([str(project.folder / "assets/b.js")]))
    assert "base_url" in str(builder.told)


def test_after_an_error_of_the_system_the_artifact_is_looked_at_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = builder_of(project.write({**SITE, "assetbuild.toml": ""}))

    def lose(*_: object, **__: object) -> None:
        (project.folder / "dist" / project.public("b.js")).unlink()
        raise OSError(errno.EIO, "Input/output error")

    project.write({"assets/a.css": "a{}"})
    with monkeypatch.context() as patched:
        patched.setattr(watch_module, "build", lose)
        builder.build(builder.named([str(project.folder / "assets/a.css")]))
    project.write({"assets/a.css": "a{b:c}"})
    builder.build(builder.named([str(project.folder / "assets/a.css")]))
    assert verify(project.folder / "dist").findings == ()


def test_nothing_is_compressed_and_only_the_last_few_rebuilds_are_kept_whatever_the_configuration_says(
    project: Project,
) -> None:
    project.write({"assetbuild.toml": 'compress = ["gzip"]\nkeep = 50\nkeep_days = 30\n', "assets/a.css": "a{}" * 1000})
    builder = builder_of(project)
    for number in range(REBUILDS + 2):
        project.write({"assets/a.css": "a{}" * 1000 + str(number)})
        builder.build()
    assert (
        len(list((project.folder / "dist").glob("a.*"))) == len(list((project.folder / "dist").glob("a.*.css"))) == REBUILDS + 1
    )


def test_a_command_that_does_not_end_is_ended(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "PATIENCE", 0.1)
    monkeypatch.chdir(project.folder)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); open('deaf', 'w').close(); time.sleep(60)"
    with pytest.raises(interrupts.Terminated), _beside([sys.executable, "-c", deaf]) as process:
        wait_for((project.folder / "deaf").exists)
        raise interrupts.Terminated(signal.SIGTERM)
    assert process.returncode == -signal.SIGKILL


def test_a_command_that_a_signal_ended_gives_the_status_that_a_shell_would(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.write({**SITE, "assetbuild.toml": ""}).folder)
    audience = Audience(print, print, print)
    command = ["sh", "-c", "kill -TERM $$"]
    assert watch_module.watch(lambda: configuration.load(environ={}), audience, jobs=1, command=command) == 143


def test_what_could_not_be_honoured_of_bundles_is_told_with_every_rebuild(project: Project) -> None:
    yaml = "directory: assets\nurl: /other\nbundles:\n  all: {contents: a.css, output: all.css}\n"
    project.write({**SITE, "env_of_told.yaml": yaml, "assetbuild.toml": 'bundles_from = "env_of_told.yaml"\n'})
    told: list[watch_module.Rebuild] = []
    builder = _Builder(lambda: configuration.load(cwd=project.folder, environ={}), Audience(told.append, print, print), 1, None)
    builder.build()
    project.write({"assets/a.css": "a{}"})
    builder.build()
    assert [[problem.message[:4] for problem in one.result.warnings] for one in told] == [["url:"]] * 2


def test_a_folder_that_goes_takes_with_it_what_nobody_tells_of(project: Project) -> None:
    project.write({**SITE, "assets/sub/c.css": "c{}"})
    events = Events()
    with observed_events(configuration.load(cwd=project.folder, environ={}), events) as fault:
        assert not fault
        (project.folder / "assets/sub").rename(project.folder / "away")
        assert events.wait(PATIENCE, None)
        events.settle(0.2)
        assert events.take() is None, "not only these paths"
        project.write({"assets/a.css": "a{}"})
        assert events.wait(PATIENCE, None)
        events.settle(0.2)
        assert events.take() == frozenset([str(project.folder / "assets/a.css")])


def test_what_was_open_before_delays_no_later_save() -> None:
    events = Events()
    events._woken = pauses = Pauses()
    events.tell("folder", unclosed=True)  # Which nobody closes.
    events.take()
    events.tell("a.css", unclosed=False)
    events.settle()
    assert pauses.asked == [CLOSED]


def test_a_burst_without_an_end_is_built_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(events_module, "time", clock)

    class Endless(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 (the name is its)
            clock.now += 0.3
            assert clock.now < 10
            return True

    events = Events()
    events._woken = Endless()
    events.settle()
    assert events_module.LONGEST <= clock.now < events_module.LONGEST + 0.3


def test_that_a_file_was_read_wakes_nobody(project: Project) -> None:
    project.write({**SITE, "assets/sub/c.css": "c{}"})
    events = Events()
    with observed_events(configuration.load(cwd=project.folder, environ={}), events) as fault:
        assert not fault
        assert (project.folder / "assets/b.js").read_bytes()
        assert os.listdir(project.folder / "assets/sub")
        project.write({"assets/a.css": "a{}"})
        assert events.wait(PATIENCE, None)
        events.settle(0.2)
        assert events.take() == frozenset([str(project.folder / "assets/a.css")])
