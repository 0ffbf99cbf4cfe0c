"""Which filters run for a bundle, in webassets' order, and the names by which chains call them. A filter that webassets would
make alike from its name keeps that name; any other object is given to the filters' room under a name that tells where it is
from."""

from __future__ import annotations

import contextlib
import copy
import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from assetbuild.filters import modules
from assetbuild.filters import webassets as registry

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import webassets.filter
    import webassets.filter.cssrewrite
    import webassets.filter.jst

_CSSRewrite: Any = webassets.filter.cssrewrite.CSSRewrite
_Templates: Any = webassets.filter.jst.JSTemplateFilter
_Callable: Any = webassets.filter.CallableFilter

#: Filters that assetbuild runs its own way, whatever they are set to.
_OURS = ("rcssmin", "rjsmin", "cssmin", "jsmin")


@dataclass(frozen=True, slots=True)
class Step:
    """A filter of a bundle. place: words that tell where it stands. settings: what the bundle's `config` sets it to."""

    filter: Any
    place: str
    settings: Mapping[str, object] = field(default_factory=dict)

    def has(self, hook: str) -> bool:
        return callable(getattr(self.filter, hook, None))

    @property
    def words(self) -> str:
        """What a message calls it."""
        if isinstance(self.filter, _Callable):
            return getattr(self.filter.callable, "__qualname__", type(self.filter.callable).__qualname__)
        return self.filter.name or type(self.filter).__qualname__


def merged(own: Sequence[Step], parents: Iterable[Step]) -> list[Step]:
    """The steps, then those of the parents that are not among them: webassets' merge_filters."""
    result = list(own)
    for step in parents:
        if not any(step.filter is other.filter or step.filter == other.filter for other in result):
            result.append(step)
    return result


def is_rewriter(step: Step) -> bool:
    """Whether it rewrites references, which is done anyway."""
    return isinstance(step.filter, _CSSRewrite)


def is_plain_rewriter(step: Step) -> bool:
    """Whether that is all it does: no directories or functions of the project's own."""
    return type(step.filter) is _CSSRewrite and step.filter.replace in (False, None)


def is_templates(step: Step) -> bool:
    """Whether it makes JavaScript of templates, each by its file's name."""
    return isinstance(step.filter, _Templates)


class TooManyError(Exception):
    """webassets takes one filter only with this hook."""

    def __init__(self, hook: str, names: Sequence[str]) -> None:
        super().__init__(f"only one filter of a bundle may have {hook}(): {', '.join(names)}")


@dataclass(frozen=True, slots=True)
class Registrar:
    """Turns steps into names. around: what has to be entered while a filter of the project's own works."""

    around: Callable[[], AbstractContextManager[object]]

    def parts(self, run: Sequence[Step], bundle: str, files: Sequence[str]) -> tuple[str, ...]:
        """What each file of a bundle goes through. bundle: its name. files: the absolute paths of all of them.

        open() comes first, then every input(). Templates are made JavaScript one by one, under the names that they would
        have together. Raises TooManyError.
        """
        opener = next(iter(_one(run, "open")), None)
        first = next((step for step in run if step.has("input")), None)
        # Other filters' input() may come before its own.
        split = opener is not None and opener.has("input") and opener is not first
        names = [self.name(opener, ("open",) if split else ())] if opener else []
        inputs = [step for step in run if step.has("input") and (step is not opener or split)]
        names += [self.name(step, ("input",) if step is opener else ()) for step in inputs]
        templates = _one([step for step in run if is_templates(step)], "concat")
        here = [Step(step.filter, f"{step.place} for {bundle}", step.settings) for step in templates]
        return (*names, *(self.name(step, ("concat",), files) for step in here))

    def whole(self, run: Sequence[Step], own: Sequence[Step]) -> tuple[tuple[str, ...], list[Step]]:
        """What a bundle's parts, joined, go through; and the filters that would have joined them. Raises TooManyError."""
        joiners = _one([step for step in run if not is_templates(step)], "concat")
        names = [self.name(step, ("concat",)) for step in joiners]
        names += [self.name(step, ("output",) if step.has("concat") else ()) for step in own if step.has("output")]
        return tuple(names), joiners

    def name(self, step: Step, hooks: tuple[str, ...] = (), files: Sequence[str] = ()) -> str:
        one, cls = step.filter, type(step.filter)
        theirs = cls.__module__.startswith("webassets.filter.")
        if theirs and cls.name in _OURS:
            return str(cls.name)
        state = _state(one)
        settings = dict(step.settings)
        alike = theirs and cls.name and webassets.filter._FILTERS.get(cls.name) is cls
        if alike and cls.name == "libsass":
            # Its options as settings, so that it stays inside the source roots.
            options = ((one._options[key][1], value) for key, value in state.items() if key in one._options)
            settings |= {key: value for key, value in options if value is not None}
            state = {}
        plain = alike and not hooks and (not state or state == _fresh_state(cls))
        if plain and not settings:
            return str(cls.name)
        name = f"{step.place} ({step.words})" + (f" {' '.join(hooks)}" if hooks else "")
        if plain:
            registry.give(name, registry.Given(str(cls.name), settings=settings))
            return name
        identity = (*_identity(one), *(f"{key}={registry.readable(value)}" for key, value in sorted(state.items())))
        around = contextlib.nullcontext if theirs else self.around
        base = str(cls.name) if alike else ""
        make = _maker(one, files)
        registry.give(name, registry.Given(base, make, (*identity, *files), settings, hooks, around))
        return name


def _one(run: Sequence[Step], hook: str) -> list[Step]:
    found = [step for step in run if step.has(hook)]
    if len(found) > 1:
        raise TooManyError(hook, [step.words for step in found])
    return found


def _maker(one: Any, files: Sequence[str]) -> Callable[[], Any]:
    def make() -> Any:
        new = copy.copy(one)
        if files:
            base = one._find_base_path(list(files))
            new._find_base_path = lambda paths: base  # noqa: ARG005
        return new

    return make


def _state(one: Any) -> dict[str, Any]:
    """What a filter is set to."""
    return {key: value for key, value in getattr(one, "__dict__", {}).items() if key not in ("ctx", "_options", "callable")}


def _fresh_state(cls: Any) -> dict[str, Any] | None:
    try:
        return _state(cls())
    except Exception:
        return None


def _identity(one: Any) -> tuple[str, ...]:
    if not isinstance(one, _Callable):
        return registry.class_identity(type(one))
    function = one.callable
    if not inspect.isfunction(function):
        return (registry.readable(function),)
    closed = [registry.readable(cell.cell_contents) for cell in function.__closure__ or ()]
    where = f"{function.__module__}:{function.__qualname__}:{function.__code__.co_firstlineno}"
    return (where, modules.digest(function.__module__), *closed)
