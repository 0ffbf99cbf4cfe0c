"""The short form of tests/tools/faults.py, and faults that are not a system call's: signals, limits, caches, neighbours."""

from __future__ import annotations

import fcntl
import json
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.cache import Cache
from assetbuild.errors import BuildError
from assetbuild.verify import verify
from tests.conftest import Project
from tests.test_pool import has_ended
from tests.tools import faults

SITE: dict[str, str | bytes] = {
    "assetbuild.toml": 'compress = ["gzip"]\n',
    **{f"assets/{number}.css": f"a {{ background: url({number}.svg) }} " * 30 for number in range(4)},
    **{f"assets/{number}.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" for number in range(4)},
}


def command(*words: str) -> tuple[list[str], dict[str, str]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ASSETBUILD_")}
    return [sys.executable, "-m", "assetbuild", "compile", *words], environ | {"PYTHONPATH": str(faults.ROOT)}


def run(folder: Path, *words: str, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    line, environ = command(*words)
    return subprocess.run(line, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, preexec_fn=before)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a build makes of the site where nothing goes wrong."""
    project = Project(tmp_path_factory.mktemp("good")).write(SITE)
    project.compile()
    return project.tree()


def mended(project: Project, good: dict[str, bytes]) -> None:
    if (project.folder / "dist/manifest.json").exists():
        assert verify(project.folder / "dist").findings == ()
    project.compile()
    assert project.tree() == good


def test_a_fault_at_a_system_call_leaves_a_whole_artifact_and_the_next_build_is_right(tmp_path: Path) -> None:
    """A sample of them, another one each day; the script runs them all."""
    strace()
    laboratory = faults.Laboratory(tmp_path)
    dice = random.Random(time.strftime("%F"))
    process = dice.choice([0, 2])
    points = laboratory.points([process])
    expected = {0: {"openat", "write", "rename", "link", "fsync", "unlink", "mkdir", "utimensat"}, 2: {"openat", "rename"}}
    assert expected[process] <= {point.call for point in points}
    chosen = [(point, dice.choice(faults.FAULTS)) for point in dice.sample(points, 2)]
    assert {(point.shown, fault): laboratory.fault(point, fault) for point, fault in chosen} == {
        (point.shown, fault): "" for point, fault in chosen
    }


def strace() -> None:
    if shutil.which("strace") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("strace is not installed")


@pytest.mark.parametrize(
    ("call", "when", "number"),
    [
        ("mkdir", 1, signal.SIGINT),
        ("write", 1, signal.SIGTERM),
        ("fsync", 1, signal.SIGTERM),
        ("rename", 2, signal.SIGTERM),  # The manifest's.
        ("unlink", 1, signal.SIGINT),  # The journal's, behind it.
    ],
)
def test_a_signal_that_comes_with_a_system_call_ends_the_build_and_leaves_nothing_half(
    project: Project, good: dict[str, bytes], call: str, when: int, number: signal.Signals
) -> None:
    strace()
    project.write(SITE)
    line, environ = command("--jobs", "1")
    names = [".assetbuild-journal~", ".assetbuild-journal", ".assetbuild-new-manifest", "", *good]
    paths = [word for name in names for word in ("-P", str(project.folder / "dist" / name))]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal={number.name}:when={when}"]
    done = subprocess.run(
        ["strace", "-f", "-o", "log", *paths, *inject, *line],
        cwd=project.folder,
        env=environ | {"ASSETBUILD_CACHE_DIR": "/proc/none"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (in_a_shell(done.returncode), "Traceback" in done.stderr) == (128 + number, False), done.stderr
    # Once the manifest is in place there is no way back, and no need of one.
    late = call == "unlink" or when == 2
    assert project.tree() == good if late else not (project.folder / "dist").exists()
    mended(project, good)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("who", ["a filter", "a build that waits"])
def test_a_signal_ends_a_build_that_waits_for_others(
    project: Project, good: dict[str, bytes], number: int, status: int, who: str
) -> None:
    """And whatever it has started, and leaves no temporary file."""
    project.write(SITE).write({"temporary/.keep": ""})
    line, environ = command("--quiet")
    environ["TMPDIR"] = str(project.folder / "temporary")
    told = project.folder / "told"
    if who == "a filter":
        project.write({"waits.py": WAITS, "assetbuild.toml": 'compress = ["gzip"]\n[filters]\n"3.css" = ["waits:Waits"]\n'})
    (project.folder / "dist").mkdir()
    lock = os.open(project.folder / "dist", os.O_RDONLY)
    if who != "a filter":
        fcntl.flock(lock, fcntl.LOCK_EX)
    with subprocess.Popen(line, cwd=project.folder, env=environ, stderr=subprocess.PIPE, text=True) as process:
        wait_for(told.exists if who == "a filter" else lambda: waits_for_the_lock(process.pid))
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    os.close(lock)
    assert (in_a_shell(process.returncode), "Traceback" in said) == (status, False), said
    assert [path.name for path in (project.folder / "temporary").iterdir()] == [".keep"]
    assert list((project.folder / "dist").iterdir()) == []
    if who == "a filter":
        assert has_ended(int(told.read_text()))
    project.write({"assetbuild.toml": SITE["assetbuild.toml"]})
    mended(project, good)


def in_a_shell(status: int) -> int:
    """What `$?` is: whoever is ended by a signal ends by it, once all is tidied up."""
    return 128 - status if status < 0 else status


def wait_for(what: Callable[[], bool]) -> None:
    for _ in range(1000):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def waits_for_the_lock(process: int) -> bool:
    return Path(f"/proc/{process}/wchan").read_text() == "locks_lock_inode_wait" or any(
        f" {process} " in line and "->" in line for line in Path("/proc/locks").read_text().splitlines()
    )


#: Starts a program that starts another, tells of that, and waits without end.
WAITS = """
import os, subprocess
from webassets.filter import Filter

class Waits(Filter):
    name = "waits"

    def output(self, _in, out, **kw):
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run(["sh", "-c", f"sleep 600 & echo $! > {here}/new; mv {here}/new {here}/told; wait"])
"""


def test_a_kill_at_any_moment_leaves_a_whole_artifact(project: Project, good: dict[str, bytes]) -> None:
    project.write(SITE)
    line, environ = command()
    dice = random.Random(time.strftime("%F"))
    for _ in range(2):
        shutil.rmtree(project.folder / "dist", ignore_errors=True)
        with subprocess.Popen(line, cwd=project.folder, env=environ, stderr=subprocess.DEVNULL) as process:
            time.sleep(dice.uniform(0.1, 0.5))
            process.kill()
        mended(project, good)


@pytest.mark.parametrize("count", [2, 5])
def test_builds_at_once_make_one_artifact_whatever_their_caches(project: Project, good: dict[str, bytes], count: int) -> None:
    project.write(SITE)
    line, environ = command("--quiet")
    (project.folder / "a file").write_text("no folder")
    caches = [".assetbuild", "other", ".assetbuild", "a file", "/proc/none"]
    assert run(project.folder, "--output", "warm").returncode == 0
    processes = [
        subprocess.Popen(
            line, cwd=project.folder, env=environ | {"ASSETBUILD_CACHE_DIR": cache}, stderr=subprocess.PIPE, text=True
        )
        for cache in caches[:count]
    ]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in processes] == [("", 0)] * count
    assert project.tree() == good


def test_two_checkouts_that_build_into_one_folder_at_once_leave_the_artifact_of_one(tmp_path: Path) -> None:
    line, environ = command("--quiet", "--output", str(tmp_path / "dist"))
    results = []
    for number in range(2):
        project = Project(tmp_path / str(number)).write(SITE).write({"assets/0.svg": f"<svg id='{number}'/>"})
        assert run(project.folder).returncode == 0
        results.append(project.tree())
    processes = [subprocess.Popen(line, cwd=tmp_path / str(number), env=environ) for number in (0, 1)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert faults.tree(tmp_path / "dist") in results
    assert verify(tmp_path / "dist").findings == ()


def test_sixty_four_open_files_are_enough(project: Project, good: dict[str, bytes]) -> None:
    project.write(SITE)
    done = run(project.folder, "--jobs", "4", before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    assert (done.returncode, project.tree()) == (0, good), done.stderr


def test_a_file_that_may_not_grow_is_told_of_and_leaves_nothing(project: Project, good: dict[str, bytes]) -> None:
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    large = project.write({**SITE, "assets/large.bin": b"x" * 600_000}).folder / "assets/large.bin"
    done = run(project.folder, before=limited)
    assert done.returncode == 1
    assert "dist: the artifact could not be written: File too large" in done.stderr
    assert not (project.folder / "dist").exists()
    large.unlink()
    mended(project, good)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system")
def test_a_full_file_system_keeps_the_artifact_that_it_has(project: Project) -> None:
    small = project.folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing may be mounted here: {mounted.stderr.strip()}")
    try:
        project.write(SITE)
        assert run(project.folder, "--output", "small/dist").returncode == 0
        before = faults.tree(small)
        project.write({"assets/large.bin": random.Random(1).randbytes(300_000)})
        done = run(project.folder, "--output", "small/dist")
        assert done.returncode == 1
        assert "free some space and run it again" in done.stderr
        assert faults.tree(small) == before
        (project.folder / "assets/large.bin").unlink()
        assert run(project.folder, "--output", "small/dist").returncode == 0
        assert faults.tree(small) == before
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize(
    "kind", ["a file", "a dangling link", "a link elsewhere", "gone", "a pipe", "folders that are files", "a folder of others"]
)
def test_whatever_became_of_the_cache_the_artifact_is_right(project: Project, good: dict[str, bytes], kind: str) -> None:
    cache = project.write(SITE).folder / ".assetbuild"
    project.compile()
    if kind == "folders that are files":
        for table in cache.glob("v*/*"):
            shutil.rmtree(table)
            table.write_text("mine")
    elif kind == "a folder of others":
        cache.chmod(0o777)
    else:
        shutil.rmtree(cache)
    if kind == "a file":
        cache.write_text("mine")
    elif kind == "a dangling link":
        cache.symlink_to("nowhere")
    elif kind == "a link elsewhere":
        (project.folder / "elsewhere").mkdir()
        cache.symlink_to("elsewhere")
    elif kind == "a pipe":
        os.mkfifo(cache)
    changed_and_back(project, good)


def changed_and_back(project: Project, good: dict[str, bytes]) -> None:
    """A build after a change, and one after that is taken back, each with whatever the cache gives."""
    project.write({"assets/0.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"})
    project.compile()
    assert b"<g/>" in project.published("0.svg")
    assert verify(project.folder / "dist").findings == ()
    project.write({"assets/0.svg": SITE["assets/0.svg"]})
    mended(project, good)


@pytest.mark.parametrize(
    "kind",
    ["garbage", "swapped", "folders", "pipes", "links to one another", "links out", "huge", "others'", "devices", "more names"],
)
def test_whatever_the_entries_of_the_cache_are_the_artifact_is_right(
    project: Project, good: dict[str, bytes], kind: str
) -> None:
    if kind in ("others'", "devices") and os.geteuid():
        pytest.skip("only root makes those")
    cache = project.write(SITE).folder / ".assetbuild"
    project.compile()
    entries = sorted(path for path in cache.glob("v*/*/*/*"))
    contents = [path.read_bytes() for path in entries]
    outside = project.folder / "outside"
    outside.write_bytes(b"precious")
    for number, path in enumerate(entries):
        if kind == "more names":
            for name in ("new\nline", "\udcff", "x" * 255, "new-1-\n"):
                (path.parent / name).write_bytes(b"mine")
            continue
        path.unlink()
        if kind == "garbage":
            path.write_bytes(os.urandom(50))
        elif kind == "folders":
            (path / "inner").mkdir(parents=True)
        elif kind == "pipes":
            os.mkfifo(path)
        elif kind == "links to one another":
            path.symlink_to(entries[number - 1])
        elif kind == "links out":
            path.symlink_to(outside)
        elif kind == "huge":
            path.touch()
            os.truncate(path, 1 << 40)
        elif kind == "swapped":
            path.write_bytes(contents[number - 1])
        elif kind == "others'":
            path.write_bytes(contents[number])
            if path.parent.parent.name == "results":  # What another is, in the form of this one.
                other = contents[number - 1] if entries[number - 1].parent.parent == path.parent.parent else contents[-1]
                Cache(str(cache)).keep_result(path.parent.name + path.name, json.loads(other.partition(b"\n")[2]))
            os.chown(path, 65534, 65534)
        elif kind == "devices":
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    changed_and_back(project, good)
    assert outside.read_bytes() == b"precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system")
@pytest.mark.parametrize("kind", ["full", "read-only", "read-only and warm"])
def test_a_cache_on_a_file_system_that_takes_nothing_costs_time_alone(
    project: Project, good: dict[str, bytes], kind: str
) -> None:
    cache = project.write(SITE).folder / ".assetbuild"
    if kind == "read-only and warm":
        project.compile()
    cache.mkdir(mode=0o700, exist_ok=True)
    how = ["-t", "tmpfs", "-o", "size=8k,mode=700", "tmpfs"] if kind == "full" else ["--bind", "-o", "ro", str(cache)]
    mounted = subprocess.run(["mount", *how, str(cache)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing may be mounted here: {mounted.stderr.strip()}")
    try:
        changed_and_back(project, good)
        assert len(list(cache.rglob("new-*"))) == 0
    finally:
        subprocess.run(["umount", str(cache)], check=True)


#: Removes the cache in the midst of a build.
REMOVES = """
import os, shutil
from webassets.filter import Filter

class Removes(Filter):
    name = "removes"

    def output(self, _in, out, **kw):
        shutil.rmtree(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".assetbuild"))
        out.write(_in.read())
"""


def test_a_cache_that_is_removed_during_the_build_costs_time_alone(project: Project, good: dict[str, bytes]) -> None:
    rules = '[filters]\n"3.css" = ["removes:Removes", "rcssmin"]\n'
    project.write(SITE).write({"removes.py": REMOVES, "assetbuild.toml": str(SITE["assetbuild.toml"]) + rules})
    for _ in range(2):
        project.compile()
        assert project.tree() == good
    project.write({"assetbuild.toml": SITE["assetbuild.toml"]})
    mended(project, good)


#: What a filter can do to a build; `{folder}` is the project's.
MISDEEDS = {
    "hangs": ("subprocess.Popen(['sleep', '600'])\n        told()\n        time.sleep(600)", "was stopped"),
    "hangs deaf": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\n        told()\n        time.sleep(600)",
        "was stopped",
    ),
    "hangs in a program": ("subprocess.run(['sh', '-c', f'sleep 600 & echo $! > {here}/told; wait'])", "was stopped"),
    "crashes": ("told()\n        faulthandler.disable()\n        os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
    "exits": ("subprocess.Popen(['sleep', '600'])\n        told()\n        os._exit(3)", "exit status 3"),
    "raises": ("told()\n        raise ValueError('out of cheese')", "out of cheese"),
    "writes no text": ("told()\n        out.write(b'\\xff')", "bytes"),
    "writes half a surrogate": ("told()\n        out.write('\\ud800')", "half a surrogate pair"),
    "writes a broken sheet": ("told()\n        out.write('a { b: \\'c')", "is broken"),
}
MISBEHAVES = """
import faulthandler, os, signal, subprocess, time
from webassets.filter import Filter

here = os.path.dirname(os.path.abspath(__file__))

def told():
    with open(os.path.join(here, "told"), "w") as file:
        file.write(str(os.getpid()))

class Misbehaves(Filter):
    name = "misbehaves"

    def output(self, _in, out, **kw):
        {deed}
"""


@pytest.mark.parametrize("deed", MISDEEDS)
def test_a_filter_that_misbehaves_costs_an_error_and_no_more(project: Project, good: dict[str, bytes], deed: str) -> None:
    project.write(SITE)
    project.compile()
    module = f"misbehaves_{list(MISDEEDS).index(deed)}"  # What was imported stays.
    rules = f'filter_timeout = 1\n[filters]\n"3.css" = ["{module}:Misbehaves"]\n'
    code, said = MISDEEDS[deed]
    project.write({f"{module}.py": MISBEHAVES.replace("{deed}", code)})
    project.write({"assetbuild.toml": str(SITE["assetbuild.toml"]) + rules})
    with pytest.raises(BuildError) as error:
        project.compile()
    (problem,) = error.value.problems
    assert problem.file == "assets/3.css"
    assert said in str(problem)
    assert project.tree() == good
    assert has_ended(int((project.folder / "told").read_text()))
    here = str(project.folder).encode()
    left = [p for p in Path("/proc").glob("[0-9]*/cwd") if p.is_symlink() and os.fsencode(link(p)).startswith(here)]
    assert left == [], "what it had started has ended too"
    project.write({"assetbuild.toml": SITE["assetbuild.toml"]})
    mended(project, good)


def link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:  # It has ended.
        return ""


@pytest.mark.parametrize("when", [0, 4_000_000_000, -1_000_000_000])
def test_the_times_of_sources_decide_nothing(project: Project, good: dict[str, bytes], when: int) -> None:
    """In the past, in the future, before all time, and all the same, whatever the bytes."""
    project.write(SITE)
    for text in ("b {}", "c {}", str(SITE["assets/3.css"])):
        project.write({"assets/3.css": text})
        for file in (project.folder / "assets").iterdir():
            os.utime(file, (when, when))
        project.compile()
        assert verify(project.folder / "dist").findings == ()
    assert project.tree() == good
