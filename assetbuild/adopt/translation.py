"""webassets' bundles as this configuration's: each file by its logical path, each filter by a name, each nested bundle as a
bundle of its own that is only a part."""

from __future__ import annotations

import contextlib
import glob
import os
import posixpath
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assetbuild.adopt import steps
from assetbuild.adopt.environment import Found
from assetbuild.adopt.steps import Registrar, Step, merged
from assetbuild.config import Bundle, Config, overlap
from assetbuild.errors import ConfigError, Problem
from assetbuild.patterns import Pattern, PatternError
from assetbuild.sources import passed_over

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import webassets.bundle
    import webassets.env
    import webassets.utils

_Bundle: Any = webassets.bundle.Bundle
_wrap: Any = webassets.bundle.wrap
_is_url: Any = webassets.utils.is_url

VERSION = "%(version)s"
#: How webassets writes a version: a hash's first eight digits, or a time in seconds.
_VERSIONS = ("[0-9a-f]" * 8, "[0-9]" * 10)


def translate(config: Config, found: Found) -> tuple[Config, tuple[Problem, ...]]:
    """The configuration with the environment's roots, bundles and settings, and warnings. Raises ConfigError."""
    translation = _Translation(config, found, _roots(config, found))
    translation.environment()
    for place, bundle in _registered(found.env):
        translation.collect(bundle, place, [])
    for top in translation.tops.values():
        translation.publish(top)
    translation.left_over()
    problems = sorted(set(found.problems))
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problem for problem in problems if problem.severity == "error")
    adopted = replace(
        config,
        sources=translation.roots,
        exclude=(*config.exclude, *translation.stale),
        keep_names=(*config.keep_names, *translation.kept),
        bundles=(*config.bundles, *translation.bundles.values()),
        bundles_from=None,
        webassets=_settings(found, config),
    )
    return adopted, tuple(problems)


def _registered(env: Any) -> Iterator[tuple[str, Any]]:
    """Every bundle of the environment once, with the words that name it."""
    seen = set()
    names: dict[str, Any] = env._named_bundles
    for name, bundle in names.items():
        if id(bundle) not in seen:
            seen.add(id(bundle))
            yield f'"{name}"', bundle
    for number, bundle in enumerate(env._anon_bundles, 1):
        if id(bundle) not in seen:
            seen.add(id(bundle))
            yield f'"{bundle.output}"' if bundle.output else f"number {number}", bundle


def _settings(found: Found, config: Config) -> dict[str, object]:
    """What the environment sets its filters to: all of its configuration that is not webassets' own; [webassets] wins."""
    passed = {*webassets.env.env_options, "resolver", *(key.lower() for key in config.webassets)}
    settings: dict[str, object] = {}
    if found.app is None:
        settings |= found.env.config._dict
    else:
        passed |= {key.lower() for key in type(found.app).default_config}
        settings |= {key: value for key, value in found.app.config.items() if not key.startswith("ASSETS_")}
    return {key: value for key, value in settings.items() if key.lower() not in passed} | dict(config.webassets)


def _roots(config: Config, found: Found) -> tuple[Path, ...]:
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


@dataclass(frozen=True, slots=True)
class _Top:
    """A bundle with an output. place: the words that name it. extra: the filters of the containers that it is in."""

    bundle: Any
    place: str
    name: str
    extra: list[Step]


@dataclass(slots=True)
class _Translation:
    config: Config
    found: Found
    roots: tuple[Path, ...]
    registrar: Registrar = field(init=False)
    #: By the path of the output; by logical path; and what became of them.
    outputs: dict[str, str] = field(default_factory=dict)
    tops: dict[str, _Top] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    stale: list[Pattern] = field(default_factory=list)
    kept: list[Pattern] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    nested: set[int] = field(default_factory=set)
    without_output: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        app = self.found.app
        self.registrar = Registrar(app.app_context if app is not None else contextlib.nullcontext)

    # ---- the environment itself

    def environment(self) -> None:
        found, config = self.found, self.config
        if found.debug:
            what = f"{found.debug!r} is passed over: a build is always that of production"
            found.problem("", "debug", what, warning=True)
        for root in self.roots[len(config.sources) :]:
            if message := overlap(config.output, root, self.shown):
                found.problem("", "directory", message, "give the artifact a folder of its own: set output")
        with contextlib.suppress(OSError, TypeError):
            url = str(found.env.url or "")
            if url and url.rstrip("/") != config.base_url.rstrip("/"):
                what = f'webassets had "{url}"; URLs begin with base_url, which is "{config.base_url}"'
                found.problem("", "url", what, f'set base_url = "{url}" if that is meant', warning=True)

    def shown(self, path: str | Path) -> str:
        return os.path.relpath(path, self.config.working_folder)

    # ---- which bundles are published

    def collect(self, bundle: Any, place: str, extra: list[Step], above: tuple[int, ...] = ()) -> None:
        """Note the bundles with an output in a registered one: itself, or where it is a container those in it."""
        if id(bundle) in above:
            self.found.problem(place, "contents", "it is in itself")
            return
        self.look_at(bundle, place)
        if bundle.is_container:
            passed = merged(self.steps(bundle, place, bundle.output or place), extra)
            if not bundle.contents:
                self.found.problem(place, "contents", "it has none, and is passed over", warning=True)
            for number, child in enumerate(bundle.contents, 1):
                self.collect(child, f"{place}, number {number} in it", passed, (*above, id(bundle)))
        elif not bundle.output:
            self.without_output.append((place, bundle))
        elif (name := self.logical_path(bundle, place)) is not None:
            other = self.tops.setdefault(name, _Top(bundle, place, name, extra))
            if other.bundle is not bundle:
                what = f'"{name}" is the output of bundle {other.place} too'
                self.found.problem(place, "output", what, "give each an output of its own")
            elif self.filters_of(bundle, extra) != self.filters_of(bundle, other.extra):
                what = f'"{name}" is built for bundle {other.place} too, with other filters'
                self.found.problem(place, "output", what, "take it out of one, or give both the same filters")

    def filters_of(self, bundle: Any, extra: list[Step]) -> list[Any]:
        return [step.filter for step in merged(self.steps(bundle, "", ""), extra)]

    def look_at(self, bundle: Any, place: str) -> None:
        """What cannot be honoured of a bundle, once."""
        if id(bundle) in self.seen:
            return
        self.seen.add(id(bundle))
        problem = self.found.problem
        if bundle._extra:
            keys = ", ".join(map(str, bundle._extra))
            what = f"it is for webassets' template tags and says nothing here ({keys})"
            problem(place, "extra", what, "write it into the templates", warning=True)
        debug = bundle.config.get("debug")
        if debug not in (None, False):
            problem(place, "debug", f"{debug!r} is passed over: a build is always that of production", warning=True)
        if not bundle.merge:
            problem(place, "merge", "merge=False is for bundles that are registered under a name", "register it")

    def logical_path(self, bundle: Any, place: str) -> str | None:
        """The output without its version, in the tree."""
        output = str(bundle.output)
        name = unversioned(output)
        context = _wrap(self.found.env, bundle)
        file = self.found.absolute(context.resolver.resolve_output_to_path(context, output, bundle))
        if os.path.isabs(name):
            name = next((self.below(root, unversioned(file)) or "" for root in self.directories()), "")
        name = posixpath.normpath(name) if name else name
        if not name or name.startswith(("../", "/")) or name in (".", ".."):
            self.found.problem(place, "output", f'"{output}" is outside the directory', "name a file below it")
            return None
        if not posixpath.splitext(posixpath.basename(name))[1] or posixpath.basename(name).startswith("."):
            what = f'"{output}" has nothing but a version for a name' if VERSION in output else f'"{output}" has no suffix'
            self.found.problem(place, "output", what, 'name it like "js/app.js"')
            return None
        self.outputs[unversioned(file)] = name
        for root in self.roots:
            if path := self.below(root, file):
                self.stale += _made_before(path)
        return name

    def directories(self) -> Iterator[Path]:
        with contextlib.suppress(OSError, TypeError):
            yield Path(self.found.absolute(self.found.env.directory))

    @staticmethod
    def below(root: Path, file: str) -> str:
        """The path below a folder, or ""."""
        path = os.path.relpath(file, root)
        return "" if path.startswith("../") or path in (".", "..") else path

    # ---- bundles

    def publish(self, top: _Top) -> None:
        self.bundle(top.bundle, top.place, top.name, top, [], [*top.extra], published=True)

    def steps(self, bundle: Any, place: str, name: str, number: int = 1, settings: Any = None) -> list[Step]:
        """A bundle's own filters, without those that only do what is done anyway."""
        result = []
        for filter_ in bundle.filters:
            where = f"{self.config.bundles_from} {name} filter {number}"
            step = Step(filter_, where, self.overlay(bundle) if settings is None else settings)
            number += 1
            if not steps.is_rewriter(step):
                result.append(step)
            elif not steps.is_plain_rewriter(step):
                what = f"{step.words} has rules of its own, which are passed over: references keep leading where they led"
                self.found.problem(place, "filters", what, warning=True)
        return result

    def overlay(self, bundle: Any) -> dict[str, object]:
        """What the bundle's config sets filters to; the configuration file's own [webassets] wins."""
        given = {key.lower() for key in self.config.webassets}
        return {k: v for k, v in bundle.config._dict.items() if k not in given and k not in ("debug", "resolver")}

    def bundle(
        self,
        bundle: Any,
        place: str,
        name: str,
        top: _Top,
        parents: list[Step],
        extra: list[Step],
        *,
        published: bool = False,
        above: tuple[int, ...] = (),
    ) -> str:
        """Translate a bundle and what is nested in it; the name of what came of it, or "" where it has nothing in it."""
        if id(bundle) in above:
            self.found.problem(place, "contents", "it is in itself")
            return ""
        self.look_at(bundle, place)
        own_steps = self.steps(bundle, place, name)
        # A container's filters are set up with what its child is set to.
        overlay = self.overlay(bundle)
        around = [Step(s.filter, f"{s.place} for {name}", overlay) for s in extra]
        own = merged(own_steps, around)
        run = merged(own, parents)
        resolved = list(self.resolved(bundle, place))
        files = [one for one in resolved if isinstance(one, str) and not self.is_output(one, name)]
        try:
            part_filters = self.registrar.parts(run, files)
            filters, joiners = self.registrar.whole(run, own)
        except steps.TooManyError as error:
            self.found.problem(place, "filters", str(error))
            return ""
        for step in joiners:
            what = f"{step.words} is given the parts as one text, already joined"
            self.found.problem(place, "filters", what, warning=True)
        contents: list[Pattern] = []
        if published:
            # Its place among the others is that of the first mention, before what is nested in it.
            self.bundles[name] = Bundle(name, ())
        children = 0
        for one in resolved:
            if isinstance(one, str):
                path = self.outputs[one] if self.is_output(one, name) else self.logical(one, place)
            else:
                children += 1
                self.nested.add(id(one))
                words = f"{place}, number {children} in it"
                path = self.bundle(one, words, self.free_name(top.name), top, run, [], above=(*above, id(bundle)))
            if path:
                contents += self.pattern(path, place, "contents")
        if not contents and not published:
            return ""
        if not contents:
            # The build says that they match nothing.
            for item in bundle.contents:
                contents += self.pattern(item, place, "contents", glob=True) if isinstance(item, str) else []
        if not contents and not bundle.contents:
            self.found.problem(place, "contents", "it has none", "name its parts, or take the bundle out")
        depends = tuple(self.depends(bundle, place))
        self.bundles[name] = Bundle(name, tuple(contents), filters, False, depends, part_filters, published)
        return name

    def free_name(self, top: str) -> str:
        """A name for a nested bundle that no source and no other bundle has: `app.js` → `app.js/(1).js`."""
        number = 1
        while True:
            name = f"{top}/({number}){posixpath.splitext(top)[1]}"
            if name not in self.bundles and not any(os.path.lexists(root / name) for root in self.roots):
                self.bundles[name] = Bundle(name, (), published=False)
                return name
            number += 1

    def left_over(self) -> None:
        """Bundles without an output that are in no other, though they have filters: in webassets they cannot be built."""
        for name in [name for name, bundle in self.bundles.items() if not bundle.published and not bundle.contents]:
            del self.bundles[name]
        for place, bundle in self.without_output:
            if id(bundle) not in self.nested and bundle.filters:
                what = "it has filters and no output, and is in no other bundle: it is not built"
                self.found.problem(place, "output", what, warning=True)

    # ---- what they hold

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

    def is_output(self, file: str, name: str) -> bool:
        """Whether it is what another bundle becomes."""
        return file in self.outputs and self.outputs[file] != name

    def logical(self, file: str, place: str) -> str:
        """The path of a file in the tree, or "" where a problem was noted."""
        number, path = next(self.in_tree(file), (0, ""))
        for earlier in self.roots[:number]:
            if os.path.exists(earlier / path) and not os.path.samefile(earlier / path, file):
                what = f'"{self.shown(file)}" is hidden by "{self.shown(earlier / path)}", which has the same path in the tree'
                self.found.problem(place, "contents", what, "rename one of the two")
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

    def in_tree(self, file: str) -> Iterator[tuple[int, str]]:
        """The roots that hold a file, by their number, and its path below each; where none does, by what links lead to."""
        for one, real in ((file, False), (os.path.realpath(file), True)):
            for number, root in enumerate(self.roots):
                if path := self.below(Path(os.path.realpath(root)) if real else root, one):
                    yield number, path

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


def unversioned(output: str) -> str:
    """An output without the version and the separator before it: `gen/packed.%(version)s.js` → `gen/packed.js`."""
    output = re.sub(r"[?&][^/]*%\(version\)s.*$", "", output)
    output = re.sub(r"(^|/)%\(version\)s[-._/]", r"\1", output)
    return re.sub(r"[-._]?%\(version\)s", "", output)


def literal(path: str) -> str:
    """The pattern that means this path and no other."""
    return re.sub(r"[*?\[{]", r"[\g<0>]", path)


def _made_before(path: str) -> list[Pattern]:
    """What webassets has built in the source folders is no source."""
    texts = {literal(path)} if VERSION not in path else {v.join(map(literal, path.split(VERSION))) for v in _VERSIONS}
    with contextlib.suppress(PatternError):
        return [Pattern(text, from_top=True) for text in sorted(texts)]
    return []
