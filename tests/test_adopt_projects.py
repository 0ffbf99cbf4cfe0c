"""Whole projects that use webassets, adopted, and held against what webassets itself builds of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assetbuild import config as configuration
from assetbuild.adopt import Adopted, adopt
from assetbuild.config import Bundle, Config
from assetbuild.filters import Unit
from assetbuild.filters.chains import language, load
from assetbuild.syntax.css import comparison as css
from assetbuild.syntax.js import comparison as js
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
