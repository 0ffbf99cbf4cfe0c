"""References in web manifests."""

from __future__ import annotations

import json

import pytest

from assetbuild.references import webmanifest
from assetbuild.syntax import LexError


def paths(text: str) -> list[str]:
    return [reference.path for reference in webmanifest.find(text).references]


@pytest.mark.parametrize(
    "manifest",
    [
        {"icons": [{"src": "a.png"}, {"sizes": "any", "src": "b.png"}]},
        {"screenshots": [{"src": "a.png"}, {"src": "b.png"}]},
        {"shortcuts": [{"url": "/x", "icons": [{"src": "a.png"}]}, {"icons": [{"src": "b.png"}]}]},
        {"name": "é", "icons": [{"src": "a.png"}], "screenshots": [{"src": "b.png"}]},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_the_sources_of_icons_screenshots_and_shortcuts_are_references(manifest: object, indent: int | None) -> None:
    text = json.dumps(manifest, indent=indent)
    references = webmanifest.find(text).references
    assert [text[r.start : r.end] for r in references] == [r.path for r in references] == ["a.png", "b.png"]
    assert {(r.kind, r.whole == (r.start, r.end)) for r in references} == {("url", True)}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "1",
        ' "src" ',
        '{"src":"a.png"}',
        '{"icons":{"src":"a.png"}}',
        '{"icons":{"*":{"src":"a.png"}}}',
        '{"icons":[[{"src":"a.png"}]]}',
        '{"icons":[{"x":{"src":"a.png"}}]}',
        '{"icons":[{"src":["a.png"]}]}',
        '{"icons":[{"src":1}]}',
        '{"shortcuts":[{"src":"a.png"}]}',
        '{"icons":[{"src":""},{"src":"https://a/b.png"},{"src":"//a/b.png"},{"src":"data:,"},{"src":"#a"}]}',
        '{"icons":[{"src":"\\thttps://a/b.png"},{"src":"\\u0001\\u0020 //a/b.png"},{"src":"ht\\ntps://a/b.png"}]}',
        '{"icons":[{"src":" \\t"},{"src":"\\t#a"}]}',
        "\ufeff{}",
    ],
)
def test_nothing_else_is_a_reference(text: str) -> None:
    assert paths(text) == []


@pytest.mark.parametrize(
    ("written", "span", "path"),
    [
        ("a.png?b#c", "a.png", "a.png"),
        (" a.png ", "a.png", "a.png"),
        ("\\t\\u0020a.png\\u000a \\n", "a.png", "a.png"),
        ("a b.png ?c", "a b.png ", "a b.png "),
        ("\\/a\\/b.png", "\\/a\\/b.png", "/a/b.png"),
        ("a\\u002epng\\u003fb", "a\\u002epng", "a.png"),
        ("\\ud83d\\ude00.png", "\\ud83d\\ude00.png", "\U0001f600.png"),
        ("a\\\\u0023.png", "a\\\\u0023.png", "a\\u0023.png"),
        ("\\ud83d.png", "\\ud83d.png", "\ufffd.png"),
        ("\\ude00\\ud83d.png", "\\ude00\\ud83d.png", "\ufffd\ufffd.png"),
    ],
)
def test_the_span_is_the_path_as_written_and_the_path_is_decoded(written: str, span: str, path: str) -> None:
    text = f'{{"i\\u0063ons": [{{"src": "{written}"}}]}}'
    (reference,) = webmanifest.find(text).references
    assert (text[reference.start : reference.end], reference.path) == (span, path)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("{", 1),
        ('{"a"}', 4),
        ('{"a":1,}', 7),
        ("[1,]", 3),
        ("[1}", 2),
        ('{"a":1]', 6),
        ("[1 2]", 3),
        ("nul", 0),
        ('  "a\nb"', 2),
        ("1 2", 2),
        ("[,1]", 1),
        ("{1:2}", 1),
        ("01", 1),
        ('"\\x"', 0),
        ("]", 0),
        ('{"a":}', 5),
        ("{} x", 3),
    ],
)
def test_what_is_no_json_is_an_error_with_its_place(text: str, offset: int) -> None:
    with pytest.raises(LexError) as caught:
        webmanifest.find(text)
    assert caught.value.offset == offset
    with pytest.raises(ValueError):
        json.loads(text)


def test_no_depth_is_too_deep() -> None:
    assert paths("[" * 100_000 + "]" * 100_000) == []
    with pytest.raises(LexError):
        webmanifest.find('{"a":' * 100_000)
