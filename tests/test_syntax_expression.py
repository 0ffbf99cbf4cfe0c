"""expression: what the lexers' expressions mean is the same in every Python from 3.11 on."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import cast

import pytest

import assetbuild
from assetbuild.syntax import Expression, atomic

HTMX = Path(__file__).parent.parent / "sample_project/assets/vendor/htmx-4.0.1/htmx.js"
SHEET = Path(__file__).parent.parent / "sample_project/assets/css/site.css"


def expressions() -> dict[str, re.Pattern[str]]:
    """Every expression of the build's modules, by its module and name."""
    found = {}
    for info in pkgutil.walk_packages(assetbuild.__path__, "assetbuild."):
        if info.name.split(".")[1] in ("runtime", "integrations", "__main__"):
            continue
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, re.Pattern | Expression) and isinstance(value.pattern, str):
                found[f"{info.name}.{name}"] = cast("re.Pattern[str]", value)
    return found


def source(one: re.Pattern[str]) -> str:
    """As it is written: in an early Python that is not what is compiled."""
    return one._source[0] if isinstance(one, Expression) else one.pattern


POSSESSIVE = {name: one for name, one in expressions().items() if atomic(source(one)) != source(one)}


def test_there_are_such_expressions() -> None:
    assert len(POSSESSIVE) > 20


@pytest.mark.parametrize(
    ("possessive", "written"),
    [
        (r"(?:a|b)*+c", r"(?>(?:a|b)*)c"),
        (r"(?:(?:a)++|[)(*]+\))?+", r"(?>(?:(?>(?:a)+)|[)(*]+\))?)"),
        (r"[ab]++\++(?P<x>y)+", r"[ab]++\++(?P<x>y)+"),
        (r"(a){2,3}+[]()+]+(?![^]()+])", r"(?>(a){2,3})[]()+]+(?![^]()+])"),
    ],
)
def test_an_atomic_group_stands_for_a_possessive_quantifier_behind_a_group(possessive: str, written: str) -> None:
    assert atomic(possessive) == written


@pytest.mark.parametrize("name", POSSESSIVE)
def test_both_forms_find_the_same(name: str) -> None:
    one = POSSESSIVE[name]
    other = re.compile(atomic(source(one)), one.flags)
    for text in (HTMX.read_text()[:60_000], SHEET.read_text(), "a = `x${{b: /[/]/g}}` // c\n/* d */ 'e' \\66 url( 'f' )"):
        assert [m.span() for m in one.finditer(text)] == [m.span() for m in other.finditer(text)]


def test_no_expression_goes_round_it() -> None:
    for file in Path(assetbuild.__file__).parent.rglob("*.py"):
        text = file.read_text()
        for call in re.finditer(r"re\.(?:compile|match|search|fullmatch|sub|finditer|split)\((.*)", text):
            assert not re.search(r"\)[*+?]\+", call[1]), f"{file.name}: {call[0]}"
