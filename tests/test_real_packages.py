"""Whole packages as people vendor them, compiled as one tree: what is reported as missing is really missing, and everything
else leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from assetbuild.verify import verify
from tests import npm
from tests.conftest import Project, toml

pytestmark = pytest.mark.long

PACKAGES = (
    "bootstrap",
    "bulma",
    "@picocss/pico",
    "katex",
    "@fortawesome/fontawesome-free",
    "codemirror",
    "leaflet",
    "video.js",
    "lit",
    "lit-html",
    "lit-element",
    "@lit/reactive-element",
    "lodash-es",
    "d3-selection",
    "d3-geo",
    "chart.js",
    "htmx.org",
    "alpinejs",
    "@hotwired/turbo",
    "@hotwired/stimulus",
    "marked",
)


def test_vendored_packages_compile_without_a_false_error(project: Project) -> None:
    # Of six thousand icons, and of two hundred sheets that differ in their colours alone, each is like the others.
    alike = shutil.ignore_patterns("node_modules", "svgs-full", "solid", "pico.*.css")
    for package in PACKAGES:
        shutil.copytree(npm.packages() / package, project.folder / "assets" / package, ignore=alike)
    # What is compiled from Sass and Less is not what this is about.
    without = ["*.scss", "*.sass", "*.less"]
    project.write({"assetbuild.toml": toml(sources=["assets"], exclude=without, missing="warn", compress=[])})
    result = project.compile(jobs=None)

    said = [str(warning) for warning in result.warnings]
    missing = [line for line in said if "is in no source root" in line]
    assert [line for line in said if line not in missing and "would change the meaning" not in line] == []
    assert missing, "leaflet's sources leave suffixes out, so there is something to find"
    for line in missing:
        found = re.fullmatch(r'(.*?):(\d+):(\d+): (?:the source map )?"(.*?)" is in no source root; .*', line)
        assert found, line
        file = Path(os.path.relpath(project.folder)) / found[1] if not Path(found[1]).exists() else Path(found[1])
        assert not (file.parent / found[4]).is_file(), line
        # The place is where the path stands, and a person finds it there.
        text = file.read_bytes().decode().splitlines()[int(found[2]) - 1]
        assert text[int(found[3]) - 1 :].startswith(found[4]), line

    verification = verify(project.folder / "dist")
    assert verification.findings == ()
    assert len(result.manifest["assets"]) > 3000
