"""webassets' bundles as this configuration's: each file by its logical path, each filter by a name, each nested bundle as a
bundle of its own that is only a part."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assetbuild.adopt import steps
from assetbuild.adopt.contents import VERSION, Contents, below, literal, roots_of
from assetbuild.adopt.environment import Found
from assetbuild.adopt.steps import Registrar, Step, merged
from assetbuild.config import Bundle, Config, overlap
from assetbuild.errors import ConfigError, Problem
from assetbuild.patterns import Pattern, PatternError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import webassets.bundle
    import webassets.env

_wrap: Any = webassets.bundle.wrap

#: How webassets writes a version: a hash's first eight digits, or a time in seconds.
_VERSIONS = ("[0-9a-f]" * 8, "[0-9]" * 10)


def translate(config: Config, found: Found) -> tuple[Config, tuple[Problem, ...]]:
    """The configuration with the environment's roots, bundles and settings, and warnings. Raises ConfigError."""
    translation = _Translation(config, found, Contents(config, found, roots_of(config, found)))
    translation.environment()
    for place, bundle in _registered(found.env):
        translation.collect(bundle, place, [])
    for top in translation.tops.values():
        translation.translate(top.bundle, top.place, top.name, top, extra=top.extra)
    translation.left_over()
    problems = sorted(set(found.problems))
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problem for problem in problems if problem.severity == "error")
    adopted = replace(
        config,
        sources=translation.tree.roots,
        exclude=(*config.exclude, *translation.stale),
        keep_names=(*config.keep_names, *translation.tree.kept),
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
    tree: Contents
    registrar: Registrar = field(init=False)
    #: Both by logical path: the bundles with an output, and what became of all.
    tops: dict[str, _Top] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    #: What webassets has built in the source folders, and its YAML file.
    stale: list[Pattern] = field(default_factory=list)
    #: Bundles, by their id(): those whose keys were looked at, and those that are in another.
    seen: set[int] = field(default_factory=set)
    nested: set[int] = field(default_factory=set)
    #: Bundles in one another that were told, by their id()s.
    rings: set[frozenset[int]] = field(default_factory=set)
    without_output: list[tuple[str, Any]] = field(default_factory=list)
    misnamed: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        app = self.found.app
        self.registrar = Registrar(app.app_context if app is not None else contextlib.nullcontext)

    # ---- the environment itself

    def environment(self) -> None:
        found, config = self.found, self.config
        if found.debug:
            what = f"{found.debug!r} is passed over: a build is always that of production"
            found.problem("", "debug", what, warning=True)
        for root in self.tree.roots[len(config.sources) :]:
            if message := overlap(config.output, root, self.tree.shown):
                found.problem("", "directory", message, "give the artifact a folder of its own: set output")
        with contextlib.suppress(OSError, TypeError):
            url = str(found.env.url or "")
            if url and url.rstrip("/") != config.base_url.rstrip("/"):
                what = f'webassets had "{url}"; URLs begin with base_url, which is "{config.base_url}"'
                found.problem("", "url", what, f'set base_url = "{url}" if that is meant', warning=True)
        if not re.fullmatch(r"[\w.]+:[\w.]+", str(config.bundles_from)):
            file = found.absolute(os.path.join(config.folder, str(config.bundles_from)))
            self.stale += self.built(file)

    # ---- which bundles are published

    def collect(self, bundle: Any, place: str, extra: list[Step], above: tuple[Any, ...] = ()) -> None:
        """Note the bundles with an output in a registered one: itself, or where it is a container those in it."""
        if self.in_itself(bundle, place, above):
            return
        self.look_at(bundle, place)
        if bundle.is_container:
            passed = merged(self.steps(bundle, place), extra)
            if not bundle.contents:
                self.found.problem(place, "contents", "it has none, and is passed over", warning=True)
            for number, child in enumerate(bundle.contents, 1):
                self.collect(child, f"{place}, number {number} in it", passed, (*above, bundle))
        elif not bundle.output:
            self.without_output.append((place, bundle))
        elif (name := self.logical_path(bundle, place)) is None:
            self.misnamed.append((place, bundle))
        else:
            other = self.tops.setdefault(name, _Top(bundle, place, name, extra))
            if any(name == given.name for given in self.config.bundles):
                self.found.problem(place, "output", f'[bundles."{name}"] has this name too', "give each a name of its own")
            if other.bundle is not bundle:
                what = f'"{name}" is the output of bundle {other.place} too'
                self.found.problem(place, "output", what, "give each an output of its own")
            elif self.filters_of(bundle, extra) != self.filters_of(bundle, other.extra):
                what = f'"{name}" is built for bundle {other.place} too, with other filters'
                self.found.problem(place, "output", what, "take it out of one, or give both the same filters")

    def in_itself(self, bundle: Any, place: str, above: tuple[Any, ...]) -> bool:
        """Whether a bundle is one of those that it is in. Each ring of bundles is told once, from wherever it is come upon."""
        ids = [id(one) for one in above]
        if id(bundle) not in ids:
            return False
        ring = above[ids.index(id(bundle)) :]
        if (key := frozenset(map(id, ring))) not in self.rings:
            self.rings.add(key)
            names = {id(one): words for words, one in _registered(self.found.env)}
            chain = " → ".join(names.get(id(one), "a bundle without a name").strip('"') for one in (*ring, bundle))
            self.found.problem(names.get(id(bundle), place), "contents", f"it is in itself: {chain}")
        return True

    def filters_of(self, bundle: Any, extra: list[Step]) -> list[Any]:
        return [step.filter for step in merged(self.steps(bundle, ""), extra)]

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
        for step in self.steps(bundle, place, rewriters=True):
            if not steps.is_plain_rewriter(step):
                what = f"{step.words} has rules of its own, which are passed over: references keep leading where they led"
                problem(place, "filters", what, warning=True)

    def logical_path(self, bundle: Any, place: str) -> str | None:
        """The output without its version, in the tree."""
        output = str(bundle.output)
        name = unversioned(output)
        context = _wrap(self.found.env, bundle)
        file = self.found.absolute(context.resolver.resolve_output_to_path(context, output, bundle))
        if os.path.isabs(name):
            name = next((below(root, unversioned(file)) for root in self.tree.directories()), "")
        name = posixpath.normpath(name) if name else name
        if not name or name.startswith(("../", "/")) or name in (".", ".."):
            self.found.problem(place, "output", f'"{output}" is outside the directory', "name a file below it")
            return None
        if not posixpath.splitext(posixpath.basename(name))[1] or posixpath.basename(name).startswith("."):
            what = f'"{output}" has nothing but a version for a name' if VERSION in output else f'"{output}" has no suffix'
            self.found.problem(place, "output", what, 'name it like "js/app.js"')
            return None
        self.tree.outputs[unversioned(file)] = name
        for where in filter(None, self.tree.places(name)):
            source = self.found.absolute(where)
            if source != unversioned(file) and os.path.isfile(source):
                what = f'"{name}" is the path of the source "{self.tree.shown(source)}" too'
                self.found.problem(place, "output", what, "give the bundle an output of its own")
        self.stale += self.built(file)
        return name

    def built(self, file: str) -> list[Pattern]:
        """Patterns of the logical paths that a file which is no source has, whatever its version."""
        roots = enumerate(self.tree.roots)
        paths = [self.config.prefix(number) + path for number, root in roots if (path := below(root, file))]
        return [pattern for path in paths for pattern in _built(path)]

    # ---- bundles

    def steps(self, bundle: Any, name: str, *, rewriters: bool = False) -> list[Step]:
        """A bundle's own filters: those that rewrite references, which is done anyway, or the others."""
        where = f"{self.config.bundles_from} {name} filter"
        found = [Step(one, f"{where} {number}", self.overlay(bundle)) for number, one in enumerate(bundle.filters, 1)]
        return [step for step in found if steps.is_rewriter(step) == rewriters]

    def overlay(self, bundle: Any) -> dict[str, object]:
        """What the bundle's config sets filters to; the configuration file's own [webassets] wins."""
        given = {key.lower() for key in self.config.webassets}
        return {k: v for k, v in bundle.config._dict.items() if k not in given and k not in ("debug", "resolver")}

    def translate(
        self,
        bundle: Any,
        place: str,
        name: str,
        top: _Top,
        *,
        parents: Sequence[Step] = (),
        extra: Sequence[Step] = (),
        above: tuple[Any, ...] = (),
    ) -> str:
        """Translate a bundle and what is nested in it; the name of what came of it, or "" where it has nothing in it.

        top: the one with an output that it is or is in. parents: the filters of those that it is in. extra: those of
        containers, which are as if they were its own. above: those that it is in, from the outermost.
        """
        if self.in_itself(bundle, place, above):
            return ""
        self.look_at(bundle, place)
        # A container's filters are set to what the bundle in it says.
        handed_down = [Step(step.filter, f"{step.place} for {name}", self.overlay(bundle)) for step in extra]
        own = merged(self.steps(bundle, name), handed_down)
        run = merged(own, parents)
        problems = len(self.found.problems)
        resolved = list(self.tree.resolved(bundle, place))
        part_filters, filters = self.chains(run, own, name, place, [one for one in resolved if isinstance(one, str)])
        if bundle is top.bundle:
            self.bundles[name] = Bundle(name, ())  # So that it stands before what is nested in it.
        contents: list[Pattern] = []
        children = 0
        for one in resolved:
            if isinstance(one, str):
                path = self.tree.logical(one, name, place)
            else:
                children += 1
                self.nested.add(id(one))
                words, inner = f"{place}, number {children} in it", self.free_name(top.name)
                path = self.translate(one, words, inner, top, parents=run, above=(*above, bundle))
            if path:
                contents += self.tree.pattern(path, place, "contents")
        if not contents and bundle is not top.bundle:
            return ""
        if not contents and len(self.found.problems) == problems:
            # The build says that they match nothing.
            for item in bundle.contents:
                contents += self.tree.pattern(item, place, "contents", glob=True) if isinstance(item, str) else []
        depends = tuple(self.tree.depends(bundle, place))
        self.bundles[name] = Bundle(name, tuple(contents), filters, False, depends, part_filters, bundle is top.bundle)
        return name

    def chains(
        self, run: list[Step], own: list[Step], name: str, place: str, files: list[str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What each file of a bundle goes through, and what the whole."""
        try:
            part_filters = self.registrar.parts(run, name, files)
            filters, joiners = self.registrar.whole(run, own)
        except steps.TooManyError as error:
            self.found.problem(place, "filters", str(error))
            return (), ()
        for step in joiners:
            self.found.problem(place, "filters", f"{step.words} is given the parts as one text, already joined", warning=True)
        return part_filters, filters

    def free_name(self, top: str) -> str:
        """A name for a nested bundle that no source and no other bundle has: `app.js` → `app.js/(1).js`."""
        number = 1
        while True:
            name = f"{top}/({number}){posixpath.splitext(top)[1]}"
            if name not in self.bundles and not any(map(os.path.lexists, filter(None, self.tree.places(name)))):
                self.bundles[name] = Bundle(name, (), published=False)
                return name
            number += 1

    def left_over(self) -> None:
        """Bundles that cannot be built: what else is wrong with those whose output is; and those without an output that are
        in no other."""
        for place, bundle in self.misnamed:
            for _ in self.tree.resolved(bundle, place):
                pass
        for name in [name for name, bundle in self.bundles.items() if not bundle.published and not bundle.contents]:
            del self.bundles[name]
        for place, bundle in self.without_output:
            if id(bundle) not in self.nested:
                lacks = "filters and no output" if bundle.filters else "no output"
                self.found.problem(place, "output", f"it has {lacks}, and is in no other bundle: it is not built", warning=True)


def unversioned(output: str) -> str:
    """An output without the version and the separator before it: `gen/packed.%(version)s.js` → `gen/packed.js`."""
    output = re.sub(r"[?&][^/]*%\(version\)s.*$", "", output)
    output = re.sub(r"(^|/)%\(version\)s[-._/]", r"\1", output)
    return re.sub(r"[-._]?%\(version\)s", "", output)


def _built(path: str) -> list[Pattern]:
    """The files that are no sources though they are in their folders: an output as webassets writes it, of any version."""
    texts = {literal(path)} if VERSION not in path else {v.join(map(literal, path.split(VERSION))) for v in _VERSIONS}
    with contextlib.suppress(PatternError):
        return [Pattern(text, from_top=True) for text in sorted(texts)]
    return []
