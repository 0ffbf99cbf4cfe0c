"""Which filters a source goes through, and what it becomes: the configured chain, else the built-in one."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from assetbuild.filters import Filter, FilterUnavailableError, Hooks, Idle, Language, Settings
from assetbuild.patterns import Pattern


class Rule(Protocol):
    """A line of the configuration's [filters]."""

    @property
    def pattern(self) -> Pattern: ...
    @property
    def filters(self) -> tuple[str, ...]: ...
    @property
    def suffix(self) -> str | None: ...
    @property
    def depends(self) -> tuple[Pattern, ...]: ...


@dataclass(frozen=True, slots=True)
class Chain:
    """filters: their names, in order. suffix: what the source's suffix becomes, with its dot; None: it stays. hooks: which of
    the filters' hooks are called, for bundles that webassets defined. depends: further files whose change makes a result
    stale."""

    filters: tuple[str, ...] = ()
    suffix: str | None = None
    hooks: Hooks = "all"
    depends: tuple[Pattern, ...] = ()


#: Filters that only make a text shorter: a bundle's parts go without, and the whole is minified once.
MINIFIERS = frozenset(
    (
        *("rcssmin", "rjsmin", "cssmin", "jsmin", "slimit", "jspacker", "uglifyjs", "closure_js", "yui_js", "yui_css"),
        *("cleancss", "css_slimmer"),
    )
)
#: Filters that are not pure and tell each file that they read.
TELLING = frozenset(("dart_sass", "libsass"))
_SASS = ("dart_sass", "rcssmin")
_BUILT_IN = {
    ".css": ("rcssmin",),
    ".js": ("rjsmin",),
    ".mjs": ("rjsmin",),
    ".cjs": ("rjsmin",),
    ".scss": _SASS,
    ".sass": _SASS,
}

_LANGUAGES: dict[str, Language] = {".css": "css", ".js": "js", ".mjs": "js", ".cjs": "js"}

#: What a filter makes of a source of another language.
_PRODUCES = dict.fromkeys(
    ("dart_sass", "libsass", "scss", "sass", "pyscss", "scss_ruby", "sass_ruby", "compass", "less", "less_ruby", "stylus"),
    ".css",
) | dict.fromkeys(("typescript", "coffeescript", "jst", "handlebars", "babel"), ".js")

#: Languages that no browser reads, and a filter that compiles each.
COMPILED = {
    ".scss": "dart_sass",
    ".sass": "dart_sass",
    ".less": "less",
    ".styl": "stylus",
    ".coffee": "coffeescript",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".jsx": "babel",
}


def language(path: str) -> Language:
    """What the text of a file with this path is."""
    return _LANGUAGES.get(posixpath.splitext(path)[1].lower(), "other")


def chain_for(path: str, rules: Iterable[Rule]) -> Chain:
    """The chain of a source: the first rule whose pattern matches its path, else the built-in one.

    Raises FilterUnavailableError where there is none and browsers do not read the language.
    """
    suffix = posixpath.splitext(path)[1].lower()
    for rule in rules:
        if rule.pattern.matches(path):
            return Chain(rule.filters, rule.suffix or _produced(suffix, rule.filters), depends=rule.depends)
    filters = _BUILT_IN.get(suffix)
    if filters and ".min." in posixpath.basename(path):
        filters = tuple(name for name in filters if name not in MINIFIERS)  # Its author has done that.
    # A .ts may as well be a video or a declaration that a package ships: without a chain it is only copied.
    if filters is None and suffix in COMPILED and suffix != ".ts":
        tool = COMPILED[suffix]
        raise FilterUnavailableError(
            f'browsers do not read {suffix}: add "*{suffix}" = ["{tool}"] to [filters] (or = [] to publish it as it is), '
            "or exclude it"
        )
    return Chain(filters or (), _produced(suffix, filters or ()))


def without_minifiers(chain: Chain) -> Chain:
    """The chain for a part of a bundle."""
    return replace(chain, filters=tuple(name for name in chain.filters if name not in MINIFIERS))


def built_in(path: str) -> Chain:
    """The chain that a bundle with this name has when the configuration names none."""
    return Chain(_BUILT_IN.get(posixpath.splitext(path)[1].lower(), ()))


def _produced(suffix: str, filters: tuple[str, ...]) -> str | None:
    if suffix not in COMPILED:
        return None
    return next((_PRODUCES[name] for name in filters if name in _PRODUCES), None)


def compiled_path(path: str, chain: Chain) -> str:
    """The logical path of what the chain makes: `css/site.scss` → `css/site.css`."""
    return path if chain.suffix is None else posixpath.splitext(path)[0] + chain.suffix


def load(name: str, settings: Settings, search: tuple[str, ...], time_limit: float, hooks: Hooks = "all") -> Filter:
    """A fresh filter by its name. Each tool's module is imported when it is first asked for.

    search: folders in which a filter given as `package.module:Class` is looked for. time_limit: seconds for a tool of its own.
    hooks: which of its hooks are called. Raises FilterUnavailableError.
    """
    if name in MINIFIERS and hooks == "parts":
        return Idle(name)  # webassets minifies what is joined.
    if name == "rcssmin":
        from assetbuild.filters.rcssmin import RCSSMin

        return RCSSMin()
    if name == "rjsmin":
        from assetbuild.filters.rjsmin import RJSMin

        return RJSMin()
    if name == "dart_sass":
        from assetbuild.filters import dart_sass

        return dart_sass.load(name, settings, search, time_limit)
    from assetbuild.filters import webassets

    return webassets.load(name, settings, search=search, time_limit=time_limit, hooks=hooks)
