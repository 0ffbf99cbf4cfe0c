"""What a project is made of: its framework, its folders, its templates' delimiters. Read from its files; none of its code is
run."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: In the order in which they are looked for: FastAPI is made of Starlette, and projects of Django may use parts of Flask.
FRAMEWORKS = {"django": "Django", "flask": "Flask", "fastapi": "FastAPI", "starlette": "Starlette"}

DELIMITERS = (
    *(f"{kind}_{end}_string" for kind in ("block", "variable", "comment") for end in ("start", "end")),
    "line_statement_prefix",
    "line_comment_prefix",
)

_ASIDE = {"node_modules", "__pycache__", "tests", "test", "docs", "site-packages", "build", "benchmarks", "examples"}
_DEPTH = 5
_ONE_MEGABYTE = 1_000_000
#: Asked for by these names, whatever a page says.
_KEPT = ("robots.txt", "sw.js", "service-worker.js", ".well-known")


@dataclass(frozen=True, slots=True)
class Survey:
    """framework: its name, or "". sources, templates: folders that are there, relative, with `/`.

    base_url: where the framework serves static files, or "". kept: patterns of files that need their own names. suffixes: of
    the sources, in lower case. bundles_from: as the configuration has it, or "". webassets: whether there are bundles, of
    which nobody can tell how they are named. delimiters: of Jinja, where they are not its own.
    """

    framework: str
    sources: tuple[str, ...]
    templates: tuple[str, ...]
    base_url: str
    kept: tuple[str, ...]
    suffixes: frozenset[str]
    bundles_from: str
    webassets: bool
    delimiters: Mapping[str, str]


@dataclass(slots=True)
class _Code:
    """What the project's modules say. Folders are tried from the project's, and from the module's."""

    imports: set[str] = field(default_factory=set)
    static: list[Path] = field(default_factory=list)
    templates: list[Path] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    delimiters: dict[str, set[str]] = field(default_factory=dict)
    environments: list[str] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)
    assets: bool = False


def survey(folder: Path) -> Survey:
    """Look at the project in a folder."""
    code = _Code()
    folders = [folder]
    for parent, names in _walk(folder):
        folders += [parent / name for name in names if (parent / name).is_dir()]
        for name in names:
            if name.endswith(".py"):
                _read_module(code, folder, parent / name)
    framework = _framework(folder, code)
    packages = [one for one in folders if one != folder and any(one.glob("*.py"))]
    deep = packages if framework == "Django" else [one for one in packages if one.parent in (folder, folder / "src")]
    static = [*code.static, *(one / name for one in (folder, *deep) for name in ("assets", "static"))]
    collected = {folder / name for name in code.collected}
    sources = _outermost(folder, [one for one in static if one not in collected or one in code.static])
    templates = [*code.templates, *(one / name for one in (folder, *packages) for name in ("templates", "jinja2"))]
    kept = {name for source in sources for name in _KEPT if (folder / source / name).exists()}
    bundles_from = _bundles_from(folder, code)
    return Survey(
        framework=framework,
        sources=sources,
        templates=_outermost(folder, templates),
        base_url=code.urls[0] if code.urls else "",
        kept=tuple(name + "/**" if name == ".well-known" else name for name in _KEPT if name in kept),
        suffixes=_suffixes(folder / source for source in sources),
        bundles_from=bundles_from,
        webassets=code.assets and not bundles_from,
        delimiters={key: min(texts) for key, texts in code.delimiters.items() if len(texts) == 1},
    )


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder of the project's own, and what is in it, in the order of names."""
    for text, folders, files in os.walk(folder):
        parent = Path(text)
        depth = len(parent.relative_to(folder).parts)
        folders[:] = sorted(
            name
            for name in folders
            if depth < _DEPTH
            and not name.startswith(".")
            and name not in _ASIDE
            and not (parent / name / "pyvenv.cfg").exists()
        )
        yield parent, sorted([*folders, *files])


def _outermost(folder: Path, candidates: Sequence[Path]) -> tuple[str, ...]:
    """Those that are folders inside the project, each once, and none inside another."""
    real = [one for one in dict.fromkeys(candidates) if one.is_dir() and folder in one.parents]
    outer = [one for one in real if not any(other in one.parents for other in real)]
    return tuple(one.relative_to(folder).as_posix() for one in outer)


def _suffixes(folders: Iterable[Path]) -> frozenset[str]:
    found = set()
    for folder in folders:
        for _, inner, files in os.walk(folder):
            inner[:] = [name for name in inner if not name.startswith(".") and name != "node_modules"]
            found |= {os.path.splitext(name)[1].lower() for name in files}
    return frozenset(found)


def _framework(folder: Path, code: _Code) -> str:
    for found in (code.imports, _dependencies(folder)):
        for module, name in FRAMEWORKS.items():
            if module in found:
                return name
    return ""


def _dependencies(folder: Path) -> set[str]:
    """The names of the packages that the project says it needs, in lower case."""
    lines: list[str] = []
    for file in [*sorted(folder.glob("requirements*.txt")), folder / "Pipfile", folder / "setup.cfg"]:
        lines += _text(file).splitlines()
    try:
        table = tomllib.loads(_text(folder / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        table = {}
    match table:
        case {"project": {"dependencies": [*listed]}}:
            lines += map(str, listed)
    match table:
        case {"tool": {"poetry": {"dependencies": {**keyed}}}}:
            lines += map(str, keyed)
    names = (re.match(r"[\s\"']*([\w.-]+)", line) for line in lines)
    return {name[1].lower() for name in names if name}


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig", errors="replace") if file.stat().st_size < _ONE_MEGABYTE else ""
    except OSError:
        return ""


# ---- webassets


def _bundles_from(folder: Path, code: _Code) -> str:
    for place in (folder, folder / "config"):
        for file in sorted([*place.glob("*.yml"), *place.glob("*.yaml")]):
            text = _text(file)
            if re.search(r"^bundles:\s*$", text, re.MULTILINE) and re.search(r"^\s+contents:", text, re.MULTILINE):
                return file.relative_to(folder).as_posix()
    if code.environments:
        return code.environments[0]
    return code.applications[0] if code.assets and code.applications else ""


def _module_name(folder: Path, file: Path) -> str:
    """As it is imported from the project's folder, or "" where it cannot be."""
    parts = list(file.relative_to(folder).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    if parts and parts[0] == "src":
        parts.pop(0)
        if not parts or importlib.util.find_spec(parts[0]) is None:
            return ""
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


# ---- modules


def _read_module(code: _Code, folder: Path, file: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(_text(file))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {(alias.asname or alias.name).split(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    code.imports |= {name.split(".")[0] for name in known.values()}
    if file.name == "manage.py" and "DJANGO_SETTINGS_MODULE" in _text(file):
        code.imports.add("django")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            _read_call(code, known, (folder, file.parent), node)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                _delimiter(code, _constant(key), value)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                _read_assignment(code, target, node.value)
    code.assets = code.assets or any(_is_environment(name) for name in known.values())
    if module := _module_name(folder, file):
        _read_names(code, known, module, tree)


def _constant(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _called(known: Mapping[str, str], node: ast.AST) -> str:
    """The full name of what a call calls: `flask.Flask`."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return f"{known.get(node.func.value.id, node.func.value.id)}.{node.func.attr}"
    return known.get(node.func.id, node.func.id) if isinstance(node.func, ast.Name) else ""


def _read_call(code: _Code, known: Mapping[str, str], places: tuple[Path, Path], node: ast.Call) -> None:
    given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    for name, value in given.items():
        _delimiter(code, name, value)
    called = _called(known, node)
    word = called.rpartition(".")[2]
    if called == "flask.Flask":
        _folder(code.static, places[1], _constant(given.get("static_folder")))
        _folder(code.templates, places[1], _constant(given.get("template_folder")))
        _url(code, _constant(given.get("static_url_path")))
    elif word in ("StaticFiles", "Jinja2Templates"):
        into = code.static if word == "StaticFiles" else code.templates
        first = node.args[0] if node.args else None
        _folder(into, places[0], _constant(given.get("directory", first)))
    elif word in ("mount", "Mount") and len(node.args) > 1:
        if _called(known, node.args[1]).rpartition(".")[2] == "StaticFiles":
            _url(code, _constant(node.args[0]))
    elif word == "Mount" and _called(known, given.get("app", node)).rpartition(".")[2] == "StaticFiles":
        _url(code, _constant(node.args[0] if node.args else given.get("path")))


def _read_assignment(code: _Code, target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Attribute):
        _delimiter(code, target.attr, value)
    elif isinstance(target, ast.Subscript):
        _delimiter(code, _constant(target.slice), value)
    elif isinstance(target, ast.Name) and target.id == "STATIC_URL":
        _url(code, _constant(value))
    elif isinstance(target, ast.Name) and target.id == "STATIC_ROOT":
        texts = [_constant(node) for node in ast.walk(value)]
        code.collected += [text for text in texts if text][-1:]


def _folder(into: list[Path], place: Path, text: str) -> None:
    if text:
        into.append(Path(os.path.normpath(place / text)))


def _url(code: _Code, text: str) -> None:
    """A path, or an address, as a base URL."""
    if text and re.fullmatch(r"(?:https?:/)?[\w./~-]*", text) and text.strip("/"):
        whole = text if re.match(r"https?://|/", text) else "/" + text
        code.urls.append(whole if whole.endswith("/") else whole + "/")


def _delimiter(code: _Code, name: str, value: ast.expr) -> None:
    if name in DELIMITERS and (text := _constant(value)):
        code.delimiters.setdefault(name, set()).add(text)


def _is_environment(name: str) -> bool:
    return name.split(".")[0] in ("flask_assets", "webassets") and name.rpartition(".")[2] in ("Environment", "flask_assets")


def _read_names(code: _Code, known: Mapping[str, str], module: str, tree: ast.Module) -> None:
    """The environments and the applications that have a name at the top of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            called = _called(known, node.value)
            name = f"{module}:{node.targets[0].id}"
            # One of Flask-Assets without an application has no folder yet; the application has it later.
            alone = called.startswith("flask_assets") and isinstance(node.value, ast.Call) and not node.value.args
            if called.endswith(".Environment") and _is_environment(called) and not alone:
                code.environments.append(name)
            elif called == "flask.Flask":
                code.applications.append(name)
        elif isinstance(node, ast.FunctionDef) and len(node.args.args) == len(node.args.defaults):
            required = [default for default in node.args.kw_defaults if default is None]
            if not required and any(_called(known, inner) == "flask.Flask" for inner in ast.walk(node)):
                code.applications.append(f"{module}:{node.name}")
