"""A webassets YAML file as data: what webassets' loader takes from it, the places of its bundles and keys, and all that is
wrong with it, where that loader would stop at the first."""

from __future__ import annotations

import difflib
import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assetbuild.errors import ConfigError, Problem
from assetbuild.filters import modules
from assetbuild.filters import webassets as registry
from assetbuild.interrupts import INTERRUPTS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import webassets.filter

try:
    import yaml
except ImportError:  # pragma: no cover
    yaml = None

#: Filter classes that are known by their names because a file said so.
_registered: set[type] = set()

#: What webassets' loader reads of a bundle, and of an environment.
_BUNDLE_KEYS = ("contents", "output", "filters", "depends", "config", "debug", "extra")
_ENVIRONMENT_KEYS = (
    "bundles",
    "directory",
    "url",
    "load_path",
    "config",
    "filters",
    "debug",
    "cache",
    "versions",
    "url_expire",
    "auto_build",
    "manifest",
    "cache_file_mode",
    "expire",
    "updater",
)


@dataclass(slots=True)
class Document:
    """data: the file's table, without what is wrong. is_environment: whether it is an environment and not only bundles.
    places: line and column, from 1, by the words that name the bundle (`"app.js"`; "" for the environment) and key."""

    file: str
    data: dict[str, Any]
    is_environment: bool = False
    places: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, bundle: str, key: str, message: str, hint: str = "", *, warning: bool = False) -> None:
        place = self.places.get((bundle, key)) or self.places.get((bundle, "")) or (0, 0)
        where = f"bundle {bundle}: " if bundle else ""
        severity: Any = "warning" if warning else "error"
        self.problems.append(Problem(self.file, *place, f"{where}{key}: {message}", hint, severity))


def parse(path: Path, file: str) -> Document:
    """file: how messages name it. Raises ConfigError for a file that is no YAML."""

    def failed(message: str, hint: str = "", line: int = 0, column: int = 0) -> ConfigError:
        return ConfigError(Problem(file, line, column, message, hint))

    if yaml is None:
        raise failed("a YAML file needs PyYAML", "pip install PyYAML")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except OSError as error:
        raise failed(f"this file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise failed("this file is not UTF-8", "save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise failed(f"this is not YAML: {error.problem or error.context}", "", *place) from error
    except RecursionError as error:
        raise failed("this is nested too deeply") from error
    except yaml.YAMLError as error:
        raise failed(f"this is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict) or not data:
        raise failed("this file holds no bundles", "webassets' documentation, under Loaders, says what it may hold")
    document = Document(file, data, not all(table is None or isinstance(table, dict) for table in data.values()))
    document.is_environment |= "bundles" in data
    _read_places(document, root)
    _register(document, data.get("filters", ()) if document.is_environment else ())
    if document.is_environment:
        _known(document, "", data, _ENVIRONMENT_KEYS)
        data.pop("filters", None)
        bundles = data.get("bundles")
        if not isinstance(bundles, dict):
            document.problem("", "bundles", "must be a table of bundles")
            bundles = {}
        data["bundles"] = _bundles(document, bundles)
    else:
        document.data = _bundles(document, data)
    return document


def _read_places(document: Document, root: Any) -> None:
    def keys(node: Any, bundle: str) -> None:
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            mark = key.start_mark
            document.places[bundle, str(key.value)] = (mark.line + 1, mark.column + 1)

    tables = root
    if document.is_environment:
        keys(root, "")
        tables = next((value for key, value in root.value if key.value == "bundles"), None)
    for key, value in tables.value if isinstance(tables, yaml.MappingNode) else ():
        bundle = f'"{key.value}"'
        mark = key.start_mark
        if (bundle, "") in document.places:
            first = document.places[bundle, ""][0]
            place = (mark.line + 1, mark.column + 1)
            what = f"bundle {bundle}: there is one of this name in line {first} already"
            document.problems.append(Problem(document.file, *place, what, "rename one of the two"))
        document.places[bundle, ""] = (mark.line + 1, mark.column + 1)
        keys(value, bundle)


def _known(document: Document, bundle: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f'did you mean "{near[0]}"?' if near else ""
            document.problem(bundle, str(key), "webassets knows no such key and passes it over", hint, warning=True)


def _register(document: Document, classes: Any) -> None:
    """Filter classes of the project's own, by import path: known by their names from here on."""
    from zope.dottedname.resolve import resolve

    # Those that an earlier reading has registered, and that the file may name no more.
    registry.unregister(_registered.__contains__)
    _registered.clear()
    for path in classes if isinstance(classes, list) else [classes] if classes else ():
        try:
            if module := modules.within(path):
                modules.imported(module)
            found = resolve(path)
        except INTERRUPTS:
            raise
        except BaseException as error:
            document.problem("", "filters", f'"{path}" cannot be imported: {type(error).__name__}: {error}')
            continue
        if inspect.isclass(found) and issubclass(found, webassets.filter.Filter) and found.name:
            webassets.filter.register_filter(found)
            _registered.add(found)
        else:
            document.problem("", "filters", f'"{path}" is no subclass of webassets.filter.Filter with a name')


def _bundles(document: Document, tables: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _bundle(document, f'"{name}"', table) for name, table in tables.items()}


def _bundle(document: Document, bundle: str, table: Any, above: tuple[int, ...] = ()) -> dict[str, Any]:
    """A bundle's table with only what webassets can take. above: the tables that it is in, by their id()."""
    if table is None:
        return {}
    if not isinstance(table, dict):
        document.problem(bundle, "contents", "a bundle must be a table", "write contents: […] below its name")
        return {}
    if id(table) in above:  # By an alias of YAML's.
        document.problem(bundle, "contents", "it is in itself")
        return {}
    _known(document, bundle, table, _BUNDLE_KEYS)
    taken = dict(table)
    above = (*above, id(table))
    contents = table.get("contents")
    items = [contents] if isinstance(contents, str) else contents if contents is not None else []
    if not isinstance(items, list) or not all(isinstance(item, str | dict) for item in items):
        document.problem(bundle, "contents", "must be a path or a list of paths and of bundles")
        items = []
    taken["contents"] = [_bundle(document, bundle, item, above) if isinstance(item, dict) else item for item in items]
    for key, kind, words in (
        ("output", str, "a path"),
        ("config", dict, "a table"),
        ("depends", str | list, "a path or a list of paths"),
    ):
        if taken.get(key) is not None and not isinstance(taken[key], kind):
            document.problem(bundle, key, f"must be {words}")
        if taken.get(key) is None or not isinstance(taken[key], kind):
            taken.pop(key, None)
    if isinstance(taken.get("depends"), list) and not all(isinstance(item, str) for item in taken["depends"]):
        document.problem(bundle, "depends", "must be a path or a list of paths")
        del taken["depends"]
    taken["filters"] = _filters(document, bundle, table.get("filters"))
    return taken


def _filters(document: Document, bundle: str, value: Any) -> list[str] | None:
    if value is None:
        return None
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        document.problem(bundle, "filters", "must be filters' names, in a list or with commas between")
        return None
    known: dict[str, type] = webassets.filter._FILTERS
    taken = []
    for name in map(str.strip, names):
        if name in known:
            taken.append(name)
            continue
        near = difflib.get_close_matches(name, sorted(known), 1)
        document.problem(bundle, "filters", f'no filter is called "{name}"', f'did you mean "{near[0]}"?' if near else "")
    return taken
