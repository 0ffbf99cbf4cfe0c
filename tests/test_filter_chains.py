from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import pytest

from assetbuild.filters import FilterUnavailableError, Hooks, Unit
from assetbuild.filters.chains import Chain, chain_for, compiled_path, language, load
from assetbuild.patterns import Pattern


@dataclass(frozen=True)
class Rule:
    pattern: Pattern
    filters: tuple[str, ...]
    suffix: str | None = None
    depends: tuple[Pattern, ...] = ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.css", Chain(("rcssmin",))),
        ("x/a.JS", Chain(("rjsmin",))),
        ("a.mjs", Chain(("rjsmin",))),
        ("a.cjs", Chain(("rjsmin",))),
        ("a.min.css", Chain()),
        ("a.min.js", Chain()),
        ("a.min.scss", Chain(("dart_sass",), ".css")),
        ("a.png", Chain()),
        ("LICENSE", Chain()),
        ("a.scss", Chain(("dart_sass", "rcssmin"), ".css")),
        ("a.sass", Chain(("dart_sass", "rcssmin"), ".css")),
        ("a.ts", Chain()),
        ("a.d.ts", Chain()),
    ],
)
def test_without_a_rule_the_suffix_decides(path: str, expected: Chain) -> None:
    assert chain_for(path, ()) == expected


def test_the_first_rule_that_matches_is_the_whole_chain() -> None:
    rules = [Rule(Pattern("vendor/**"), ()), Rule(Pattern("*.css"), ("cssmin",)), Rule(Pattern("a.css"), ("never",))]
    assert chain_for("vendor/a.css", rules) == Chain()
    assert chain_for("x/a.css", rules) == Chain(("cssmin",))
    assert chain_for("a.js", rules) == Chain(("rjsmin",))


@pytest.mark.parametrize(
    ("path", "rule", "logical"),
    [
        ("css/site.scss", Rule(Pattern("*"), ("dart_sass",)), "css/site.css"),
        ("css/site.scss", Rule(Pattern("*"), ("libsass",)), "css/site.css"),
        ("a.less", Rule(Pattern("*"), ("less", "rcssmin")), "a.css"),
        ("a.ts", Rule(Pattern("*"), ("typescript",)), "a.js"),
        ("a.x", Rule(Pattern("*"), ("my:Own",), ".css"), "a.css"),
        ("a.scss", Rule(Pattern("*"), ()), "a.scss"),
        ("a.scss", Rule(Pattern("*"), ("my:Own",)), "a.scss"),
        ("a.b/c", Rule(Pattern("*"), ("my:Own",), ".css"), "a.b/c.css"),
    ],
)
def test_a_compiled_source_takes_the_suffix_of_what_it_becomes(path: str, rule: Rule, logical: str) -> None:
    assert compiled_path(path, chain_for(path, [rule])) == logical


@pytest.mark.parametrize("path", ["a.less", "a.styl", "a.coffee", "a.tsx", "a.jsx"])
def test_a_language_that_browsers_do_not_read_has_to_be_given_a_chain(path: str) -> None:
    with pytest.raises(FilterUnavailableError, match="browsers do not read"):
        chain_for(path, ())


@pytest.mark.parametrize(
    ("path", "expected"), [("a.css", "css"), ("a.MJS", "js"), ("a.cjs", "js"), ("a.scss", "other"), ("a", "other")]
)
def test_the_language_is_told_by_the_suffix(path: str, expected: str) -> None:
    assert language(path) == expected


# The stages of a bundle


def unit(path: str) -> Unit:
    return Unit(path, "", (), language(path))


@pytest.mark.parametrize(("name", "text"), [("rcssmin", "a { b: c }\n"), ("rjsmin", "a ( 1 )\n"), ("jsmin", "a ( 1 )\n")])
def test_a_filter_that_works_on_what_is_joined_does_nothing_to_a_part(name: str, text: str) -> None:
    assert load(name, {}, (), 30, "parts").apply(text, unit("a.css" if name == "rcssmin" else "a.js")).text == text
    assert load(name, {}, (), 30, "whole").apply(text, unit("a.css" if name == "rcssmin" else "a.js")).text != text


@pytest.mark.parametrize("name", ["datauri", "jinja2"])
def test_a_filter_that_works_on_parts_does_nothing_to_what_is_joined(name: str) -> None:
    assert load(name, {}, (), 30, "whole").apply("{{ 1 + 1 }}", unit("a.css")).text == "{{ 1 + 1 }}"


def test_sass_compiles_parts_or_what_is_joined_as_its_setting_says() -> None:
    def made(hooks: Hooks, **settings: object) -> str:
        return (
            load("libsass", {"LIBSASS_STYLE": "compressed", **settings}, (), 30, hooks).apply("a{b{c:d}}", unit("a.scss")).text
        )

    assert (made("parts"), made("whole")) == ("a b{c:d}\n", "a{b{c:d}}")
    assert (made("parts", LIBSASS_AS_OUTPUT=True), made("whole", LIBSASS_AS_OUTPUT=True)) == ("a{b{c:d}}", "a b{c:d}\n")


def test_the_identity_tells_the_stage() -> None:
    identities = {load("jsmin", {}, (), 30, hooks).identity() for hooks in get_args(Hooks)}
    assert len(identities) == 3
