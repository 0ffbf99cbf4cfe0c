from __future__ import annotations

import compileall
import gc
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

import assetbuild
from assetbuild import compile as build
from assetbuild import config as configuration
from assetbuild.pool import available_cores
from assetbuild.result import Result
from assetbuild.runtime.manifest import Manifest, load
from tests.npm import thorough

# In the background of a script these are ignored, and what is ignored here is ignored by every process that a test starts.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)

# No test is about how long it takes: a machine may be busy.
hypothesis.settings.register_profile("daily", hypothesis.settings.default, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=2000, deadline=None)
hypothesis.settings.load_profile("thorough" if thorough() else "daily")


def examples(count: int) -> int:
    """How many examples a property is tried with that is given so many from day to day."""
    return count * 20 if thorough() else count


def pytest_configure(config: pytest.Config) -> None:
    """Bytecode once, and not in each of the processes that tests start with PYTHONDONTWRITEBYTECODE."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(str(Path(assetbuild.__file__).parent), quiet=2)


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the garbage collector would look through them again and again, for a fifteenth of the
    time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: a good part of what the tests do is to wait for disks, servers and browsers."""
    return available_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left with it in the end; with it the others have something to take."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own; a build in a test is a dict of files."""

    folder: Path

    def write(self, files: Mapping[str, str | bytes]) -> Project:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def compile(self, *, jobs: int | None = 1, environ: Mapping[str, str] | None = None) -> Result:
        config = configuration.load(cwd=self.folder, environ=environ or {})
        return build.compile(config, jobs=jobs)

    @property
    def manifest(self) -> Manifest:
        return load(self.folder / "dist/manifest.json")

    def public(self, logical_path: str) -> str:
        return self.manifest["assets"][logical_path]["path"]

    def published(self, logical_path: str) -> bytes:
        return (self.folder / "dist" / self.public(logical_path)).read_bytes()

    def text(self, logical_path: str) -> str:
        return self.published(logical_path).decode()

    def tree(self) -> dict[str, bytes]:
        """Every file of the artifact."""
        dist = self.folder / "dist"
        return {p.relative_to(dist).as_posix(): p.read_bytes() for p in sorted(dist.rglob("*")) if p.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "assets").mkdir()
    return Project(tmp_path)


@pytest.fixture
def inside(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that is the working folder, with no time given from outside."""
    monkeypatch.chdir(project.folder)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return project


def toml(**keys: object) -> str:
    """An assetbuild.toml with these keys at its top; JSON's strings, lists and numbers are TOML's."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
