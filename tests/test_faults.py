"""The short form of tests/tools/faults.py, and faults that are not a system call's: signals, limits, caches, neighbours."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.verify import verify
from tests.conftest import Project
from tests.tools import faults

SITE: dict[str, str | bytes] = {
    "assetbuild.toml": 'compress = ["gzip"]\n',
    **{f"assets/{number}.css": f"a {{ background: url({number}.svg) }} " * 30 for number in range(8)},
    **{f"assets/{number}.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" for number in range(8)},
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
    assert run(project.folder).returncode == 0
    return project.tree()


def mended(project: Project, good: dict[str, bytes]) -> None:
    if (project.folder / "dist/manifest.json").exists():
        assert verify(project.folder / "dist").findings == ()
    done = run(project.folder)
    assert done.returncode == 0, done.stderr
    assert project.tree() == good


def test_a_fault_at_a_system_call_leaves_a_whole_artifact_and_the_next_build_is_right(tmp_path: Path) -> None:
    """A sample of them, another one each day; the script runs them all."""
    if shutil.which("strace") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("strace is not installed")
    laboratory = faults.Laboratory(tmp_path)
    points = laboratory.points()
    assert {"openat", "write", "rename", "fsync", "unlink", "mkdir", "utimensat"} <= {point.call for point in points}
    dice = random.Random(time.strftime("%F"))
    chosen = [(point, dice.choice(faults.FAULTS)) for point in dice.sample(points, 4)]
    assert {(point.shown, fault): laboratory.fault(point, fault) for point, fault in chosen} == {
        (point.shown, fault): "" for point, fault in chosen
    }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_at_any_moment_leaves_a_whole_artifact(project: Project, good: dict[str, bytes], number: int) -> None:
    project.write(SITE)
    line, environ = command()
    dice = random.Random(number)
    for _ in range(2):
        shutil.rmtree(project.folder / "dist", ignore_errors=True)
        with subprocess.Popen(line, cwd=project.folder, env=environ, stderr=subprocess.PIPE, text=True) as process:
            time.sleep(dice.uniform(0.1, 0.5))
            process.send_signal(number)
            assert "Traceback" not in process.communicate(timeout=60)[1] or number == signal.SIGKILL
        mended(project, good)


def test_five_builds_at_once_make_one_artifact(project: Project, good: dict[str, bytes]) -> None:
    project.write(SITE)
    line, environ = command("--quiet")
    processes = [subprocess.Popen(line, cwd=project.folder, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in processes] == [("", 0)] * 5
    assert project.tree() == good


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
    "kind", ["a file", "a dangling link", "a link elsewhere", "garbage", "folders in place of files", "gone"]
)
def test_whatever_became_of_the_cache_the_artifact_is_right(project: Project, good: dict[str, bytes], kind: str) -> None:
    cache = project.write(SITE).folder / ".assetbuild"
    assert run(project.folder).returncode == 0
    entries = [path for path in cache.rglob("*") if path.is_file()]
    if kind in ("a file", "a dangling link", "a link elsewhere", "gone"):
        shutil.rmtree(cache)
    if kind == "a file":
        cache.write_text("mine")
    elif kind == "a dangling link":
        cache.symlink_to("nowhere")
    elif kind == "a link elsewhere":
        (project.folder / "elsewhere").mkdir()
        cache.symlink_to("elsewhere")
    for path in entries if kind in ("garbage", "folders in place of files") else ():
        path.unlink()
        path.write_bytes(os.urandom(50)) if kind == "garbage" else path.mkdir()
    project.write({"assets/0.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"})
    done = run(project.folder)
    assert done.returncode == 0, done.stderr
    assert verify(project.folder / "dist").findings == ()
    project.write({"assets/0.svg": SITE["assets/0.svg"]})
    mended(project, good)


@pytest.mark.parametrize("when", [0, 4_000_000_000])
def test_the_times_of_sources_decide_nothing(project: Project, good: dict[str, bytes], when: int) -> None:
    """In the past, in the future, and all the same, whatever the bytes."""
    project.write(SITE)
    for text in ("b {}", "c {}", str(SITE["assets/3.css"])):
        project.write({"assets/3.css": text})
        for file in (project.folder / "assets").iterdir():
            os.utime(file, (when, when))
        project.compile()
        assert verify(project.folder / "dist").findings == ()
    assert project.tree() == good
