"""Sources that change, shrink, vanish or become something else while the build runs, at moments that it tells of; and clocks
that jump.

After it `verify` finds nothing wrong with what is there, and the next build gives what a fresh one gives of the same files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild import compile as build
from assetbuild import config as configuration
from assetbuild.errors import AssetbuildError, BuildError
from assetbuild.verify import verify
from tests.conftest import Project
from tests.npm import thorough
from tests.tools import faults

SITE: dict[str, str | bytes] = {
    "assetbuild.toml": 'compress = ["gzip"]\nfollow_symlinks = true\n',
    "assets/a.css": "a  { background: url(sub/i.svg) }  b  { background: url(i.bin) }",
    "assets/i.bin": b"\x00\xff" * 500,
    "assets/sub/i.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "else/one.txt": "one",
    "else/two.txt": "two",
}
OTHER_PICTURE = b"\xff\x00" * 500


def rewritten(path: Path, data: bytes) -> None:
    """Other bytes of the same size, with the time put back: only the change time tells."""
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_a_link(assets: Path) -> None:
    (assets / "i.bin").unlink()
    (assets / "i.bin").symlink_to("../else/two.txt")


def file_to_folder(assets: Path) -> None:
    (assets / "i.bin").unlink()
    (assets / "i.bin").mkdir()
    (assets / "i.bin/inner.txt").write_text("inner")


def folder_to_file(assets: Path) -> None:
    shutil.rmtree(assets / "sub")
    (assets / "sub").write_text("a file now")


def to_pipe(assets: Path) -> None:
    (assets / "i.bin").unlink()
    os.mkfifo(assets / "i.bin")


def new_root(assets: Path) -> None:
    assets.rename(assets.parent / "before")
    shutil.copytree(assets.parent / "before", assets)
    (assets / "i.bin").write_bytes(OTHER_PICTURE)


def relinked(assets: Path) -> None:
    (assets / "link.txt").unlink()
    (assets / "link.txt").symlink_to("../else/two.txt")


HAPPENS: dict[str, Callable[[Path], object]] = {
    "a picture changes": lambda assets: rewritten(assets / "i.bin", OTHER_PICTURE),
    "a picture grows": lambda assets: (assets / "i.bin").write_bytes(b"\x00" * 5000),
    "a picture shrinks": lambda assets: os.truncate(assets / "i.bin", 7),
    "a picture vanishes": lambda assets: (assets / "i.bin").unlink(),
    "a picture becomes a folder": file_to_folder,
    "a picture becomes a link": replaced_by_a_link,
    "a picture becomes a pipe": to_pipe,
    "a link leads elsewhere": relinked,
    "a sheet changes": lambda assets: rewritten(assets / "a.css", str(SITE["assets/a.css"]).replace("b ", "c ").encode()),
    "a sheet vanishes": lambda assets: (assets / "a.css").unlink(),
    "a folder becomes a file": folder_to_file,
    "a file comes": lambda assets: (assets / "new.txt").write_text("new"),
    "all is replaced": new_root,
    "all vanishes": shutil.rmtree,
}


def written(project: Project) -> Project:
    project.write(SITE)
    (project.folder / "assets/link.txt").symlink_to("../else/one.txt")
    return project


def outcome(project: Project) -> dict[str, bytes] | str:
    """The artifact of a build that nothing disturbs, or what it says is wrong."""
    try:
        project.compile()
    except AssetbuildError as error:
        return str(error)
    return project.tree()


@pytest.mark.parametrize("first", [True, False], ids=["first build", "next build"])
@pytest.mark.parametrize("happens", HAPPENS)
def test_whatever_happens_to_the_sources_during_a_build_the_artifact_is_whole_and_the_next_one_right(
    tmp_path: Path, happens: str, first: bool
) -> None:
    fresh: dict[str, bytes] | str = ""
    few = ("compile", "publish") if first else ("publish",)
    for moment in ("compile", "link", "compress", "publish") if thorough() else few:
        project = written(Project(tmp_path / moment))
        if not first:
            project.compile()
            project.write({"assets/a.css": str(SITE["assets/a.css"]) + " d { e: f }", "assets/i.bin": b"\x01" * 1000})
        before = project.tree()
        met = disturbed(project, moment, HAPPENS[happens])
        if met == "failed":
            assert project.tree() == before, "a build that fails leaves the artifact as it was"
        if (project.folder / "dist").exists():
            assert verify(project.folder / "dist").findings == ()
        after = outcome(project)
        if not fresh:
            for folder in ("dist", ".assetbuild"):
                shutil.rmtree(project.folder / folder, ignore_errors=True)
            fresh = outcome(project)
        assert after == fresh, f"at {moment}"


def disturbed(project: Project, moment: str, happens: Callable[[Path], object]) -> str:
    """What became of a build during which that happens, when it begins to tell of a stage."""
    done: list[str] = []

    def progress(stage: str, _done: int, _all: int) -> None:
        if stage == moment and not done:
            done.append(stage)
            happens(project.folder / "assets")

    try:
        build.compile(configuration.load(cwd=project.folder, environ={}), jobs=1, progress=progress)
    except BuildError as error:
        assert done
        assert all(problem.file for problem in error.problems), "it says which file it was"
        return "failed"
    assert done
    return "done"


def test_a_source_that_became_a_pipe_is_told_of_and_not_waited_for(project: Project) -> None:
    written(project)
    with pytest.raises(
        BuildError, match=r"assets/i\.bin: this file could no longer be read \(it is no file any more\)"
    ) as error:
        build.compile(
            configuration.load(cwd=project.folder, environ={}),
            jobs=1,
            progress=lambda stage, done, _: to_pipe(project.folder / "assets") if (stage, done) == ("link", 1) else None,
        )
    assert len(error.value.problems) == 1


def at(clock: str, folder: Path) -> None:
    """Build there, by a clock that goes wrong by so much, as far as programs can tell; the file system's goes right."""
    line, environ = faults.command()
    environ |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    del environ["SOURCE_DATE_EPOCH"]
    done = subprocess.run(["faketime", "-f", clock, *line], cwd=folder, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_clock_that_jumps_hides_no_change(project: Project) -> None:
    """Forward before the build that is remembered, and back before the next; each change leaves size and time as they were."""
    if shutil.which("faketime") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("faketime is not installed")
    written(project)
    for number, clock in enumerate(["+2h", "-2h", "-20y", "+20y"]):
        rewritten(project.folder / "assets/i.bin", bytes([number]) * 1000)
        rewritten(project.folder / "assets/a.css", str(SITE["assets/a.css"]).replace("b ", f"{chr(99 + number)} ").encode())
        at(clock, project.folder)
        assert verify(project.folder / "dist").findings == ()
        assert project.published("i.bin") == bytes([number]) * 1000
        assert f"{chr(99 + number)}{{" in project.text("a.css")
    after = project.tree()
    for folder in ("dist", ".assetbuild"):
        shutil.rmtree(project.folder / folder)
    assert after == outcome(project)


def test_a_change_that_comes_behind_the_look_with_a_time_before_it_is_noticed(project: Project) -> None:
    written(project).compile()

    def earlier(assets: Path) -> None:
        before = (assets / "i.bin").stat().st_mtime_ns
        (assets / "i.bin").write_bytes(OTHER_PICTURE)
        os.utime(assets / "i.bin", ns=(0, before - 7_200_000_000_000))

    project.write({"assets/a.css": "c  {}"})
    assert disturbed(project, "publish", earlier) == "done"
    project.compile()
    assert project.published("i.bin") == OTHER_PICTURE
