"""Packages of npm that the tests take as judges, as input and as the tools that filters run: installed once, at exact
versions, below `.npm/` in the project's folder."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

JUDGES = Path(__file__).parent / "judges"
TOOLS = Path(__file__).parent / "tools"
FOLDER = Path(__file__).parent.parent / ".npm"
#: Where the packages of each folder's package.json are installed.
INSTALLED = {JUDGES: FOLDER, TOOLS: FOLDER / "tools"}
_INSTALL = (
    "npm",
    "install",
    "--ignore-scripts",
    "--omit=optional",
    "--legacy-peer-deps",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
)


def _missing(reason: str) -> None:
    # On a continuous integration server a judge that does not sit is a failure, not a footnote.
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def thorough() -> bool:
    """Whether the environment asks for all that the judges can say, however long it takes."""
    return bool(os.environ.get("THOROUGH"))


@functools.cache
def packages(wanted: Path = JUDGES) -> Path:
    """The `node_modules` folder with the packages of a folder's package.json; skips the test where npm or node is missing or
    the installation fails, and fails it where the environment has CI."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            _missing(f"{tool} is not installed")
    pins = (wanted / "package.json").read_bytes()
    folder = INSTALLED[wanted]
    folder.mkdir(parents=True, exist_ok=True)
    installed = folder / "installed.json"
    with open(folder / "lock", "w") as lock:
        # pytest-xdist's workers ask all at once: the first installs, the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_bytes() != pins:
            installed.unlink(missing_ok=True)
            (folder / "package.json").write_bytes(pins)
            done = subprocess.run(_INSTALL, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                _missing(f"npm install failed: {done.stderr[-2000:]}")
            installed.write_bytes(pins)
    return folder / "node_modules"


def share(files: Iterable[Path], size: int) -> list[Path]:
    """Some of these files, of each package as many as make up `size` bytes; all of them where everything is asked for.

    Large packages hold the same code several times over, as it was written, joined and minified. The choice is always the same:
    in the order of the digests of their names, what still fits.
    """
    if thorough():
        return list(files)
    left: dict[str, int] = {}
    chosen = []
    named = ((path.relative_to(packages()).as_posix(), path) for path in files)
    for name, path in sorted(named, key=lambda pair: hashlib.sha1(pair[0].encode()).digest()):
        package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        left[package] = left.get(package, size)
        if path.stat().st_size <= left[package]:
            left[package] -= path.stat().st_size
            chosen.append(path)
    return chosen


def node(script: str, *arguments: str, text: str = "") -> str:
    """What a script of `judges/` prints when node runs it with `text` on its standard input; the folder of the packages is
    its first argument."""
    done = subprocess.run(
        ["node", "--max-old-space-size=1500", str(JUDGES / script), str(packages()), *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{script} failed: {done.stderr[-4000:]}")
    return done.stdout
