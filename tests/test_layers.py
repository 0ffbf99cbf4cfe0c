"""Imports go one way, and what production imports is small: read from the code itself, and seen in fresh processes."""

from __future__ import annotations

import ast
import graphlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "assetbuild"

# The rooms of the build, lowest row first. A room may import from the rows below its own; rooms of one row do not know one
# another. `name.*` is every module of that package but its __init__.
ROWS: tuple[tuple[str, ...], ...] = (
    ("runtime.closest", "runtime.manifest", "runtime.media_types"),
    ("beside", "errors", "interrupts", "looks", "names", "patterns", "pool", "reading", "syntax", "texts"),
    ("entries", "sums", "syntax.*", "syntax.css.*", "syntax.js.*"),
    ("compressors", "config", "records", "references", "spool", "survey"),
    ("cache", "cache.*", "documents", "filters", "publish", "publish.*", "sources", "unpack", "variants"),
    ("bundles", "bundles.*", "filters.*", "fingerprint", "graph", "index", "references.*"),
    ("adopt", "adopt.*", "banners", "link", "result", "unit"),
    ("earlier", "missing", "plan", "recall", "templates"),
    ("assemble", "changes", "releases", "tally", "templates.*"),
    ("build", "materials"),
    ("make",),
    ("compile", "serve_config", "verify"),
    ("check", "explain", "init", "provenance", "sbom", "unused"),
    ("report",),
    ("dev", "dev.*"),
    ("cli",),
    ("__main__", "integrations.django.management.commands.assetbuild", "integrations.flask_commands"),
)

# Packages whose modules are one room in several files: they may import one another, as long as no cycle comes of it.
FAMILIES = ("adopt", "bundles", "cache", "dev", "filters", "publish", "syntax.css", "syntax.js")

# Neighbours that know one another, each with its reason.
NEIGHBOURS: dict[tuple[str, str], str] = {
    ("references.svg", "references.css"): "SVG holds style sheets, and presentation attributes are CSS values",
    ("references.css", "references.sourcemap"): "the comment is found in CSS and in JavaScript by one rule",
    ("references.js", "references.sourcemap"): "the comment is found in CSS and in JavaScript by one rule",
}

# The command lines of frameworks stand above ours: what of its integration each may import, and who reaches it. Nothing but the
# call of a command leads there, as each framework's tests see in a process that serves.
DOORS = {
    "integrations.django.management.commands.assetbuild": ("integrations.django.", ""),  # Django looks for it by its place.
    "integrations.flask_commands": ("-", "integrations.flask"),
}

# The column of the run time: what each room in it may import of assetbuild, besides its own package.
RUN_TIME: dict[str, tuple[str, ...]] = {
    "": ("runtime",),
    "runtime": (),
    "integrations": ("runtime", "runtime.closest", "runtime.manifest", "runtime.media_types", "runtime.served", "runtime.tags"),
}


def modules() -> dict[str, Path]:
    """Every module below assetbuild/, by its name without the package's; "" is the package itself."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = list(file.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = file
    return found


MODULES = modules()


def imported(module: str) -> Iterator[str]:
    """The full names of what a module imports, inside functions and under TYPE_CHECKING too."""
    file = MODULES[module]
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import"
            assert node.module is not None
            # `from assetbuild.references import css` imports a module, `… import Scan` a name.
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole.removeprefix("assetbuild.") in MODULES else node.module


def own(module: str) -> set[str]:
    """The modules of assetbuild that a module imports."""
    names = {name for name in imported(module) if name.split(".")[0] == "assetbuild"}
    return {name.removeprefix("assetbuild").removeprefix(".") for name in names}


def row(module: str) -> int | None:
    for number, rooms in enumerate(ROWS):
        if module in rooms or (module.rpartition(".")[0] and f"{module.rpartition('.')[0]}.*" in rooms):
            return number
    return None


def column(module: str) -> str | None:
    """The room of the run time that a module belongs to."""
    top = module.split(".")[0]
    return top if top in RUN_TIME and module not in DOORS else None


def each(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("module", names, ids=lambda name: name or "assetbuild")


BUILD = tuple(name for name in MODULES if column(name) is None)
PRODUCTION = tuple(name for name in MODULES if column(name) in ("", "runtime"))


def test_there_are_modules() -> None:
    assert {"", "errors", "runtime", "runtime.manifest", "integrations.jinja", "verify"} <= set(MODULES)


@each(*MODULES)
def test_the_table_knows_the_module(module: str) -> None:
    assert row(module) is not None or column(module) is not None


@each(*BUILD)
def test_imports_run_downward(module: str) -> None:
    here = row(module)
    assert here is not None
    families = tuple(family for family in FAMILIES if f"{module}.".startswith(f"{family}."))
    # The package itself has the version.
    for name in own(module) - {""}:
        if module in DOORS and f"{name}.".startswith(DOORS[module][0]):
            continue
        there = row(name)
        assert there is not None, f"{module} imports {name}, which is in no row of the build"
        related = there == here and any(f"{name}.".startswith(f"{family}.") for family in families)
        assert there < here or related or (module, name) in NEIGHBOURS, f"{module} imports {name}"


@each(*(name for name in MODULES if name not in BUILD))
def test_the_run_time_knows_nothing_of_the_build(module: str) -> None:
    room = column(module)
    assert room is not None
    for name in own(module):
        if name in DOORS and DOORS[name][1] == module:
            continue
        assert column(name) == room or name in RUN_TIME[room], f"{module} imports {name}"


@each(*MODULES)
def test_nothing_imports_a_door_and_a_framework_is_imported_by_its_integration_only(module: str) -> None:
    assert all(DOORS[name][1] == module for name in own(module) & DOORS.keys())
    tops = {name.split(".")[0] for name in imported(module)}
    assert "django" not in tops or module.startswith("integrations.django.")


@each(*PRODUCTION)
def test_what_production_imports_needs_the_standard_library_only(module: str) -> None:
    tops = {name.split(".")[0] for name in imported(module)}
    assert tops <= set(sys.stdlib_module_names) | {"assetbuild"}


def test_no_module_imports_itself_by_a_detour() -> None:
    graphlib.TopologicalSorter({module: own(module) - {module} for module in MODULES}).prepare()


# In a fresh interpreter

FRESH = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from assetbuild import Asset, AssetNotFound, Assets, ManifestError, __version__
print(*sorted(set(sys.modules) - before))
if sys.argv[2:]:
    assets = Assets(sys.argv[2])
    assets.url("css/app.css"), assets.tag("css/app.css"), assets["css/app.css"], assets.integrity("css/app.css")
    try:
        assets.url("css/ap.css")
    except AssetNotFound as error:
        str(error)
    print(*sorted(set(sys.modules) - before))
"""


def fresh(*arguments: str) -> list[set[str]]:
    command = [sys.executable, "-I", "-B", "-c", FRESH, str(PACKAGE.parent), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return [set(line.split()) for line in ran.stdout.splitlines()]


def foreign(loaded: set[str]) -> set[str]:
    return {name for name in loaded if name.split(".")[0] not in {*sys.stdlib_module_names, "assetbuild"}}


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """A folder that nothing may be written to."""
    entry = {"path": "css/app.5d41402abc4b.css", "integrity": "sha256-x", "size": 1, "type": "text/css"}
    manifest = {"version": 1, "mode": "production", "digest": "x", "base_url": "/", "previous": []}
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({**manifest, "assets": {"css/app.css": entry}}))
    (folder / "manifest.json").chmod(0o444)
    folder.chmod(0o555)
    return folder


def test_import_and_look_ups_load_the_standard_library_only(artifact: Path) -> None:
    for loaded in fresh(str(artifact)):
        assert foreign(loaded) == set()


def test_import_loads_nothing_that_takes_long() -> None:
    (loaded,) = fresh()
    assert {name for name in loaded if name.startswith("assetbuild")} == {
        "assetbuild",
        "assetbuild.runtime",
        "assetbuild.runtime.manifest",
    }
    slow = {"ast", "dataclasses", "difflib", "enum", "hashlib", "html", "inspect", "json", "pathlib", "re", "typing", "urllib"}
    assert loaded & slow == set()


# Seen from outside

WATCHED = """
import os, sys
def mark(name):
    try:
        os.stat("/mark/" + name)
    except OSError:
        pass
mark("start")
sys.path.insert(0, sys.argv[1])
from assetbuild import Assets
assets = Assets(sys.argv[2], auto_reload=sys.argv[3] == "reload")
assets.url("css/app.css"), assets.tag("css/app.css")
mark("ready")
for _ in range(1000):
    assets.url("css/app.css")
    assets.integrity("css/app.css")
    assets["css/app.css"]
    assets.tag("css/app.css")
mark("end")
"""

WRITING = re.compile(
    r"\b(?:p?writev?2?|pwrite64|creat|mkdir|mkdirat|mknod|mknodat|link|linkat|symlink|symlinkat|rename|renameat2?|unlink|"
    r"unlinkat|rmdir|truncate|ftruncate|fallocate|f?chmod|fchmodat2?|f?chown|fchownat|utimensat|sendfile|copy_file_range|"
    r"socket|connect|bind|clone3?|fork|vfork)\("
)
FOR_WRITING = re.compile(r"\bopen(?:at2?)?\(.*\b(?:O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE)\b")
OPENING = re.compile(r"\bopen(?:at2?)?\(")


def _unavailable(reason: str) -> None:
    # On a continuous integration server a test that cannot run is a failure, not a footnote.
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def calls(artifact: Path, mode: str) -> tuple[list[str], list[str]]:
    """The system calls of a process before its look-ups (its start apart), and those of 4,000 look-ups."""
    if shutil.which("strace") is None:
        _unavailable("strace is not installed")
    log = artifact.parent / "log"
    command = ["strace", "-f", "-o", str(log), sys.executable, "-I", "-B", "-c", WATCHED]
    ran = subprocess.run([*command, str(PACKAGE.parent), str(artifact), mode], capture_output=True, text=True)
    if ran.returncode and "ptrace" in ran.stderr:
        _unavailable(f"strace may not trace: {ran.stderr.splitlines()[0]}")
    assert ran.returncode == 0, ran.stderr
    lines = log.read_text(errors="replace").splitlines()
    start, ready, end = (
        next(i for i, line in enumerate(lines) if f"/mark/{name}" in line) for name in ("start", "ready", "end")
    )
    return lines[start + 1 : ready], lines[ready + 1 : end]


@pytest.mark.parametrize("mode", ["plain", "reload"])
def test_nothing_is_written_by_import_and_look_ups(artifact: Path, mode: str) -> None:
    before, during = calls(artifact, mode)
    assert [line for line in before if OPENING.search(line)]
    assert [line for line in before + during if WRITING.search(line) or FOR_WRITING.search(line)] == []


def test_look_ups_ask_the_system_for_nothing(artifact: Path) -> None:
    _, during = calls(artifact, "plain")
    # The allocator may ask for memory.
    assert [line for line in during if not re.search(r"\b(?:brk|mmap|munmap|madvise)\(", line)] == []


def test_with_auto_reload_a_look_up_costs_one_stat(artifact: Path) -> None:
    _, during = calls(artifact, "reload")
    asked = [line for line in during if not re.search(r"\b(?:brk|mmap|munmap|madvise)\(", line)]
    assert all(re.search(r"stat[^(]*\(.*manifest\.json", line) for line in asked)
    assert len(asked) == 4000
