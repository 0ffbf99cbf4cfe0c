"""Which files a bundle of webassets' has, by their paths in the tree of source roots: webassets' own resolver finds them."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assetbuild.adopt.environment import Found
from assetbuild.config import Config
from assetbuild.patterns import Pattern, PatternError
from assetbuild.sources import passed_over

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import webassets.bundle
    import webassets.utils

_Bundle: Any = webassets.bundle.Bundle
_wrap: Any = webassets.bundle.wrap
_is_url: Any = webassets.utils.is_url

VERSION = "%(version)s"


def roots_of(config: Config, found: Found) -> tuple[Path, ...]:
    """The configured roots, then the environment's folders: those that are there, none that another one holds."""
    wanted: list[str] = []
    with contextlib.suppress(OSError, TypeError):  # webassets' EnvironmentError where no directory is configured.
        wanted.append(found.absolute(found.env.directory))
    for path in found.env.load_path or ():
        wanted += sorted(found.absolute(match) for match in glob.iglob(os.fspath(path)))
    if found.app is not None and not found.env.load_path:
        folders = [blueprint.static_folder for blueprint in found.app.blueprints.values() if blueprint.has_static_folder]
        wanted += [found.absolute(folder) for folder in folders]
    adopted = [path for path in dict.fromkeys(wanted) if os.path.isdir(path)]
    roots = list(config.sources)
    for path in adopted:
        real = Path(os.path.realpath(path))
        others = [Path(os.path.realpath(other)) for other in [*map(str, config.sources), *adopted] if other != path]
        inside = any(real.is_relative_to(other) and real != other for other in others)
        if not inside and real not in [Path(os.path.realpath(root)) for root in roots]:
            roots.append(Path(path))
    return tuple(roots)


@dataclass(slots=True)
class Contents:
    """The source roots as one tree, and what webassets finds in it. outputs: the logical path of each bundle with an output, by
    that file. kept: paths of files that are sources only because a bundle names them."""

    config: Config
    found: Found
    roots: tuple[Path, ...]
    outputs: dict[str, str] = field(default_factory=dict)
    kept: list[Pattern] = field(default_factory=list)

    def resolved(self, bundle: Any, place: str) -> Iterator[Any]:
        """The absolute paths and the bundles that webassets takes a bundle's contents for; each once."""
        context = _wrap(self.found.env, bundle)
        found: list[Any] = []
        for item in bundle.contents:
            if _is_url(item) or (isinstance(item, str) and item.startswith("//")):
                hint = "download it into a source root, or give it a tag of its own in the templates"
                self.found.problem(place, "contents", f'"{item}" is a remote URL: a build fetches nothing', hint)
                continue
            found += self.one_item(context, item, place)
        own = None
        if bundle.output and VERSION not in bundle.output:
            own = self.found.absolute(context.resolver.resolve_output_to_path(context, bundle.output, bundle))
        seen: list[Any] = []
        for one in found:
            if any(one is other or (isinstance(one, str) and one == other) for other in seen):
                if not bundle.remove_duplicates:
                    what = f'"{self.shown(one) if isinstance(one, str) else one.output}" is in it twice, and taken once'
                    self.found.problem(place, "remove_duplicates", what, warning=True)
            elif one != own:
                seen.append(one)
        yield from seen

    def one_item(self, context: Any, item: Any, place: str) -> list[Any]:
        try:
            result = context.resolver.resolve_source(context, item)
        except OSError:
            result = None
        except Exception as error:
            words = " ".join(str(error).split())
            self.found.problem(place, "contents", f'"{item}" cannot be found: {type(error).__name__}: {words}')
            return []
        results = result if isinstance(result, list) else [result]
        taken = []
        for one in results:
            if isinstance(one, _Bundle):
                taken.append(one)
                continue
            file = self.found.absolute(one) if isinstance(one, str) else self.in_directory(item)
            if file in self.outputs or os.path.isfile(file):
                taken.append(file)
            else:
                self.found.problem(place, "contents", f'"{item}" is no file: {self.searched(context, one)}')
        return taken

    def in_directory(self, item: Any) -> str:
        return next((os.path.normpath(root / str(item)) for root in self.directories()), "")

    def searched(self, context: Any, one: Any) -> str:
        if isinstance(one, str):
            return f"looked for {self.shown(one)}"
        folders = context.load_path or [str(root) for root in self.directories()]
        return "looked for in " + ", ".join(self.shown(folder) for folder in folders)

    def logical(self, file: str, bundle: str, place: str) -> str:
        """The path of a file in the tree, or of the bundle that becomes it; "" where a problem was noted."""
        if self.outputs.get(file, bundle) != bundle:
            return self.outputs[file]
        number, path = next(self.in_tree(file), (0, ""))
        for earlier in self.places(path)[:number]:
            if earlier and os.path.exists(earlier) and not os.path.samefile(earlier, file):
                what = f'"{self.shown(file)}" is hidden by "{self.shown(earlier)}", which has the same path in the tree'
                self.found.problem(place, "contents", what, "rename one of the two" + self.or_move(file))
                return ""
        if not path:
            hint = f'add "{self.shown(os.path.dirname(file))}" to sources'
            self.found.problem(place, "contents", f'"{self.shown(file)}" is in no source root', hint)
            return ""
        if any(pattern.matches(path) for pattern in self.config.exclude):
            what = f'"{self.shown(file)}" is left out by exclude'
            self.found.problem(place, "contents", what, "take it out of exclude, or out of the bundle")
            return ""
        if passed_over(path) and not any(pattern.matches(path) for pattern in self.config.keep_names):
            self.kept += [pattern for pattern in self.pattern(path, place, "contents") if pattern not in self.kept]
        return path

    def or_move(self, file: str) -> str:
        """What else helps where a blueprint's file has the path of another one."""
        for name, blueprint in self.found.app.blueprints.items() if self.found.app is not None else ():
            if blueprint.has_static_folder and below(Path(folder := self.found.absolute(blueprint.static_folder)), file):
                return f', or move this one into "{self.shown(os.path.join(folder, name))}"'
        return ""

    def in_tree(self, file: str) -> Iterator[tuple[int, str]]:
        """The roots that hold a file, by their number, and its path below each; where none does, by what links lead to."""
        for one, real in ((file, False), (os.path.realpath(file), True)):
            for number, root in enumerate(self.roots):
                if path := below(Path(os.path.realpath(root)) if real else root, one):
                    yield number, self.config.prefix(number) + path

    def places(self, path: str) -> list[Path | None]:
        """Where each root has, or would have, the file with this logical path; None where none of its files can have it."""
        prefixes = [self.config.prefix(number) for number in range(len(self.roots))]
        pairs = zip(self.roots, prefixes, strict=True)
        return [root / path.removeprefix(prefix) if path.startswith(prefix) else None for root, prefix in pairs]

    def pattern(self, path: str, place: str, key: str, *, glob: bool = False) -> list[Pattern]:
        try:
            return [Pattern(path if glob else literal(path), from_top=True)]
        except PatternError as error:
            self.found.problem(place, key, f'"{path}": {error}')
            return []

    def depends(self, bundle: Any, place: str) -> Iterable[Pattern]:
        """As patterns, so that files that are not there yet count too."""
        for item in bundle.depends or ():
            for base, rest in self.bases(item):
                path = os.path.normpath(os.path.join(base, rest))
                _, inside = next(self.in_tree(path), (0, ""))
                if inside:
                    yield from self.pattern(inside, place, "depends", glob=True)
                    continue
                hint = f'add "{self.shown(os.path.dirname(path.partition("*")[0] or path))}" to sources'
                self.found.problem(place, "depends", f'"{item}" is in no source root', hint)

    def bases(self, item: str) -> list[tuple[str, str]]:
        """The folders in which webassets looks for a path, and what of the path it looks for there."""
        env = self.found.env
        if os.path.isabs(item):
            return [("/", item)]
        if env.load_path:
            return [(self.found.absolute(match), item) for path in env.load_path for match in sorted(glob.iglob(str(path)))]
        if hasattr(env.resolver, "split_prefix"):
            folder, rest, _ = env.resolver.split_prefix(env, item)
            return [(folder, rest)]
        return [(str(root), item) for root in self.directories()]

    def directories(self) -> Iterator[Path]:
        with contextlib.suppress(OSError, TypeError):
            yield Path(self.found.absolute(self.found.env.directory))

    def shown(self, path: str | Path) -> str:
        return os.path.relpath(path, self.config.working_folder)


def below(root: Path, file: str) -> str:
    """The path below a folder, or ""."""
    path = os.path.relpath(file, root)
    return "" if path.startswith("../") or path in (".", "..") else path


def literal(path: str) -> str:
    """The pattern that means this path and no other."""
    return re.sub(r"[*?\[{]", r"[\g<0>]", path)
