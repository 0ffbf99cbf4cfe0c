"""The configuration: assetbuild.toml or the table [tool.assetbuild] of pyproject.toml, the environment and the command line,
read into one frozen Config. Every mistake is named at once, each with its file, its key and what may have been meant."""

from __future__ import annotations

import importlib.util
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final, Literal, TypeVar, cast
from urllib.parse import urlsplit

from assetbuild.errors import ConfigError, Problem
from assetbuild.patterns import Pattern, PatternError

T = TypeVar("T")

NAME: Final = "assetbuild.toml"
PYPROJECT: Final = "pyproject.toml"

Policy = Literal["error", "warn", "ignore"]
Coding = Literal["br", "gzip", "zstd"]

_POLICIES: Final = ("error", "warn", "ignore")
_CODINGS: Final = {"br": "br", "gzip": "gzip", "zstd": "zstd"}
#: What people call the codings, by the name that stands in HTTP's Content-Encoding.
_OTHER_NAMES: Final = {"brotli": "br", "gz": "gzip", "zopfli": "gzip", "deflate": "gzip", "zst": "zstd", "zstandard": "zstd"}

#: The end of the year 9999, in seconds: beyond it no calendar and few file systems go.
_LAST_SECOND: Final = 253_402_300_799
#: The most releases, or days, that are kept.
MOST: Final = 36_500


@dataclass(frozen=True, slots=True)
class FilterRule:
    """A line of [filters]: the sources that match go through these filters, in order.

    depends: sources whose change makes the result stale. suffix: what the source's suffix becomes, with its dot, or None.
    """

    pattern: Pattern
    filters: tuple[str, ...]
    depends: tuple[Pattern, ...] = ()
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A table of [bundles]: several sources joined into one asset.

    name: its logical path. contents: paths and globs from the tree's top, or other bundles' names, in order.
    filters: run on the whole; None: the built-in chain of the name's suffix. publish_parts: whether the parts are assets
    too. depends: as for a filter rule.
    part_filters: what each part goes through in place of its own chain, as webassets has it; None: its own chain without
    the minifiers. published: False for a bundle that is only a part of others.
    """

    name: str
    contents: tuple[Pattern, ...]
    filters: tuple[str, ...] | None = None
    publish_parts: bool = False
    depends: tuple[Pattern, ...] = ()
    part_filters: tuple[str, ...] | None = None
    published: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a build is told. All paths are absolute.

    sources: the source roots, the first wins. prefixes: what the logical paths of the files below each begin with, "" or with a
    `/` at its end; shorter than `sources` where the rest have none. output: the artifact's folder. base_url: ends in `/`.
    missing: what is done about a missing reference, by the file that refers; the first match wins, "error" without one.
    compress: codings, each once.
    templates: what `check` reads; they need not exist. templates_given: whether they are written down.
    bundles_from: a webassets YAML file or `module:attribute`, as written, or None.
    webassets: settings of webassets filters. jinja: arguments of `jinja2.Environment`.
    filter_timeout: seconds that a filter may take for one file.
    cache_dir: where intermediate results are kept. source_date_epoch: seconds since 1970 for all modification times, or None.
    keep, keep_days: how many earlier releases go along, by number and by age in days; None: it is not said. previous: earlier
    artifacts whose files go along, folders or manifests.
    folder: the configuration's; without one the working folder. file: the configuration file, or None.
    working_folder: what paths in messages are relative to. mode: in "development" nothing is minified and nothing compressed.
    """

    sources: tuple[Path, ...]
    output: Path
    base_url: str
    folder: Path
    file: Path | None
    working_folder: Path
    cache_dir: Path
    templates: tuple[Path, ...]
    templates_given: bool = False
    exclude: tuple[Pattern, ...] = ()
    keep_names: tuple[Pattern, ...] = ()
    missing: tuple[tuple[Pattern, Policy], ...] = ()
    compress: tuple[Coding, ...] = ("br", "gzip")
    filters: tuple[FilterRule, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    bundles_from: str | None = None
    webassets: Mapping[str, object] = field(default_factory=dict, hash=False)
    jinja: Mapping[str, object] = field(default_factory=dict, hash=False)
    follow_symlinks: bool = False
    filter_timeout: float = 60.0
    source_date_epoch: int | None = None
    keep: int | None = None
    keep_days: int | None = None
    previous: tuple[Path, ...] = ()
    mode: Literal["production", "development"] = "production"
    prefixes: tuple[str, ...] = ()

    def shown(self, file: str | Path) -> str:
        """A file as one would type it from the working folder."""
        return os.path.relpath(file, self.working_folder)

    def prefix(self, root: int) -> str:
        """What the logical paths of the files below a root begin with. root: its place in `sources`."""
        return self.prefixes[root] if root < len(self.prefixes) else ""


@dataclass(frozen=True, slots=True)
class Application:
    """What the application of a web framework knows: the integrations hand it over.

    sources: its static folders, source roots behind those of the configuration; one that is a root already counts once. In a
    pair the first is a prefix, with which the logical paths of all the folder's files begin: ("vendor", Path("lib")).
    output, base_url: those of the application, which win over the file, and over which the command line and the environment
    win. output_name, base_url_name: what the application's setting is called in messages. templates: the folders of its
    templates, if the file names none. default_sources: whether the folder `assets` is a root where the file names none.
    program: what one types for this command line, for messages about its use. folder: where the configuration is looked for,
    if the working folder and its parents have none.
    """

    sources: tuple[Path | tuple[str, Path], ...] = ()
    output: Path | None = None
    output_name: str = "output"
    base_url: str | None = None
    base_url_name: str = "base_url"
    templates: tuple[Path, ...] = ()
    default_sources: bool = True
    program: str = "assetbuild"
    folder: Path | None = None


def load(
    config: str | os.PathLike[str] | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    cwd: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    build: bool = True,
    filter_fault: Callable[[str], str] = lambda _name: "",
    application: Application | None = None,
    keep: int | None = None,
    keep_days: int | None = None,
    previous: Sequence[str | os.PathLike[str]] = (),
) -> Config:
    """Find and read the configuration.

    config, output, base_url, keep, keep_days, previous: what the command line says, paths relative to the working folder; they
    win over ASSETBUILD_CONFIG, ASSETBUILD_OUTPUT and ASSETBUILD_BASE_URL, and these over the file. An empty variable is none.
    cwd: the working folder, if it is not the process's. build: False for what only reads an artifact: then the sources
    need not be there, and `sources` is empty. filter_fault: why no filter can have a name, or "". application: what the
    application of a web framework adds.

    Raises ConfigError with everything that is wrong.
    """
    try:
        working_folder = Path(os.path.abspath(cwd if cwd is not None else Path.cwd()))
    except FileNotFoundError as error:
        raise ConfigError("the working folder is gone; change to one that is there") from error
    variables = {name: value for name, value in environ.items() if value}
    application = application or Application()
    file, table, prefix = _find(config, working_folder, variables, application.folder)
    folder = file.parent if file else application.folder or working_folder
    if "bundles_from" in table:  # The module that it names may bring filters along.
        filter_fault = lambda _name: ""  # noqa: E731
    reader = _Reader(_shown(file, working_folder) if file else "", prefix, folder, working_folder, filter_fault)
    given = _Given(output, base_url, variables, application, {"keep": keep, "keep_days": keep_days}, tuple(previous))
    loaded = _config(reader, table, given, file, build=build)
    if reader.problems:
        raise ConfigError(reader.problems)
    return loaded


@dataclass(frozen=True, slots=True)
class _Given:
    """What the command line, the environment and the application say."""

    output: str | os.PathLike[str] | None
    base_url: str | None
    variables: Mapping[str, str]
    application: Application
    numbers: Mapping[str, int | None]
    previous: tuple[str | os.PathLike[str], ...]


# ---- finding it


def _find(
    config: str | os.PathLike[str] | None, working_folder: Path, variables: Mapping[str, str], also: Path | None
) -> tuple[Path | None, dict[str, object], str]:
    """The configuration file, its table, and what stands before its keys in messages. (None, {}, "") if there is none.

    also: where it is looked for last.
    """
    named_by = "" if config is not None else "ASSETBUILD_CONFIG: "
    if config is None:
        config = variables.get("ASSETBUILD_CONFIG")
    if config is not None:
        file = _absolute(working_folder, config)
        shown = _shown(file, working_folder)
        if not os.fspath(config) or not os.path.exists(file):
            raise ConfigError(Problem(shown, 0, 0, f"{named_by}there is no such configuration file"))
        if os.path.isdir(file):
            hint = f'name the file: "{os.path.join(shown, NAME)}"'
            raise ConfigError(Problem(shown, 0, 0, f"{named_by}this is a folder, not a file", hint))
        if file.name != PYPROJECT:
            return file, _parse(file, shown), ""
        if (table := _tool_table(file, shown)) is not None:
            return file, table, "tool.assetbuild."
        raise ConfigError(Problem(shown, 0, 0, f"{named_by}there is no table [tool.assetbuild] in this file", "add one"))
    for folder in (working_folder, *working_folder.parents, *((also, *also.parents) if also else ())):
        if os.path.isfile(file := folder / NAME):
            return file, _parse(file, _shown(file, working_folder)), ""
        if os.path.isdir(file):  # Going on upward would build another project, or this one by other rules.
            hint = "rename it, or name the configuration with --config"
            raise ConfigError(Problem(_shown(file, working_folder), 0, 0, "this is a folder, not a configuration file", hint))
        if os.path.isfile(file := folder / PYPROJECT):
            table = _tool_table(file, _shown(file, working_folder))
            if table is not None:
                return file, table, "tool.assetbuild."
    return None, {}, ""


def _tool_table(file: Path, shown: str) -> dict[str, object] | None:
    if b"assetbuild" not in _read(file, shown):
        return None  # Whatever else may be wrong with the file is no business of ours.
    tool = _parse(file, shown).get("tool")
    if not isinstance(tool, dict) or "assetbuild" not in tool:
        return None
    table = tool["assetbuild"]
    if isinstance(table, dict):
        return table
    raise ConfigError(Problem(shown, 0, 0, f"tool.assetbuild must be a table, not {_what(table)}"))


def _read(file: Path, shown: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(Problem(shown, 0, 0, f"this file cannot be read: {error.strerror}")) from error


def _parse(file: Path, shown: str) -> dict[str, object]:
    import tomllib  # Only where there is a file to read: without one, its 10 ms are saved.

    data = _read(file, shown)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigError(Problem(shown, line, column, "this file is not UTF-8", "save it as UTF-8")) from error
    except RecursionError as error:
        raise ConfigError(Problem(shown, 0, 0, "this file is nested too deeply")) from error
    except tomllib.TOMLDecodeError as error:
        # The place stands in the message only, in every version of Python that we support.
        message, _, place = str(error).rpartition(" (at ")
        where = re.match(r"line (\d+), column (\d+)", place)
        if where:
            line, column = int(where[1]), int(where[2])
        else:
            text = data.decode("utf-8-sig")
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        message = (message or str(error)).rstrip(".")
        raise ConfigError(Problem(shown, line, column, f"this is not TOML: {message[:1].lower()}{message[1:]}")) from error


def _absolute(folder: Path, path: str | os.PathLike[str]) -> Path:
    """The path without `..`, which after a symbolic link to a folder means that folder's parent."""
    joined = os.path.join(folder, path)
    plain = os.path.normpath(joined)
    return Path(plain if os.path.realpath(plain) == os.path.realpath(joined) else os.path.realpath(joined))


def _shown(path: Path, working_folder: Path) -> str:
    """A path as one would type it from the working folder."""
    return os.path.relpath(path, working_folder)


# ---- reading it


class _Reader:
    """Takes values out of tables and notes what is wrong with them; a wrong value counts as absent."""

    def __init__(self, file: str, prefix: str, folder: Path, working_folder: Path, filter_fault: Callable[[str], str]) -> None:
        self.file = file
        self.prefix = prefix
        self.folder = folder
        self.working_folder = working_folder
        self.filter_fault = filter_fault
        self.problems: list[Problem] = []

    def shown(self, path: Path) -> str:
        return _shown(path, self.working_folder)

    def problem(self, key: str, message: str, hint: str = "") -> None:
        """key: the full key in the file, an option (`--output`), or a variable (`ASSETBUILD_OUTPUT`)."""
        if key.startswith("--") or key.isupper():
            self.problems.append(Problem("", 0, 0, f"{key}: {message}", hint))
        else:
            self.problems.append(Problem(self.file, 0, 0, f"{self.prefix}{key}: {message}", hint))

    def known(self, table: Mapping[str, object], keys: Collection[str], parent: str = "") -> None:
        """Notes every key of a table that is none of these."""
        for key in table:
            if key not in keys:
                name, near = _key(parent, key), _nearest(key, keys)
                hint = f'did you mean "{near}"?' if near else f"known keys: {', '.join(keys)}"
                self.problem(name, "there is no such key", hint)

    def expect(self, key: str, value: object, kind: type[T], words: str) -> T | None:
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self.problem(key, f"must be {words}, not {_what(value)}")
        return None

    def boolean(self, table: Mapping[str, object], key: str, *, parent: str = "") -> bool:
        if key not in table:
            return False
        return bool(self.expect(_key(parent, key), table[key], bool, "true or false"))

    def text(self, table: Mapping[str, object], key: str, words: str = "text") -> str | None:
        if key not in table:
            return None
        value = self.expect(key, table[key], str, words)
        if value == "" or (value and "\0" in value):
            self.problem(key, "may not be empty" if not value else "may not hold a null character")
            return None
        return value

    def table(self, table: Mapping[str, object], key: str) -> dict[str, object]:
        if key not in table:
            return {}
        value = self.expect(key, table[key], cast("type[dict[str, object]]", dict), "a table")
        return value or {}

    def texts(self, value: object, key: str) -> tuple[str, ...] | None:
        """A list of non-empty texts. None where it is none."""
        numbered = self.numbered(value, key)
        return None if numbered is None else tuple(text for _, text in numbered)

    def numbered(self, value: object, key: str) -> tuple[tuple[int, str], ...] | None:
        """The same, each text with its place in the list, since those that are wrong are left out."""
        if isinstance(value, str):
            items = [item.strip() for item in value.split(",")] if value else []
            self.problem(key, "must be a list, not text", f"write {key.rpartition('.')[2]} = {_list(items)}")
            return None
        items_or_none = self.expect(key, value, cast("type[list[object]]", list), "a list of texts")
        if items_or_none is None:
            return None
        taken = []
        for number, item in enumerate(items_or_none):
            if not isinstance(item, str):
                self.problem(f"{key}[{number}]", f"must be text, not {_what(item)}")
            elif not item or "\0" in item:
                self.problem(f"{key}[{number}]", "may not be empty" if not item else "may not hold a null character")
            else:
                taken.append((number, item))
        return tuple(taken)

    def pattern(self, text: str, key: str, *, from_top: bool = False) -> Pattern | None:
        try:
            return Pattern(text, from_top=from_top)
        except PatternError as error:
            self.problem(key, str(error) if key == _key(key.partition(".")[0], text) else f'"{text}": {error}')
            return None

    def patterns(
        self, table: Mapping[str, object], key: str, *, parent: str = "", from_top: bool = False
    ) -> tuple[Pattern, ...]:
        if key not in table:
            return ()
        name = _key(parent, key)
        found = (self.pattern(text, name, from_top=from_top) for text in self.texts(table[key], name) or ())
        return tuple(pattern for pattern in found if pattern)

    def path(self, text: str | Path) -> Path:
        """A path of the file."""
        return _absolute(self.folder, text)


def _config(reader: _Reader, table: Mapping[str, object], given: _Given, file: Path | None, *, build: bool) -> Config:
    reader.known(table, _KEYS)
    roots = _sources(reader, table, file, given.application) if build else []
    sources = tuple(root.folder for root in roots)
    output, output_key = _output(reader, table, given)
    cache, cache_key = _cache_dir(reader, given, output_key)
    if build and _apart(reader, sources, output, output_key):
        _cache_apart(reader, sources, output, cache, cache_key)
    templates: Iterable[str | Path] | None = given.application.templates or ("templates",)
    if "templates" in table:
        templates = reader.texts(table["templates"], "templates")
    return Config(
        sources=sources,
        output=output,
        base_url=_base_url(reader, table, given),
        folder=reader.folder,
        file=file,
        working_folder=reader.working_folder,
        cache_dir=cache,
        templates=tuple(map(reader.path, templates or ())),
        templates_given="templates" in table or bool(given.application.templates),
        exclude=reader.patterns(table, "exclude"),
        keep_names=reader.patterns(table, "keep_names"),
        missing=_missing(reader, table),
        compress=_compress(reader, table),
        filters=_filters(reader, table),
        bundles=_bundles(reader, table),
        bundles_from=_bundles_from(reader, table),
        webassets=reader.table(table, "webassets"),
        jinja=_jinja(reader, table),
        follow_symlinks=reader.boolean(table, "follow_symlinks"),
        filter_timeout=_filter_timeout(reader, table),
        keep=_number(reader, table, given, "keep", "releases"),
        keep_days=_number(reader, table, given, "keep_days", "days"),
        previous=_previous(reader, given),
        source_date_epoch=_source_date_epoch(reader, given),
        prefixes=tuple(root.prefix for root in roots) if any(root.prefix for root in roots) else (),
    )


_KEYS: Final = (
    "sources",
    "output",
    "base_url",
    "exclude",
    "keep_names",
    "missing",
    "compress",
    "templates",
    "follow_symlinks",
    "filter_timeout",
    "keep",
    "keep_days",
    "bundles_from",
    "filters",
    "bundles",
    "webassets",
    "jinja",
)


def _previous(reader: _Reader, given: _Given) -> tuple[Path, ...]:
    """The earlier artifacts that are named; an empty name would be the working folder."""
    if not all(map(os.fspath, given.previous)):
        reader.problem("--previous", "this names no folder", "leave it out where there is no earlier artifact")
    return tuple(reader.working_folder / place for place in given.previous)


# ---- sources and output

_PACKAGE = "package:"


@dataclass(frozen=True, slots=True)
class _Root:
    folder: Path
    prefix: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """By which one that is named twice is known."""
        return os.path.realpath(self.folder), self.prefix


def _sources(reader: _Reader, table: Mapping[str, object], file: Path | None, application: Application) -> list[_Root]:
    """The source roots, the application's behind those of the file."""
    roots: list[_Root] = []
    if "sources" in table or application.default_sources or not application.sources:
        roots = _own_sources(reader, table, file, alone=not application.sources)
    seen = {root.place for root in roots}
    for given in application.sources:
        text, folder = given if isinstance(given, tuple) else ("", given)
        prefix, wrong = _prefix(text)
        if wrong:
            what = f'the static folder "{reader.shown(folder)}" has a prefix that cannot be: {wrong}'
            reader.problems.append(Problem("", 0, 0, what, 'write it like "vendor"'))
        root = _Root(folder, prefix)
        if root.place not in seen:
            seen.add(root.place)
            roots.append(root)
    return roots


def _prefix(text: str) -> tuple[str, str]:
    """With a `/` at its end, or "" for none; and what is wrong with it, or ""."""
    bare = text.removesuffix("/")
    wrong = _wrong_logical_path(bare) if bare else None
    return f"{bare}/" if bare and not wrong else "", wrong or ""


def _own_sources(reader: _Reader, table: Mapping[str, object], file: Path | None, *, alone: bool) -> list[_Root]:
    """Those of the file. Two may be one inside the other, as in Propshaft: the inner one's files then have two logical paths.

    alone: whether there is nothing to build without them.
    """
    if "sources" not in table:
        default = reader.path("assets")
        if os.path.isdir(default):
            return [_Root(default)]
        if not alone:
            return []
        if file is None:
            message = f"there is no configuration ({NAME}) and no folder assets here"
            reader.problems.append(
                Problem("", 0, 0, message, "make the folder assets, or an assetbuild.toml that names your folders")
            )
        elif "bundles_from" not in table:  # Bundles bring their own folder along.
            hint = 'make it, or say where the sources are: sources = ["…"]'
            reader.problem("sources", f'absent, and "{reader.shown(default)}" is no folder', hint)
        return []
    if table["sources"] == []:
        reader.problem("sources", "is an empty list: there is nothing to build", 'name a folder: sources = ["assets"]')
    roots: list[_Root] = []
    seen: dict[tuple[str, str], str] = {}
    for number, text, prefix in _written_roots(reader, table["sources"]):
        key = f"sources[{number}]"
        folder = _package_folder(reader, key, text) if text.startswith(_PACKAGE) else _folder(reader, key, text)
        if folder is None:
            continue
        root = _Root(folder, prefix)
        other = seen.setdefault(root.place, text)
        if len(seen) > len(roots):
            roots.append(root)
        else:
            reader.problem(key, f'"{text}" is the same folder as "{other}"', "name it once")
    return roots


def _written_roots(reader: _Reader, value: object) -> list[tuple[int, str, str]]:
    """Place in the list, path and prefix of those whose form is right."""
    tables: dict[int, dict[str, object]] = {}
    if isinstance(value, list):
        tables = {number: item for number, item in enumerate(value) if isinstance(item, dict)}
        value = [tables[number].get("path", "…") if number in tables else item for number, item in enumerate(value)]
    prefixes = {}
    for number, table in tables.items():
        key = f"sources[{number}]"
        reader.known(table, ("path", "prefix"), key)
        if "path" not in table:
            reader.problem(key, "it has no path", 'write {path = "…", prefix = "…"}')
        text = reader.expect(f"{key}.prefix", table.get("prefix", ""), str, 'text like "vendor"') or ""
        prefixes[number], wrong = _prefix(text)
        if wrong:
            reader.problem(f"{key}.prefix", wrong, 'write it like "vendor"')
    texts = reader.numbered(value, "sources") or ()
    return [(n, text, prefixes.get(n, "")) for n, text in texts if "path" in tables.get(n, ("path",))]


def _folder(reader: _Reader, key: str, text: str) -> Path | None:
    root = reader.path(text)
    if os.path.isdir(root):
        return root
    if os.path.lexists(root):
        kind = (
            "is a symbolic link that leads nowhere" if os.path.islink(root) and not os.path.exists(root) else "is not a folder"
        )
        reader.problem(key, f'"{reader.shown(root)}" {kind}', "name the folder that the sources are in")
    else:
        near = _nearest(root.name, _folders_in(root.parent))
        hint = f'did you mean "{reader.shown(root.parent / near)}"?' if near else "make it, or take it out of the list"
        reader.problem(key, f'"{reader.shown(root)}" does not exist', hint)
    return None


def _folders_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def _package_folder(reader: _Reader, key: str, text: str) -> Path | None:
    """The folder that `package:mylib/static` means. The package is found and not imported: nothing of it runs."""
    package, _, inside = text.removeprefix(_PACKAGE).partition("/")
    top, *below = package.split(".")
    if not all(part.isidentifier() for part in (top, *below)):
        reader.problem(key, f'"{package}" is no name of a package', 'write "package:NAME/FOLDER"')
        return None
    inside = inside.rstrip("/")
    if not inside or any(part in ("", ".", "..") for part in inside.split("/")):
        reader.problem(key, f'"{text}" names no folder inside the package', f'write "package:{package}/static"')
        return None
    try:
        # Of a name without a dot nothing is imported. A package of the project's own need not be installed.
        spec = importlib.util.find_spec(top) or PathFinder.find_spec(top, [str(reader.folder)])
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        reader.problem(key, f'there is no package "{top}"', "install it into this environment")
        return None
    folders = [Path(location, *below, inside) for location in spec.submodule_search_locations or ()]
    if not folders:
        reader.problem(key, f'"{top}" is a module, not a package: it has no folders')
        return None
    for folder in folders:
        if os.path.isdir(folder):
            return Path(os.path.abspath(folder))
    if any(os.path.isfile(parent) for parent in folders[0].parents):
        reader.problem(key, f'"{top}" is inside an archive ({spec.origin or folders[0]})', "install it unpacked")
    else:
        reader.problem(key, f'the package "{package}" has no folder "{inside}"', f"looked for {folders[0]}")
    return None


def _output(reader: _Reader, table: Mapping[str, object], given: _Given) -> tuple[Path, str]:
    """The output folder, and the option, variable or key that names it."""
    from_file = reader.text(table, "output", "a folder's path")
    if given.output is not None:
        text, key, folder = os.fspath(given.output), "--output", reader.working_folder
    elif "ASSETBUILD_OUTPUT" in given.variables:
        text, key, folder = given.variables["ASSETBUILD_OUTPUT"], "ASSETBUILD_OUTPUT", reader.working_folder
    elif given.application.output is not None:
        text, key, folder = os.fspath(given.application.output), given.application.output_name, reader.working_folder
    else:
        text, key, folder = from_file or "dist", "output", reader.folder
    if not text or "\0" in text:
        reader.problem(key, "this names no folder")
        text = "dist"
    output = _absolute(folder, text)
    if output.name == "manifest.json" and not os.path.isdir(output):
        # The variable may name the manifest: at run time that is allowed.
        return output.parent, key
    if os.path.lexists(output) and not os.path.isdir(output):
        kind = "is a symbolic link that leads nowhere" if os.path.islink(output) else "is not a folder"
        reader.problem(key, f'"{reader.shown(output)}" {kind}', "name a folder")
    return output, key


def _cache_dir(reader: _Reader, given: _Given, output_key: str) -> tuple[Path, str]:
    if text := given.variables.get("ASSETBUILD_CACHE_DIR"):
        return _absolute(reader.working_folder, text), "ASSETBUILD_CACHE_DIR"
    return reader.folder / ".assetbuild", output_key  # Where the cache is not given, only the output can be put elsewhere.


def _apart(reader: _Reader, sources: Iterable[Path], output: Path, key: str) -> bool:
    """Neither may the output be inside a source root, nor a root inside the output. Whether that is so."""
    messages = [message for root in sources if (message := overlap(output, root, reader.shown))]
    for message in messages:
        reader.problem(key, message, "give the artifact a folder of its own")
    return not messages


def overlap(output: Path, root: Path, shown: Callable[[Path], str]) -> str:
    """In which way the output and a source root are one inside the other, as a sentence, or ""."""
    real, real_root = Path(os.path.realpath(output)), Path(os.path.realpath(root))
    if real == real_root:
        return f'"{shown(output)}" is a source root'
    if real.is_relative_to(real_root):
        return f'"{shown(output)}" is inside the source root "{shown(root)}"'
    if real_root.is_relative_to(real):
        return f'the source root "{shown(root)}" is inside the output folder "{shown(output)}"'
    return ""


def _cache_apart(reader: _Reader, sources: Iterable[Path], output: Path, cache: Path, key: str) -> None:
    """Nothing but the artifact is in the output; and a cache below a source root has a name that is no source's."""
    real, real_output = Path(os.path.realpath(cache)), Path(os.path.realpath(output))
    if real.is_relative_to(real_output) or real_output.is_relative_to(real):
        message = f'the cache "{reader.shown(cache)}" and the output folder "{reader.shown(output)}" are one inside the other'
        reader.problem(key, message, "give each a folder of its own")
    for root in sources:
        real_root = Path(os.path.realpath(root))
        if real.is_relative_to(real_root) and not any(p.startswith(".") for p in real.relative_to(real_root).parts):
            message = f'the cache "{reader.shown(cache)}" is inside the source root "{reader.shown(root)}"'
            reader.problem(key, message, "give it a folder of its own")


def _base_url(reader: _Reader, table: Mapping[str, object], given: _Given) -> str:
    url: str | None = "/static/"
    if "base_url" in table:
        url = reader.expect("base_url", table["base_url"], str, 'text like "/static/"')
        url = None if url is None else _valid_base_url(reader, "base_url", url)
    if given.base_url is not None:
        return _valid_base_url(reader, "--base-url", given.base_url)
    if text := given.variables.get("ASSETBUILD_BASE_URL"):
        return _valid_base_url(reader, "ASSETBUILD_BASE_URL", text)
    if given.application.base_url is not None:
        return _valid_base_url(reader, given.application.base_url_name, given.application.base_url)
    return url or "/"


def _valid_base_url(reader: _Reader, key: str, url: str) -> str:
    """The URL with a `/` at its end. It begins with `/`, `//host`, `http://host` or `https://host`."""

    def refused(message: str, hint: str) -> str:
        reader.problem(key, message, hint)
        return "/"

    if not url:
        return refused("it may not be empty", 'for the top of the host write "/"')
    if any(not "!" <= c <= "~" or c in "\\\"'<>^`{|}" for c in url):
        return refused(f'"{url}" holds a character that no URL has', "percent-encode it")
    if "?" in url or "#" in url:
        return refused(f'"{url}" has a query or a fragment', "a base URL is what stands before a path")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (it raises where the port is no number)
    except ValueError as error:
        return refused(f'"{url}" is no URL: {error}', 'write "/static/" or "https://cdn.example.com/static/"')
    if parts.scheme in ("http", "https") or url.startswith("//"):
        if not parts.hostname:
            return refused(f'"{url}" names no host', 'write "/static/" or "https://cdn.example.com/static/"')
    elif not url.startswith("/"):
        bare = url.removeprefix("./").rstrip("/")
        # A dot in the first part is a host's, far more often than a folder's.
        start = "https://" if re.match(r"[\w-]+(\.[\w-]+)+(/|\Z)", bare) else "/"
        hint = f'write "{start}{bare}/"' if not parts.scheme else 'write "https://…/" or "/…/"'
        return refused(f'"{url}" is neither a path from the top of the host nor an http or https URL', hint)
    return url if url.endswith("/") else url + "/"


# ---- what is done to files


def _missing(reader: _Reader, table: Mapping[str, object]) -> tuple[tuple[Pattern, Policy], ...]:
    value = table.get("missing", "error")
    if not isinstance(value, (str, dict)):
        reader.problem("missing", f'must be "error", "warn", "ignore", or a table from globs to these, not {_what(value)}')
        return ()
    rules: list[tuple[Pattern, Policy]] = []
    for text, word in value.items() if isinstance(value, dict) else [("**", value)]:
        key = _key("missing", text) if isinstance(value, dict) else "missing"
        pattern = reader.pattern(text, key)
        if word not in _POLICIES:
            near = _nearest(word, _POLICIES) if isinstance(word, str) else None
            hint = f'did you mean "{near}"?' if near else ""
            shown = f'"{word}"' if isinstance(word, str) else _what(word)
            reader.problem(key, f'must be "error", "warn" or "ignore", not {shown}', hint)
        elif pattern:
            rules.append((pattern, cast("Policy", word)))
    return tuple(rules)


def _compress(reader: _Reader, table: Mapping[str, object]) -> tuple[Coding, ...]:
    if "compress" not in table:
        return ("br", "gzip")
    chosen: dict[Coding, None] = {}
    for number, text in reader.numbered(table["compress"], "compress") or ():
        if text in _CODINGS:
            chosen[cast("Coding", text)] = None
            continue
        near = _OTHER_NAMES.get(text.lower()) or _nearest(text, _CODINGS)
        hint = f'did you mean "{near}"?' if near else 'there are "br", "gzip" and "zstd"'
        reader.problem(f"compress[{number}]", f'"{text}" is no coding', hint)
    return tuple(chosen)


_RULE_KEYS: Final = ("filters", "depends", "suffix")


def _filters(reader: _Reader, table: Mapping[str, object]) -> tuple[FilterRule, ...]:
    rules = []
    for text, value in reader.table(table, "filters").items():
        key = _key("filters", text)
        pattern = reader.pattern(text, key)
        rule: Mapping[str, object] = {"filters": value}
        if isinstance(value, dict):
            rule = value
            reader.known(rule, _RULE_KEYS, key)
            if "filters" not in rule:
                reader.problem(key, "the chain is missing", "add filters = […]")
                continue
        name = _key(key, "filters") if isinstance(value, dict) else key
        if not isinstance(value, (dict, list, str)):
            reader.problem(key, f"must be a list of filters or a table, not {_what(value)}")
            continue
        filters = _chain(reader, rule["filters"], name, key=f'"{text}"' if name == key else "filters")
        depends = reader.patterns(rule, "depends", parent=key)
        suffix = _suffix(reader, rule, key)
        if pattern and filters is not None:
            rules.append(FilterRule(pattern, filters, depends, suffix))
    return tuple(rules)


def _chain(reader: _Reader, value: object, name: str, *, key: str = "filters") -> tuple[str, ...] | None:
    """A list of filters' names. webassets takes text with commas too, so that is what people try."""
    if isinstance(value, str):
        items = [item for item in (part.strip() for part in value.split(",")) if item]
        reader.problem(name, "must be a list, not text", f"write {key} = {_list(items)}")
        return None
    filters = reader.texts(value, name)
    for filter_name in dict.fromkeys(filters or ()):
        if fault := reader.filter_fault(filter_name):
            reader.problem(name, fault)
    return filters


def _suffix(reader: _Reader, rule: Mapping[str, object], parent: str) -> str | None:
    if "suffix" not in rule:
        return None
    key = _key(parent, "suffix")
    suffix = reader.expect(key, rule["suffix"], str, 'text like ".css"')
    if suffix is None:
        return None
    if not re.fullmatch(r"\.[^/\\\x00-\x20\x7f]*[^/\\\x00-\x20\x7f.]", suffix):
        hint = f'write ".{suffix}"' if re.fullmatch(r"\w+", suffix) else 'write it like ".css"'
        reader.problem(key, f'"{suffix}" is no suffix', hint)
        return None
    return suffix


_BUNDLE_KEYS: Final = ("contents", "filters", "publish_parts", "depends")


def _bundles(reader: _Reader, table: Mapping[str, object]) -> tuple[Bundle, ...]:
    bundles = []
    for name, value in reader.table(table, "bundles").items():
        key = _key("bundles", name)
        if wrong := _wrong_logical_path(name):
            reader.problem(key, wrong, 'name it like "js/app.js"')
        if not isinstance(value, dict):
            hint = f"write [{reader.prefix}{key}] and contents = {_list(value) if _is_texts(value) else '[…]'} below it"
            reader.problem(key, f"must be a table, not {_what(value)}", hint)
            continue
        # `[bundles.app.js]` without quotes is a table "js" in a table "app".
        inner = next((k for k, v in value.items() if k not in _BUNDLE_KEYS and isinstance(v, dict)), None)
        if inner is not None and "contents" not in value:
            hint = f'write [{reader.prefix}bundles."{name}.{inner}"]'
            reader.problem(_key(key, inner), "a name with a dot needs quotes", hint)
            continue
        reader.known(value, _BUNDLE_KEYS, key)
        contents = reader.patterns(value, "contents", parent=key, from_top=True)
        if "contents" not in value:
            reader.problem(key, "it has no contents", "add contents = […]")
        elif value["contents"] == []:
            reader.problem(_key(key, "contents"), "is an empty list", "name its parts, or take the bundle out")
        filters = _chain(reader, value["filters"], _key(key, "filters")) if "filters" in value else None
        publish_parts = reader.boolean(value, "publish_parts", parent=key)
        bundles.append(Bundle(name, contents, filters, publish_parts, reader.patterns(value, "depends", parent=key)))
    return tuple(bundles)


def _wrong_logical_path(name: str) -> str | None:
    if "\\" in name:
        return "a logical path has no backslash"
    if any(not c.isprintable() for c in name):
        return "a logical path has no control characters"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return f'"{name}" is no logical path: it is relative, and has no empty part, no "." and no ".."'
    return None


def _bundles_from(reader: _Reader, table: Mapping[str, object]) -> str | None:
    text = reader.text(table, "bundles_from", 'a path or "module:attribute"')
    if text is None or re.fullmatch(r"[\w.]+:[\w.]+", text):
        return text
    if not os.path.isfile(reader.path(text)):
        hint = 'name a YAML file, or an environment as "module:attribute"'
        reader.problem("bundles_from", f'"{reader.shown(reader.path(text))}" is no file', hint)
    return text


#: What `jinja2.Environment` takes and a file can say (Jinja's documentation, "High Level API"), and its type.
_JINJA: Final[Mapping[str, type]] = dict.fromkeys(
    (
        "block_start_string",
        "block_end_string",
        "variable_start_string",
        "variable_end_string",
        "comment_start_string",
        "comment_end_string",
        "line_statement_prefix",
        "line_comment_prefix",
        "newline_sequence",
    ),
    str,
) | {"trim_blocks": bool, "lstrip_blocks": bool, "keep_trailing_newline": bool, "extensions": list}


def _jinja(reader: _Reader, table: Mapping[str, object]) -> Mapping[str, object]:
    settings = reader.table(table, "jinja")
    reader.known(settings, _JINJA, "jinja")
    check: Mapping[type, Callable[[str, object], object]] = {
        str: lambda key, value: reader.expect(key, value, str, "text"),
        bool: lambda key, value: reader.expect(key, value, bool, "true or false"),
        list: lambda key, value: reader.texts(value, key),
    }
    for key, value in settings.items():
        if key in _JINJA:
            check[_JINJA[key]](_key("jinja", key), value)
    return settings


def _filter_timeout(reader: _Reader, table: Mapping[str, object]) -> float:
    value = table.get("filter_timeout", 60)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        reader.problem("filter_timeout", f"must be a number of seconds, not {_what(value)}")
    elif not (0 < value < 1e9) or math.isnan(value):
        reader.problem("filter_timeout", f"{value} is no number of seconds that a filter can take", "write filter_timeout = 60")
    else:
        return float(value)
    return 60.0


def _number(reader: _Reader, table: Mapping[str, object], given: _Given, key: str, words: str) -> int | None:
    value = given.numbers[key]
    option = "" if value is None else "--" + key.replace("_", "-")
    if value is None and key in table:
        value = reader.expect(key, table[key], int, f"a number of {words}")
    if value is None or 0 <= value <= MOST:
        return value
    what, hint = f"{value} is no number of {words}", f"write a whole number from 0 to {MOST}"
    if option:
        reader.problems.append(Problem("", 0, 0, f"{option}: {what}", hint))
    else:
        reader.problem(key, what, hint)
    return None


def _source_date_epoch(reader: _Reader, given: _Given) -> int | None:
    """Seconds since 1970 (https://reproducible-builds.org/specs/source-date-epoch/: ASCII digits, no fraction)."""
    text = given.variables.get("SOURCE_DATE_EPOCH")
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,12}", text) and int(text) <= _LAST_SECOND:
        return int(text)
    hint = "for a commit's: SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)"
    reader.problem("SOURCE_DATE_EPOCH", f'"{text}" is no number of seconds since 1970', hint)
    return None


# ---- words


def _nearest(word: str, words: Iterable[str]) -> str | None:
    import difflib  # Only once there is a mistake.

    candidates = {other.lower().replace("-", "_"): other for other in words}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), candidates, 1, 0.6)
    return candidates[found[0]] if found else None


def _key(parent: str, key: str) -> str:
    """A dotted key as it stands in TOML."""
    name = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{parent}.{name}" if parent else name


def _what(value: object) -> str:
    """What a TOML value is, for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind, words in ((str, "text"), (int, "a number"), (float, "a number"), (list, "a list"), (dict, "a table")):
        if isinstance(value, kind):
            return words
    return "a date or a time"


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _list(items: object) -> str:
    return "[" + ", ".join(f'"{item}"' for item in cast("Sequence[str]", items)) + "]"
