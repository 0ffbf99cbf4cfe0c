"""Globs over logical paths."""

from __future__ import annotations

import pickle
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assetbuild import patterns
from assetbuild.patterns import Pattern


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("*.css", "app.css"),
        ("*.css", "css/deep/app.css"),
        ("*.css", ".css"),
        ("app.css", "css/app.css"),
        ("robots.txt", "robots.txt"),
        ("css/*.css", "css/app.css"),
        ("css/*", "css/.hidden"),
        ("vendor/**", "vendor/a.js"),
        ("vendor/**", "vendor/a/b/c.js"),
        ("vendor/", "vendor/a/b/c.js"),
        ("./vendor/", "vendor/a.js"),
        ("**/*.psd", "a.psd"),
        ("**/*.psd", "x/y/a.psd"),
        ("**", "a"),
        ("**", "a/b"),
        ("**/**", "a/b"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/b"),
        ("a/**/b", "a/x/y/b"),
        ("a/**/**/b", "a/b"),
        ("js/**.js", "js/a.js"),
        ("js/**.js", "js/x/a.js"),
        ("**.js", "x/a.js"),
        ("a**b/c", "ax/yb/c"),
        ("**/test_*/**/*.js", "x/test_1/y/test_2/z/a.js"),
        ("?.css", "x/a.css"),
        ("x/[abc].css", "x/b.css"),
        ("x/[a-c][!0-9].css", "x/bz.css"),
        ("[]].css", "].css"),
        ("[!]].css", "a.css"),
        ("[[]slug].js", "[slug].js"),
        ("[*].js", "*.js"),
        ("[a-].js", "-.js"),
        ("{x}.js", "{x}.js"),
        ("ü*.css", "übel.css"),
        ("*.min.*", "a/jquery.min.js"),
        ("*a*b*", "xxaxxbxx"),
        ("*.well-known/**", "x.well-known/a"),
        ("/app.css", "app.css"),
        ("./app.css", "app.css"),
        ("a b/c+d(1).js", "a b/c+d(1).js"),
    ],
)
def test_a_pattern_matches(text: str, path: str) -> None:
    assert Pattern(text).matches(path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("*.css", "app.css.map"),
        ("*.css", "app.CSS"),
        ("*.css", "x.css/app.js"),
        ("app.css", "css/myapp.css"),
        ("app.css", "app.css/x"),
        ("css/*.css", "css/deep/app.css"),
        ("css/*.css", "x/css/app.css"),
        ("css/app.css", "x/css/app.css"),
        ("vendor/**", "vendor"),
        ("vendor/**", "vendored/a.js"),
        ("vendor/", "x/vendor/a.js"),
        ("a/**/b", "ab"),
        ("a/**/b", "a/xb"),
        ("a/**/b", "a/x/b/c"),
        ("**/b", "xb"),
        ("**/b", "x/yb"),
        ("?.css", "ab.css"),
        ("x?y", "x/y"),
        ("x/a?b", "x/a/b"),
        ("x/[+-9]", "x//"),
        ("x[!a]y/z", "x/y/z"),
        ("[!a].css", "a.css"),
        ("[a-c].css", "B.css"),
        ("a.css", "axcss"),
        ("/app.css", "css/app.css"),
        ("./app.css", "css/app.css"),
        ("a*", "b\na"),
    ],
)
def test_a_pattern_does_not_match(text: str, path: str) -> None:
    assert not Pattern(text).matches(path)


def test_a_pattern_from_the_top_is_the_whole_path_even_without_a_slash() -> None:
    assert Pattern("*.js", from_top=True).matches("a.js")
    assert not Pattern("*.js", from_top=True).matches("js/a.js")
    assert Pattern("/*.js") == Pattern("*.js", from_top=True) != Pattern("*.js")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("/", "empty"),
        ("./", "empty"),
        ("a\\b", "backslash"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a//b", "//"),
        ("//a", "//"),
        ("a//", "//"),
        ("../a", '".."'),
        ("a/../b", '".."'),
        ("a/./b", '"."'),
        (".", '"."'),
        ("[abc", 'no "]"'),
        ("a/[b/c]", 'no "]"'),
        ("[", 'no "]"'),
        ("[!", 'no "]"'),
        ("[]", 'no "]"'),
        ("[z-a]", "range"),
        ("*.{css,js}", "braces"),
        ("https://example.com/*.js", "URL"),
    ],
)
def test_a_malformed_pattern_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        patterns.compile(text)
    message = str(caught.value)
    assert words in message
    assert not message.endswith(".")
    assert "\n" not in message


def test_only_a_path_from_the_top_without_wildcards_is_literal() -> None:
    assert Pattern("js/app.js").literal == "js/app.js"
    assert Pattern("app.js", from_top=True).literal == "app.js"
    assert Pattern("app.js").literal is None
    assert Pattern("js/*.js").literal is None
    assert Pattern("js/").literal is None


def test_the_text_is_what_is_matched_from_the_top_on() -> None:
    assert Pattern("./vendor/").text == "vendor/**"
    assert Pattern("/robots.txt").text == "robots.txt"


def test_a_pattern_is_a_value_and_survives_pickling() -> None:
    pattern = pickle.loads(pickle.dumps(Pattern("a/**/*.css")))
    assert pattern == Pattern("a/**/*.css")
    assert len({pattern, Pattern("a/**/*.css"), Pattern("a/*.css")}) == 2
    assert pattern.matches("a/b/c.css")


def naive(pattern: str, path: str) -> bool:
    """The rules again, as one follows them with a finger: every way to read the pattern is tried at once."""
    if pattern.endswith("/"):
        pattern += "**"
    reached = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        steps = []
        if i < len(pattern):
            rest = path[j:]
            folder_start = i == 0 or pattern[i - 1] == "/"
            if folder_start and pattern.startswith("**/", i):
                steps.append((i + 3, j))
                steps.extend((i + 3, j + k + 1) for k, c in enumerate(rest) if c == "/" and not rest.startswith("/"))
            elif pattern.startswith("**", i):
                steps.extend((i + 2, j + k) for k in range(len(rest) + 1))
            elif pattern[i] == "*":
                name = rest.split("/")[0]
                steps.extend((i + 1, j + k) for k in range(len(name) + 1))
            elif rest and (pattern[i] == rest[0] or (pattern[i] == "?" and rest[0] != "/")):
                steps.append((i + 1, j + 1))
        for step in steps:
            if step not in reached:
                reached.add(step)
                todo.append(step)
    return (len(pattern), len(path)) in reached


SEGMENT = st.text("ab", min_size=1, max_size=4)
PATHS = st.lists(SEGMENT, min_size=1, max_size=5).map("/".join)
PATTERN_SEGMENT = st.one_of(st.just("**"), st.text("ab*?", min_size=1, max_size=6))
PATTERNS = st.lists(PATTERN_SEGMENT, min_size=1, max_size=5).map("/".join)


@given(PATTERNS, PATHS)
@example("**/a*b/**b", "ab/a/ab")
@example("a**b*a/**", "ab/ba/a")
def test_matching_agrees_with_the_rules_followed_naively(text: str, path: str) -> None:
    expected = naive(text.replace("***", "**").replace("***", "**"), path) if "/" in text else naive(text, path.split("/")[-1])
    assert Pattern(text).matches(path) == expected


@given(st.text(string.printable, max_size=20))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        pattern = Pattern(text)
    except patterns.PatternError:
        return
    assert isinstance(pattern.matches("css/app.css"), bool)


@pytest.mark.parametrize("text", ["*a" * 60 + "b", "**/*a" * 20 + "b", "x/" + "**a*a" * 20 + "b", "**/" + "*a*/**/" * 20 + "b"])
def test_many_wildcards_do_not_multiply_the_work(text: str) -> None:
    # With backtracking this would not end in a lifetime.
    assert not Pattern(text).matches("x/" + "a" * 1000 + "/" + "a/" * 200 + "a" * 1000)
