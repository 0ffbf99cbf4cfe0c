"""Whole projects that use webassets, adopted, and held against what webassets itself builds of them."""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tinycss2

from assetbuild import config as configuration
from assetbuild.adopt import Adopted, adopt
from assetbuild.config import Bundle, Config
from assetbuild.errors import ConfigError
from assetbuild.filters import Unit
from assetbuild.filters.chains import language, load
from assetbuild.syntax.css import comparison as css
from assetbuild.syntax.js import comparison as js
from tests.conftest import Project
from tests.npm import node
from tests.projects_webassets import SAMPLES, Sample

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name.replace(" ", "-"))


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """What a test imports is gone afterwards."""
    before = set(sys.modules)
    yield
    tops = {module for sample in SAMPLES for module in sample.modules}
    for name in set(sys.modules) - before:
        if name.split(".")[0] in tops:
            del sys.modules[name]


def adopted(sample: Sample, folder: Path) -> Adopted:
    return adopt(configuration.load(cwd=sample.write(folder), environ={}))


def joined(config: Config, bundle: Bundle) -> str:
    """A bundle as webassets' words for it say: parts through the one chain, a line end between, the whole through the other."""
    roots = tuple(map(str, config.sources))
    named = {bundle.name: bundle for bundle in config.bundles}

    def filtered(text: str, names: tuple[str, ...], path: str, file: str, hooks: str) -> str:
        for name in names:
            unit = Unit(path, file, roots, language(path))
            text = load(name, config.webassets, (str(config.folder),), 30, hooks).apply(text, unit).text  # type: ignore[arg-type]
        return text

    texts = []
    for pattern in bundle.contents:
        part = next((one for one in named.values() if pattern.matches(one.name)), None)
        if part:
            texts.append(joined(config, part))
            continue
        files = [(root, file) for root in config.sources for file in sorted(root.rglob("*")) if file.is_file()]
        root, file = next((r, f) for r, f in files if pattern.matches(f.relative_to(r).as_posix()))
        path = file.relative_to(root).as_posix()
        texts.append(filtered(file.read_text(), bundle.part_filters or (), path, str(file), "parts"))
    return filtered("\n".join(texts), bundle.filters or (), bundle.name, "", "whole")


def without_urls(text: str) -> str:
    """Where references lead is said of the finished build."""
    return re.sub(r"url\([^)]*\)", "url(x)", text)


@each_sample
def test_filters_run_on_parts_and_wholes_as_webassets_runs_them(sample: Sample, tmp_path: Path) -> None:
    theirs = sample.built_by_webassets(tmp_path / "theirs")
    config = adopted(sample, tmp_path / "ours").config
    published = [bundle for bundle in config.bundles if bundle.published]
    assert sorted(bundle.name for bundle in published) == sorted(theirs)
    for bundle in published:
        left, right = theirs[bundle.name], joined(config, bundle)
        if bundle.name.endswith(".css"):
            left, right = without_urls(left), without_urls(right)
            assert css.first_difference(left, right) is None, (left, right)
        else:
            assert js.first_difference(left, right) is None, (left, right)


# The finished build


def named_files(text: str) -> str:
    """A style sheet whose references are only the names of files: where they lead is said of each by its file."""
    return re.sub(r"url\(['\"]?([^)'\"]*)['\"]?\)", lambda m: f"url({m[1].rpartition('/')[2]})", text)


def css_tokens(text: str) -> list[str]:
    """What an independent tokenizer finds, blanks and comments aside."""
    tokens = tinycss2.parse_component_value_list(text, skip_comments=True)
    return re.sub(r"\s*([{}:;,>])\s*|\s+", lambda m: m[1] or " ", tinycss2.serialize(tokens)).replace(";}", "}").strip().split()


@each_sample
def test_what_is_published_means_what_webassets_builds(sample: Sample, tmp_path: Path) -> None:
    theirs = sample.built_by_webassets(tmp_path / "theirs")
    project = Project(sample.write(tmp_path / "ours"))
    try:
        project.compile()
    except ConfigError as error:
        if "bundles are not built by this version yet" in str(error):
            pytest.skip("bundles are not built yet")
        raise
    logical_paths = {entry["path"]: path for path, entry in project.manifest["assets"].items()}
    scripts = []
    for path, left in theirs.items():
        right = project.text(path)
        if not path.endswith(".css"):
            scripts.append((path, left, right))
            continue
        for public_path, logical_path in logical_paths.items():
            right = right.replace(posixpath.basename(public_path), posixpath.basename(logical_path))
        assert css_tokens(named_files(right)) == css_tokens(named_files(left)), path
    differences = json.loads(node("same_script.mjs", text=json.dumps([(left, right) for _, left, right in scripts])))
    assert [(path, found) for (path, _, _), found in zip(scripts, differences, strict=True) if found] == []
