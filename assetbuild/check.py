"""What do templates name that the sources do not give? Templates are read and none is run, and nothing is compiled."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from assetbuild import plan
from assetbuild.adopt import adopt
from assetbuild.build import everything
from assetbuild.compile import glance
from assetbuild.config import Config
from assetbuild.errors import ConfigError, Lines, Problem
from assetbuild.missing import SEARCHES
from assetbuild.runtime import closest
from assetbuild.runtime.media_types import TYPES
from assetbuild.templates import Named, RefusedError, django, jinja

if TYPE_CHECKING:
    from jinja2 import Environment

    from assetbuild.runtime.manifest import Entry

#: Files beside templates that are no text: what is none of these is taken for a template.
_OTHERS = re.compile(r"(?:image/(?!svg)|audio/|video/|font/|model/|application/(?:zip|gzip|pdf|wasm|vnd\.ms-fontobject))")
_OTHER_SUFFIXES = {"mo", "pyc", "so", "sqlite3"}


@dataclass(frozen=True, slots=True)
class Checked:
    """findings: sorted; templates: files that were read; literals: paths that were held against the sources; dynamic:
    arguments that only a running template knows; named: the assets that literals name."""

    findings: tuple[Problem, ...]
    templates: int
    literals: int
    dynamic: int
    named: frozenset[str]


def check(config: Config) -> Checked:
    """Hold what the templates name against the sources. Raises ConfigError and BuildError."""
    _refuse_absent(config)
    known = _logical_paths(config)
    environment = jinja.reading(config)
    advice = _Advice(known, config.base_url)
    findings: list[Problem] = []
    found: set[str] = set()
    templates = literals = dynamic = 0
    for root in config.templates:
        texts = {file: text for file in _files(root) if (text := _text(config, file, findings)) is not None}
        beside = any(map(django.is_django, texts.values()))
        for file, text in texts.items():
            templates += 1
            shown = config.shown(file)
            try:
                named = sorted(_named(environment, text, beside), key=lambda one: one.offset)
            except RefusedError as refused:
                findings.append(Problem(shown, refused.line, 1, f"Jinja refuses this template: {refused.why}"))
                continue
            lines = Lines(text)
            for one in named:
                if one.path is None:
                    dynamic += 1
                    continue
                literals += 1
                if path := _known(one.path, known):
                    found.add(path)
                else:
                    line, column = lines.place(one.offset)
                    what = f'no source gives "{one.path}"'
                    findings.append(Problem(shown, line, column, what, advice.on(one.path)))
    return Checked(tuple(sorted(set(findings))), templates, literals, dynamic, frozenset(found))


def _refuse_absent(config: Config) -> None:
    """A folder that is written down and not there is a slip, for nothing in it would ever be found."""
    if not config.templates_given:
        return
    file = plan.config_file(config)
    problems = [
        Problem(file, 0, 0, f'templates: there is no such folder: "{config.shown(root)}"', "name one that is there")
        for root in config.templates
        if not root.is_dir()
    ]
    if problems:
        raise ConfigError(problems)


def _logical_paths(config: Config) -> Mapping[str, Entry]:
    """Every path that a build of these sources would publish."""
    config = adopt(config).config
    published = everything(glance(config).tree(), config).published
    inner = {bundle.name for bundle in config.bundles if not bundle.published}
    return {path: cast("Entry", {"path": path}) for path in sorted(published) if path not in inner}


def _known(path: str, known: Mapping[str, Entry]) -> str:
    """The asset that the helper finds: by the whole, or up to a `?` or `#`; "" if there is none."""
    if path in known:
        return path
    return next((path[: end.start()] for end in re.finditer("[?#]", path) if path[: end.start()] in known), "")


class _Advice:
    """What may have been meant. A search takes time with each asset, so there are not more than so many, as for references."""

    def __init__(self, known: Mapping[str, Entry], base_url: str) -> None:
        self.known = known
        self.base_url = base_url
        self.near: dict[str, tuple[str, ...]] = {}

    def on(self, path: str) -> str:
        if path not in self.near and len(self.near) < SEARCHES:
            self.near[path] = closest.find(path, self.known, self.base_url)
        near = self.near.get(path)
        return f'did you mean "{near[0]}"?' if near else "add the file, or take the name out"


def _files(root: Path) -> Iterator[str]:
    """Every file below a folder, in the order of names; a folder that is not there has none."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if os.path.isfile(file := os.path.join(folder, name)):
                yield file


def _text(config: Config, file: str, findings: list[Problem]) -> str | None:
    """A template's text; None where there is none: a picture, or one that nothing can read, which is a finding."""
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        findings.append(Problem(config.shown(file), 0, 0, f"this file cannot be read: {error.strerror}"))
        return None
    bad = data.find(b"\0")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # What UTF-16 looks like has both.
        bad = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        text = ""
    if bad < 0:
        return text
    name = os.path.basename(file)
    suffix = name.rpartition(".")[2].lower()
    if not (name.startswith(".") or suffix in _OTHER_SUFFIXES or _OTHERS.match(TYPES.get(suffix, ""))):
        before = data[:bad].decode("utf-8-sig", "replace")
        line, column = Lines(before + "x").place(len(before))
        what = "this template holds a null character" if text else "this template is not UTF-8"
        findings.append(Problem(config.shown(file), line, column, what, "save it as UTF-8"))
    return None


def _named(environment: Environment, text: str, beside: bool) -> list[Named]:
    """beside: whether files beside it are Django's; then one that Jinja cannot read is taken for another of them."""
    if django.is_django(text):
        return list(django.named(text))
    try:
        return list(jinja.named(environment, text))
    except RefusedError:
        if beside:
            return list(django.named(text))
        raise
