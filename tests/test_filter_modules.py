"""A filter of the user's own is what its module is, and all that this imports: after an edit of any of it the next build makes
what the edited one makes, in the same process too."""

from __future__ import annotations

import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assetbuild.filters import modules
from tests.conftest import Project

FILTER = """
from webassets.filter import Filter
{imports}

class Mark(Filter):
    def output(self, _in, out, **kw):
        {late}
        out.write(_in.read() + {value})
"""
RULE = 'compress = []\n[filters]\n"*.css" = {filters = ["%s:Mark"], depends = ["*.txt"]}\n'


@pytest.fixture(autouse=True)
def _forgotten(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(project.folder)
    yield
    for name in sys.modules.keys() - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(project.folder)):
            del sys.modules[name]
            modules._imported.pop(name, None)


def site(imports: str, value: str, late: str = "pass") -> str:
    return FILTER.format(imports=imports, value=value, late=late)


@pytest.mark.parametrize(
    ("name", "files", "edited"),
    [
        ("own", {"own.py": site("", "'/*1*/'")}, "own.py"),
        ("own", {"own.py": site("import near", "near.X"), "near.py": "X = '/*1*/'"}, "near.py"),
        ("own", {"own.py": site("from near import *", "X"), "near.py": "from far import X", "far.py": "X = '/*1*/'"}, "far.py"),
        ("own", {"own.py": site("", "near.X", "import near"), "near.py": "X = '/*1*/'"}, "near.py"),
        (
            "kit.filters.own",
            {
                "kit/__init__.py": "",
                "kit/marks.py": "X = '/*1*/'",
                "kit/filters/__init__.py": "",
                "kit/filters/own.py": site("from .. import marks", "marks.X"),
            },
            "kit/marks.py",
        ),
        ("kit.own", {"kit/__init__.py": "X = '/*1*/'", "kit/own.py": site("from . import X", "X")}, "kit/__init__.py"),
        ("kit", {"kit/__init__.py": site("from .marks import X", "X"), "kit/marks.py": "X = '/*1*/'"}, "kit/marks.py"),
        ("own", {"own.py": site("import loose.near as near", "near.X"), "loose/near.py": "X = '/*1*/'"}, "loose/near.py"),
        ("own", {"own.py": site("from bare import near", "near.X"), "bare/near.py": "X = '/*1*/'"}, "bare/near.py"),
    ],
)
def test_an_edit_of_what_a_filter_is_made_of_shows_in_the_next_build(
    project: Project, name: str, files: dict[str, str], edited: str
) -> None:
    project.write({"assets/a.css": "a{}", "assetbuild.toml": RULE % name, **files})
    for text in ("/*1*/", "/*2*/", "/*33*/"):
        project.write({edited: files[edited].replace("/*1*/", text)}).compile()
        assert project.text("a.css") == "a{}" + text
    assert project.compile().unchanged


def test_an_edit_brings_all_in_again_that_the_module_imports(project: Project) -> None:
    project.write({"top.py": "import left, right", "left.py": "import low", "right.py": "SEEN = []", "low.py": "X = 1"})
    modules.imported("top")[0].right.SEEN.append("models are registered once")
    assert modules.imported("top")[0].right.SEEN
    project.write({"low.py": "X = 22"})
    top, _ = modules.imported("top")
    assert (top.left.low.X, top.right.SEEN) == (22, [])


def test_what_came_in_before_a_failure_is_not_taken_for_what_was_put_back(project: Project) -> None:
    good = {"top.py": "import low", "low.py": "X = 1"}
    project.write(good)
    modules.imported("top")
    project.write({"top.py": "import low\nraise ValueError", "low.py": "X = 22"})
    with pytest.raises(ValueError):
        modules.imported("top")
    project.write(good)
    assert modules.imported("top")[0].low.X == 1


def test_an_edit_within_the_second_of_the_bytecode_is_seen(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = project.write({"top.py": "import low", "low.py": "X = 1"}).folder / "low.py"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert modules.imported("top")[0].low.X == 1
    py_compile.compile(str(file))
    file.write_text("X = 2")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert modules.imported("top")[0].low.X == 2


def test_this_package_is_never_imported_again(project: Project) -> None:
    project.write({"own.py": "from assetbuild import interrupts"})
    assert modules._sources("own").keys() == {"own"}


def test_what_is_installed_is_known_by_itself_alone(project: Project) -> None:
    project.write({"own.py": "import json, os.path, webassets.filter, near, absent", "near.py": "import pytest\nnot python"})
    assert modules._sources("own").keys() == {"own", "near"}
    assert modules._sources("webassets.filter").keys() == {"webassets.filter"}
    assert modules.digest("sys") == modules.digest("no_such_module")


def test_modules_that_import_each_other_are_known(project: Project, tmp_path: Path) -> None:
    project.write({"one.py": "import two", "two.py": "def f():\n import one"})
    modules.imported("one")
    first = modules.digest("one")
    (tmp_path / "two.py").write_text("X = 1")
    assert modules.digest("one") != first
    assert modules.imported("one")[0].two.X == 1
