from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from assetbuild import compile as build
from assetbuild import config as configuration
from assetbuild.result import Result
from assetbuild.runtime.manifest import Manifest, load


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


def toml(**keys: object) -> str:
    """An assetbuild.toml with these keys at its top; JSON's strings, lists and numbers are TOML's."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
