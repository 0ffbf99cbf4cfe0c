from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from assetbuild import interrupts, publish
from assetbuild.errors import BuildError, ConfigError
from assetbuild.fingerprint import integrity
from assetbuild.publish import Item, Published, writing
from assetbuild.publish.writing import FEW, SHARE
from assetbuild.runtime import manifest as treaty


def silent(done: int, total: int) -> None:
    del done, total


def item(path: str, data: bytes) -> Item:
    return Item(path, hashlib.sha256(data).hexdigest(), len(data), lambda: iter([data[:3], data[3:]]))


def manifest_of(items: list[Item]) -> bytes:
    return treaty.dump(
        {
            "version": 1,
            "mode": "production",
            "digest": treaty.digest((i.digest, i.public_path) for i in items),
            "base_url": "/static/",
            "assets": {
                i.public_path: {"path": i.public_path, "integrity": integrity(i.digest), "size": i.size, "type": "text/plain"}
                for i in items
            },
            "previous": [],
        }
    )


def put(output: Path, files: dict[str, bytes], epoch: int | None = None) -> Published:
    items = [item(path, data) for path, data in files.items()]
    with publish.locked(output, "dist"):
        return publish.publish(output, items, manifest_of(items), display="dist", epoch=epoch, progress=silent)


def found(output: Path) -> dict[str, bytes]:
    return {
        p.relative_to(output).as_posix(): p.read_bytes() for p in output.rglob("*") if p.is_file() and p.name != "manifest.json"
    }


def test_files_and_manifest_appear_and_nothing_else(tmp_path: Path) -> None:
    files = {"a.1.css": b"body {}", "deep/er/b.2.js": b"", "c.3.png": b"x" * 3_000_000}
    result = put(tmp_path / "dist", files)
    assert found(tmp_path / "dist") == files
    assert result.written == ("a.1.css", "c.3.png", "deep/er/b.2.js")
    assert json.loads((tmp_path / "dist/manifest.json").read_text())["assets"].keys() == files.keys()


def test_publishing_the_same_again_touches_nothing(tmp_path: Path) -> None:
    files = {"a.1.css": b"body {}", "b/b.2.js": b"x"}
    put(tmp_path, files)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in [tmp_path, *tmp_path.rglob("*")]}
    assert put(tmp_path, files) == Published((), (), False)
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in [tmp_path, *tmp_path.rglob("*")]} == before


def test_only_what_changed_is_written_and_only_what_we_wrote_is_removed(tmp_path: Path) -> None:
    put(tmp_path, {"a.1.css": b"1", "gone/b.2.css": b"2", "same.3.css": b"3"})
    (tmp_path / ".mine").write_text("dot files of others are never touched")
    result = put(tmp_path, {"a.9.css": b"9", "same.3.css": b"3"})
    assert result == Published(("a.9.css",), ("a.1.css", "gone/b.2.css"), True)
    assert found(tmp_path).keys() == {"a.9.css", "same.3.css", ".mine"}
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("damage", [b"changed", b"1234567", None])
def test_a_published_file_changed_or_removed_by_hand_is_put_right(tmp_path: Path, damage: bytes | None) -> None:
    put(tmp_path, {"a.1.css": b"7654321", "b.2.css": b"b"})
    if damage is None:
        (tmp_path / "a.1.css").unlink()
    else:
        (tmp_path / "a.1.css").write_bytes(damage)
    assert put(tmp_path, {"a.1.css": b"7654321", "b.2.css": b"b"}).written == ("a.1.css",)
    assert found(tmp_path) == {"a.1.css": b"7654321", "b.2.css": b"b"}


def test_a_kept_name_gets_its_new_bytes_by_a_rename(tmp_path: Path) -> None:
    put(tmp_path, {"robots.txt": b"old"})
    reader = (tmp_path / "robots.txt").open("rb")
    put(tmp_path, {"robots.txt": b"new"})
    with reader:
        assert reader.read() == b"old"
    assert found(tmp_path) == {"robots.txt": b"new"}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        put(tmp_path / "dist", {"a/b/c.1.css": b"x"})
    finally:
        os.umask(before)
    for path in (tmp_path / "dist").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644)
    assert stat.S_IMODE((tmp_path / "dist").stat().st_mode) == 0o755


def test_every_time_is_the_epoch_where_one_is_given(tmp_path: Path) -> None:
    put(tmp_path / "dist", {"a/b/c.1.css": b"x"}, epoch=1_700_000_000)
    assert {p.stat().st_mtime for p in [tmp_path / "dist", *(tmp_path / "dist").rglob("*")]} == {1_700_000_000}


def test_a_folder_that_goes_with_its_last_file_needs_no_time(tmp_path: Path) -> None:
    put(tmp_path, {"a/b.1.css": b"x", "c.1.css": b"x"}, epoch=1_700_000_000)
    put(tmp_path, {"c.1.css": b"x"}, epoch=1_700_000_000)
    assert not (tmp_path / "a").exists()
    assert (tmp_path.stat().st_mtime, found(tmp_path)) == (1_700_000_000, {"c.1.css": b"x"})


def test_folders_above_the_output_get_the_mode_of_its_own(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        put(tmp_path / "deep/er/out", {"a.1.css": b"x"})
    finally:
        os.umask(before)
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*") if p.is_dir()} == {0o755}


def test_an_empty_folder_of_another_mode_gets_the_artifacts(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir(0o700)
    put(tmp_path / "dist", {"a.1.css": b"x"})
    assert stat.S_IMODE((tmp_path / "dist").stat().st_mode) == 0o755


@pytest.mark.parametrize("folder", ["", "a", "a/b"])
@pytest.mark.parametrize("mode", [0o700, 0o777, 0o755])
def test_a_folders_mode_and_time_that_were_changed_by_hand_are_put_right(tmp_path: Path, folder: str, mode: int) -> None:
    dist, epoch = tmp_path / "dist", 1_700_000_000
    put(dist, {"a/b/c.1.css": b"x"}, epoch)
    assert put(dist, {"a/b/c.1.css": b"x"}, epoch) == Published((), (), False)
    (dist / folder).chmod(mode)
    os.utime(dist / folder)
    assert put(dist, {"a/b/c.1.css": b"x"}, epoch) == Published((), (), True)
    folders = [dist, dist / "a", dist / "a/b"]
    assert {(stat.S_IMODE(p.stat().st_mode), p.stat().st_mtime) for p in folders} == {(0o755, epoch)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_was_closed_by_hand_is_opened_again(tmp_path: Path) -> None:
    put(tmp_path, {"a/b.1.css": b"x"})
    (tmp_path / "a").chmod(0)
    assert put(tmp_path, {"a/b.1.css": b"x"}).written == ()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_folders_have_their_times_before_the_journal_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink = os.unlink

    def seen(path: str) -> None:
        if str(path).endswith(treaty.JOURNAL):
            times.append((tmp_path / "a").stat().st_mtime)
        unlink(path)

    times: list[float] = []
    monkeypatch.setattr(os, "unlink", seen)
    put(tmp_path, {"a/b.1.css": b"x"}, epoch=1_700_000_000)
    assert times == [1_700_000_000]


def test_a_time_that_the_file_system_cannot_hold_is_refused_before_anything_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utime, last = os.utime, 15_032_385_535  # As ext4 has it.
    monkeypatch.setattr(os, "utime", lambda path, times: utime(path, (min(times[0], last), min(times[1], last))))
    with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH: the file system of dist cannot hold the time 15032385536"):
        put(tmp_path / "dist", {"a.1.css": b"x"}, epoch=last + 1)
    assert not (tmp_path / "dist").exists()
    put(tmp_path / "dist", {"a.1.css": b"x"}, epoch=last)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("where", ["", "dist", "dist/a"])
def test_an_output_that_may_not_be_written_is_a_matter_of_configuration(tmp_path: Path, where: str) -> None:
    if where:
        put(tmp_path / "dist", {"a/b.1.css": b"x"})
    closed = tmp_path / where
    closed.chmod(0o555)
    try:
        with pytest.raises(ConfigError, match="make it writable for this user, or choose another --output") as error:
            publish_without_mending(tmp_path / "dist")
    finally:
        closed.chmod(0o755)
    assert error.value.problems[0].file == "dist"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_whatever_the_system_calls_it_that_the_output_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), path)
        return os_open(path, flags, *mode)

    os_open = os.open
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConfigError, match="make it writable for this user, or choose another --output"):
        put(tmp_path, {"a.1.css": b"x"})


def publish_without_mending(output: Path) -> None:
    """As if the folders were another's, whose mode this user cannot mend."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assetbuild.publish.place._is_owner", lambda _: False)
        patch.setattr("assetbuild.publish.place.Place.mend_mode", lambda *_: None)
        put(output, {"a/b.2.css": b"y"})


def test_a_dangling_link_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "dist").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="leads nowhere"):
        put(tmp_path / "dist", {"a.1.css": b"x"})


@pytest.mark.parametrize("name", ["notes.txt", "manifest.json", "css/app.css"])
def test_a_folder_that_is_not_ours_is_refused_and_stays_as_it_was(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("precious")
    with pytest.raises(ConfigError, match="nothing in"):
        put(tmp_path, {"a.1.css": b"x"})
    assert (tmp_path / name).read_text() == "precious"
    assert not (tmp_path / "a.1.css").exists()


def test_dot_files_do_not_make_a_folder_not_empty(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()
    put(tmp_path, {"a.1.css": b"x"})
    assert found(tmp_path) == {".gitkeep": b"", "a.1.css": b"x"}


def test_a_file_of_anothers_at_a_path_we_want_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    put(tmp_path, {"a.1.css": b"1"})
    (tmp_path / "b.2.css").write_text("precious")
    (tmp_path / "sub").write_text("a file where a folder is wanted")
    with pytest.raises(ConfigError, match=r"in the way: b\.2\.css, sub;"):
        put(tmp_path, {"a.9.css": b"9", "b.2.css": b"2", "sub/c.3.css": b"3"})
    assert found(tmp_path) == {"a.1.css": b"1", "b.2.css": b"precious", "sub": b"a file where a folder is wanted"}


def test_a_link_in_the_output_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    put(tmp_path / "dist", {"a/b.1.css": b"1"})
    (tmp_path / "dist/a/b.1.css").unlink()
    (tmp_path / "dist/a").rmdir()
    (tmp_path / "dist/a").symlink_to(outside)
    (outside / "b.1.css").write_text("precious")
    with pytest.raises(ConfigError, match="in the way"):
        put(tmp_path / "dist", {"a/b.1.css": b"1"})
    # Nor does a removal go through it.
    put(tmp_path / "dist", {"z.1.css": b"1"})
    assert (outside / "b.1.css").read_text() == "precious"


def test_a_source_that_changes_while_it_is_copied_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    put(tmp_path, {"a.1.css": b"1"})
    lying = Item("b.2.css", "0" * 64, 5, lambda: [b"other"], "assets/b.css")
    with publish.locked(tmp_path, "dist"), pytest.raises(BuildError, match=r"^assets/b\.css: this changed during the build"):
        publish.publish(tmp_path, [lying], manifest_of([lying]), display="dist", epoch=None, progress=silent)
    assert found(tmp_path) == {"a.1.css": b"1"}
    assert sorted(os.listdir(tmp_path)) == ["a.1.css", "manifest.json"]


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    put(tmp_path, {"a.1.css": b"1"})
    bad = Item("x/b.2.css", "0" * 64, 5, interrupted)
    with publish.locked(tmp_path, "dist"), pytest.raises(KeyboardInterrupt):
        publish.publish(tmp_path, [bad], manifest_of([bad]), display="dist", epoch=None, progress=silent)
    assert sorted(os.listdir(tmp_path)) == ["a.1.css", "manifest.json"]


#: Reads lines of "FOLDER<tab>STEP", and for each makes the new artifact of the tests there in a process of its own, which meets
#: its fault at that step. Prints how that ended: the exit status, whether the build failed, and whether it had fewer steps.
BUILDS = """
import os, signal, sys, traceback
from pathlib import Path
from typing import NamedTuple
sys.path.insert(0, sys.argv[1])
from tests.test_publish import NEW, put
from assetbuild.errors import BuildError, ConfigError
import assetbuild.runtime.shape, ctypes, json  # So that no file of theirs is counted.

def fault():
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise eval(sys.argv[2])

count, running = 0, False
def hook(event, args):
    global count
    if running and event in ("open", "os.link", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.utime"):
        count += 1
        if count == last:
            fault()

def build(folder):
    global running
    running, failed = True, False
    try:
        put(folder, NEW)
    except (ConfigError, BuildError, KeyboardInterrupt):
        failed = True
    running = False
    return f"{failed:d} {count < last:d}"

sys.addaudithook(hook)
for line in sys.stdin:
    folder, step = line.rstrip().split("\\t")
    last = int(step)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, build(Path(folder)).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(status, os.read(reading, 3).decode(), flush=True)
    os.close(reading)
"""
OLD: dict[str, bytes] = {"old/a.1.css": b"1" * 100, "same.1.css": b"1", "robots.txt": b"old"}
NEW: dict[str, bytes] = {"new/a.9.css": b"9" * 100, "same.1.css": b"1", "robots.txt": b"new"}


class Ended(NamedTuple):
    """How a build ended that was to meet a fault. whole: it had no such step."""

    status: int
    failed: bool
    whole: bool


@contextlib.contextmanager
def builds(fault: str) -> Iterator[Callable[[Path, int], Ended]]:
    """Makes the new artifact in a folder, in a process that meets a fault at one of its steps. They are forked from one process
    that has imported everything, and has built nothing."""
    command = [sys.executable, "-c", BUILDS, str(Path(__file__).parent.parent), fault]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        asked, answers = process.stdin, process.stdout

        def build(folder: Path, step: int) -> Ended:
            asked.write(f"{folder}\t{step}\n")
            asked.flush()
            status, *words = answers.readline().split()
            return Ended(int(status), *(word == "1" for word in words or "00"))

        yield build
    assert process.returncode == 0


def test_a_kill_at_any_step_leaves_one_whole_artifact_and_the_next_build_tidies_up(tmp_path: Path) -> None:
    """Whoever reads through the manifest finds the old files or the new ones, but for names that are kept, which can be new
    a moment before the manifest is."""
    seen = set()
    with builds("kill") as build:
        for step in range(1, 200):
            output = tmp_path / str(step)
            put(output, OLD)
            ended = build(output, step)
            assert ended.status == (0 if ended.whole else -signal.SIGKILL)
            named = treaty.load(output / "manifest.json")["assets"]
            which = "new" if "new/a.9.css" in named else "old"
            seen.add((which, (output / treaty.JOURNAL).exists()))
            for path, entry in named.items():
                data = (output / path).read_bytes()
                if path == "robots.txt":
                    assert data in (b"old", b"new")
                else:
                    assert integrity(hashlib.sha256(data).hexdigest()) == entry["integrity"]
            put(output, NEW)
            assert found(output) == NEW
            assert not (output / "old").exists()
            if ended.whole:
                break
        else:
            pytest.fail("the build never came to its end")
    assert seen == {("old", False), ("old", True), ("new", True), ("new", False)}


@pytest.mark.parametrize("error", ["KeyboardInterrupt()", "OSError(5, 'Input/output error')"])
def test_a_failure_at_any_step_leaves_the_old_artifact_or_the_new_one_as_it_should_be(tmp_path: Path, error: str) -> None:
    """Kept names too: what was replaced before the manifest comes back. What the new manifest names stays, whatever fails
    after it is in place."""
    with builds(error) as build:
        for step in range(1, 200):
            output = tmp_path / str(step)
            put(output, OLD)
            ended = build(output, step)
            assert ended.status == 0
            is_new = "new/a.9.css" in treaty.load(output / "manifest.json")["assets"]
            there = found(output)
            if not is_new:
                assert there.pop(treaty.JOURNAL + "~", None) in (None, b"")
                assert there == OLD
                assert not (output / "new").exists()
            assert {path: there.get(path) for path in NEW} == NEW or not is_new
            assert is_new or ended.failed
            put(output, NEW)
            assert found(output) == NEW
            if ended.whole:
                return
    pytest.fail("the build never came to its end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_any_step_leaves_the_old_artifact_or_the_new_one_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    steps = 0

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **words: object) -> object:
            nonlocal steps
            steps -= 1
            if steps == 0:
                os.kill(os.getpid(), number)
            return call(*arguments, **words)

        return step

    for name in ("open", "fsync", "link", "rename", "mkdir", "unlink", "rmdir", "chmod", "fchmod"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    ends = []
    for step in range(1, 200):
        output = tmp_path / str(step)
        put(output, OLD)
        steps = step
        with interrupts.as_exceptions():
            try:
                put(output, NEW)
                ended = False
            except (KeyboardInterrupt, interrupts.Terminated):
                ended = True
        is_new = "new/a.9.css" in treaty.load(output / "manifest.json")["assets"]
        assert found(output) == (NEW if is_new else OLD)
        assert (output / "new").exists() == is_new
        ends.append(is_new)
        if not ended:
            break
    assert ends == sorted(ends)
    assert set(ends) == {False, True}
    assert steps > 0


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_journal_that_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / treaty.JOURNAL)
    with pytest.raises(ConfigError, match=r"in the way: \.assetbuild-journal"):
        put(tmp_path, {"a.1.css": b"1"})
    assert os.listdir(tmp_path) == [treaty.JOURNAL]


def test_a_source_that_is_gone_when_it_is_copied_is_named_and_not_the_output(tmp_path: Path) -> None:
    gone = tmp_path / "gone.png"
    lost = Item("gone.2.png", "0" * 64, 5, lambda: [gone.read_bytes()])
    with publish.locked(tmp_path / "dist", "dist"), pytest.raises(BuildError, match=r"gone\.png: this file disappeared"):
        publish.publish(tmp_path / "dist", [lost], manifest_of([lost]), display="dist", epoch=None, progress=silent)


def test_a_first_build_that_was_killed_is_recognised(tmp_path: Path) -> None:
    with builds("kill") as build:
        for step in range(1, 200):
            output = tmp_path / str(step)
            ended = build(output, step)
            assert ended.status == (0 if ended.whole else -signal.SIGKILL)
            put(output, {"other.5.css": b"5"})
            assert found(output) == {"other.5.css": b"5"}
            if ended.whole:
                return
    pytest.fail("the build never came to its end")


@pytest.mark.parametrize(
    "line", ["../outside", "/etc/passwd", "a/../../outside", "", ".", "manifest.json", "a//b", "x\0y", "y" * 5000]
)
def test_a_hostile_journal_removes_nothing_outside(tmp_path: Path, line: str) -> None:
    (tmp_path / "outside").write_text("precious")
    output = tmp_path / "dist"
    put(output, {"a.1.css": b"1"})
    (output / treaty.JOURNAL).write_text(f"{publish.JOURNAL_HEAD}\n{line}\n")
    put(output, {"a.1.css": b"1"})
    assert (tmp_path / "outside").read_text() == "precious"
    assert found(output) == {"a.1.css": b"1"}


@pytest.mark.parametrize("journal", ["", "my own notes\n", "assetbuild-journal 2\nmine.txt\n"])
def test_a_file_that_is_only_called_as_the_journal_makes_no_folder_ours(tmp_path: Path, journal: str) -> None:
    (tmp_path / treaty.JOURNAL).write_text(journal)
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigError, match="nothing in it is touched"):
        put(tmp_path, {"a.1.css": b"1"})
    assert sorted(os.listdir(tmp_path)) == [treaty.JOURNAL, "mine.txt"]


@pytest.mark.parametrize("name", ["mine.txt", "a/mine.txt", "b/mine.txt"])
def test_beside_an_unfinished_first_build_nothing_of_anothers_is_touched(tmp_path: Path, name: str) -> None:
    (tmp_path / treaty.JOURNAL).write_text(f"{publish.JOURNAL_HEAD}\na/b.1.css\n")
    for path in (name, "a/b.1.css"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    with pytest.raises(ConfigError, match="nothing in it is touched"):
        put(tmp_path, {"a.1.css": b"1"})
    (tmp_path / name).unlink()
    if name == "b/mine.txt":
        (tmp_path / "b").rmdir()
    put(tmp_path, {"a.1.css": b"1"})
    assert found(tmp_path) == {"a.1.css": b"1"}


def test_half_a_line_at_the_journals_end_is_no_name(tmp_path: Path) -> None:
    put(tmp_path, {"a.1.css": b"1"})
    (tmp_path / "mine").write_text("precious")
    (tmp_path / treaty.JOURNAL).write_text(f"{publish.JOURNAL_HEAD}\nmine")
    put(tmp_path, {"a.1.css": b"1"})
    assert (tmp_path / "mine").read_text() == "precious"


HOLD = """
import sys, time
from pathlib import Path
from typing import NamedTuple
from assetbuild import interrupts, publish
with publish.locked(Path(sys.argv[1]), "dist"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_build_waits_for_the_first(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "dist")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    told: list[float] = []

    def let_go() -> None:
        told.append(time.monotonic())
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()

    waiting: Callable[[], None] = let_go
    with publish.locked(tmp_path / "dist", "dist", waiting):
        assert holder.wait(10) == 0
    assert len(told) == 1
    holder.stdin.close()
    holder.stdout.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt, FileNotFoundError, OSError(28, "No space left on device")])
def test_a_first_build_that_fails_leaves_no_folder(tmp_path: Path, error: BaseException) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise error

    bad = Item("x/b.2.css", "0" * 64, 5, failing)
    with pytest.raises((BuildError, KeyboardInterrupt)), publish.locked(tmp_path / "dist", "dist"):
        publish.publish(tmp_path / "dist", [bad], manifest_of([bad]), display="dist", epoch=None, progress=silent)
    assert not (tmp_path / "dist").exists()


def many(replaced: dict[int, Item]) -> list[Item]:
    """As many as several threads write; some of them others."""
    return [replaced.get(n) or item(f"{n % 7}/{n}.css", str(n).encode()) for n in range(3 * SHARE)]


def test_many_files_are_written_by_several_threads(tmp_path: Path) -> None:
    writers = set[int]()

    def told() -> Iterator[bytes]:
        writers.add(threading.get_ident())
        time.sleep(0.001)
        yield b"a"

    digest = hashlib.sha256(b"a").hexdigest()
    items = [Item(f"{n}.css", digest, 1, told) for n in range(3 * SHARE)]
    done: list[int] = []
    with publish.locked(tmp_path / "dist", "dist"):
        publish.publish(
            tmp_path / "dist",
            items,
            manifest_of(items),
            display="dist",
            progress=lambda now, _all: done.append(now),
            jobs=3,
        )
    assert len(writers) == 3
    assert found(tmp_path / "dist") == {f"{n}.css": b"a" for n in range(3 * SHARE)}
    assert done == sorted(done)
    assert done[-1] == len(items)


@pytest.mark.parametrize("jobs", [1, 3])
def test_one_of_many_that_fails_is_told_and_nothing_stays(tmp_path: Path, jobs: int) -> None:
    put(tmp_path / "dist", {"old.css": b"old"})
    here, before = threading.get_ident(), threading.active_count()

    def late() -> Iterator[bytes]:
        if threading.get_ident() == here:
            time.sleep(0.05)  # So that others are in the midst of something.
        yield b"other"

    changed = {n: Item(f"{n}.css", "0" * 64, 5, late, f"src/{n}.css") for n in range(300, 3 * SHARE)}
    items = many(changed)
    with publish.locked(tmp_path / "dist", "dist"), pytest.raises(BuildError, match=r"src/3\d\d\.css"):
        publish.publish(tmp_path / "dist", items, manifest_of(items), display="dist", progress=silent, jobs=jobs)
    assert found(tmp_path / "dist") == {"old.css": b"old"}
    assert [p.name for p in (tmp_path / "dist").iterdir() if p.is_dir()] == []
    assert threading.active_count() == before


def test_of_many_that_fail_the_first_by_name_is_told(tmp_path: Path) -> None:
    failed = threading.Event()

    def early() -> Iterator[bytes]:
        yield b"other"
        failed.set()

    def late() -> Iterator[bytes]:
        failed.wait(10)
        for _ in range(100):
            time.sleep(0.001)  # So that the other has been told of by now.
            yield b"other"

    n = len(many({}))
    items = [item(f"{number:04}.css", b"x") for number in range(n)]
    items[300] = Item("0300.css", "0" * 64, 5, late, "src/first.css")
    items[301] = Item("0301.css", "0" * 64, 5, early, "src/second.css")
    with publish.locked(tmp_path / "dist", "dist"), pytest.raises(BuildError, match=r"src/first\.css"):
        publish.publish(tmp_path / "dist", items, manifest_of(items), display="dist", progress=silent, jobs=3)
    assert found(tmp_path / "dist") == {}


def test_signals_are_heard_in_the_main_thread_and_go_before_other_failures(tmp_path: Path) -> None:
    here, heard = threading.get_ident(), list[int]()

    def handler(number: int, _: object) -> None:
        heard.append(threading.get_ident())
        raise interrupts.Terminated(number)

    def failing() -> Iterator[bytes]:
        if threading.get_ident() == here:
            os.kill(os.getpid(), signal.SIGTERM)
            yield b"x"
        time.sleep(0.1)
        raise OSError(errno.EIO, "Input/output error")

    items = [Item(f"{n}.css", "0" * 64, 5, failing) for n in range(3 * SHARE)]
    before = signal.signal(signal.SIGTERM, handler)
    try:
        with publish.locked(tmp_path / "dist", "dist"), pytest.raises(interrupts.Terminated):
            publish.publish(tmp_path / "dist", items, manifest_of(items), display="dist", progress=silent, jobs=3)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [here]


@pytest.mark.parametrize("in_main", [True, False])
def test_a_signal_stops_all_threads_in_the_midst_of_their_files(tmp_path: Path, in_main: bool) -> None:
    put(tmp_path / "dist", {"old.css": b"old"})
    here, before = threading.get_ident(), threading.active_count()
    pieces: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            if (threading.get_ident() == here) is in_main and not pieces:
                pieces.append(1)
                os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.001)
            yield b"x"

    items = many({n: Item(f"{n}.css", "0" * 64, 5, endless) for n in range(300, 3 * SHARE)})
    with publish.locked(tmp_path / "dist", "dist"), pytest.raises(KeyboardInterrupt):
        publish.publish(tmp_path / "dist", items, manifest_of(items), display="dist", progress=silent, jobs=3)
    assert found(tmp_path / "dist") == {"old.css": b"old"}
    assert threading.active_count() == before


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("number", [2, FEW + 1])
def test_what_was_written_is_on_the_disk_before_the_manifest_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, lasting: bool
) -> None:
    done: list[str] = []

    def waited(call: Callable[[int], None]) -> Callable[[int], None]:
        def spy(descriptor: int) -> None:
            done.append(f"{call.__name__} {os.path.relpath(os.readlink(f'/proc/self/fd/{descriptor}'), tmp_path)}")
            call(descriptor)

        return spy

    def renamed(source: str, target: str) -> None:
        done.append(f"rename {os.path.relpath(target, tmp_path)}")
        rename(source, target)

    rename = os.rename
    put(tmp_path / "dist", {"old/a.css": b"a"})
    monkeypatch.setattr(os, "fsync", waited(os.fsync))
    monkeypatch.setattr(writing, "_syncfs", waited(writing._syncfs))
    monkeypatch.setattr(os, "rename", renamed)
    items = [item("old/a.css", b"a"), *(item(f"new/in/{n}.css", b"b") for n in range(number))]
    with publish.locked(tmp_path / "dist", "dist"):
        publish.publish(tmp_path / "dist", items, manifest_of(items), display="dist", progress=silent, lasting=lasting)
    if not lasting:
        assert done == ["rename dist/.assetbuild-journal", "rename dist/manifest.json"]
        return
    before = ["fsync dist/.assetbuild-journal~", "rename dist/.assetbuild-journal", "fsync dist"]
    files = [f"fsync dist/new/in/{n}.css" for n in range(number)]
    folders = ["fsync dist", "fsync dist/new", "fsync dist/new/in"]
    each = [*files, "fsync dist/.assetbuild-new-manifest", *folders]
    assert done == [
        *before,
        *(each if number < FEW else ["_syncfs dist"]),
        "rename dist/manifest.json",
        "fsync dist",
        "fsync dist",
    ]
