"""Modules of the user's own that filters and environments are made of: known by their sources and by those of all that they
import, and imported again where any of these was edited."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import NamedTuple

#: What is installed there has a version, which says what it is.
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
#: The standard library's, and those of this package, wherever it stands: they run here, and are never taken anew.
_OTHERS = (sysconfig.get_path("stdlib") + os.sep, str(Path(__file__).parents[1]) + os.sep)


class _Source(NamedTuple):
    """digest: the SHA-256 of its bytes. imports: the modules that its imports may mean, and the packages that it is in."""

    digest: str
    imports: frozenset[str]


#: Called with the names of modules that are forgotten, by whoever keeps what those have defined.
when_forgotten: list[Callable[[Collection[str]], object]] = []
#: The sources of each module that was imported, as they were then.
_imported: dict[str, Mapping[str, _Source]] = {}


class _Loader(SourceFileLoader):
    """Takes the source and never bytecode, which Python tells from an older source's by size and second only: the text of an
    edited module would be that of the digest, and what it does that of the module before."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        code: types.CodeType = self.source_to_code(self.get_data(path), path)
        return code


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin and type(spec.loader) is SourceFileLoader and _is_own(spec.origin):
            spec.loader = _Loader(fullname, spec.origin)
            return spec
        return None


_finder = _Finder()


def imported(name: str) -> tuple[types.ModuleType, str]:
    """The module, with all that it imports as it is now, and its digest. Raises whatever its code does."""
    importlib.invalidate_caches()
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    now = _sources(name)
    before = _imported.get(name, now)
    if before != now:
        # All of them: one that registers what it defines with another, as models do with their database, does so once.
        _forget({*before, *now})
    try:
        module = importlib.import_module(name)
    except BaseException:
        # What came in before the failure may be edited, or put back, until the next time.
        _forget(now)
        raise
    _imported[name] = now
    return module, _digest(now)


def _forget(names: Collection[str]) -> None:
    for call in when_forgotten:
        call(names)
    for name in names:
        package, _, own = name.rpartition(".")
        sys.modules.pop(name, None)
        # `from package import module` takes what the package has under that name.
        if package in sys.modules:
            vars(sys.modules[package]).pop(own, None)


def within(path: str) -> str:
    """The module of the user's own in `package.module.attribute`, or ""."""
    return next((name for name in _with_packages(path) if (file := _file(name)) and _is_own(file)), "")


def files(name: str) -> list[str]:
    """Where the sources are of a module that was imported, and of those of the user's own that it imports."""
    return sorted(file for one in _imported.get(name, ()) if (file := _file(one)))


def digest(name: str) -> str:
    """What tells a module from an edited one, or one of which something was edited that it imports, by whatever steps."""
    return _digest(_sources(name))


def _digest(sources: Mapping[str, _Source]) -> str:
    lines = "".join(f"{one} {source.digest}\n" for one, source in sorted(sources.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sources(name: str) -> dict[str, _Source]:
    """The sources of a module, which may be an installed one, and of those of the user's own that it imports."""
    found: dict[str, _Source] = {}
    waiting = {name}
    while waiting:
        one = waiting.pop()
        file = _file(one)
        if file is None or (one != name and not _is_own(file)):
            continue
        with contextlib.suppress(OSError):
            text = Path(file).read_bytes()
            package = one if os.path.basename(file) == "__init__.py" else one.rpartition(".")[0]
            found[one] = _Source(
                hashlib.sha256(text).hexdigest(), _imports(text, one, package) if _is_own(file) else frozenset()
            )
            waiting |= found[one].imports - found.keys()
    return found


def _file(name: str) -> str | None:
    """Where a module's source is, found without importing the packages that it is in."""
    within: Collection[str] | None = None
    spec = None
    path = ""
    for part in name.split("."):
        path = f"{path}.{part}" if path else part
        spec = PathFinder.find_spec(path, None if within is None else list(within))
        if spec is None:
            # It came by another way, or is built in.
            return getattr(sys.modules.get(name), "__file__", None)
        within = spec.submodule_search_locations or ()
    return spec.origin if spec and spec.origin and spec.origin.endswith(".py") else None


def _is_own(file: str) -> bool:
    return not file.startswith(_OTHERS) and not any(folder in file for folder in _INSTALLED)


@functools.lru_cache(256)
def _imports(text: bytes, name: str, package: str) -> frozenset[str]:
    """Names of modules that a source's imports may mean."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()  # To import it will say so.
    found = set(_with_packages(name.rpartition(".")[0]))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.update(_with_packages(alias.name))
        elif isinstance(node, ast.ImportFrom):
            with contextlib.suppress(ImportError):  # Above the topmost package.
                base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                found.update(_with_packages(base))
                found.update(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
    return frozenset(found - {name})


def _with_packages(name: str) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`."""
    while name:
        yield name
        name = name.rpartition(".")[0]
