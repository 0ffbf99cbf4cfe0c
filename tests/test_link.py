from __future__ import annotations

import hashlib

import pytest

from assetbuild.fingerprint import LENGTH
from assetbuild.link import MISSING, Linker, Text, relative, resolve
from assetbuild.references import Kind, Reference, is_local

TREE = {"css/app.css", "img/a.png", "img/a b.png", "js/a.js", "top.css", "img/ü.png", "font.eot"}


def reference(path: str, kind: Kind = "url") -> Reference:
    return Reference(0, len(path), path, kind, (0, len(path)))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("../img/a.png", "img/a.png"),
        ("./../img/./a.png", "img/a.png"),
        ("../img/a%20b.png", "img/a b.png"),
        ("../img/a b.png", "img/a b.png"),
        ("../img/%C3%BC.png", "img/ü.png"),
        ("%2e%2e/img/a.png", "img/a.png"),
        ("..\\img\\a.png", "img/a.png"),
        ("..%5Cimg%5Ca.png", MISSING),
        ("/%73tatic/img/a.png", "img/a.png"),
        ("../im\ng/a.png", "img/a.png"),
        ("app.css", "css/app.css"),
        ("../top.css", "top.css"),
        ("/static/img/a.png", "img/a.png"),
        ("/static/css/../img/a.png", "img/a.png"),
        ("/other/img/a.png", None),
        ("/staticimg/a.png", None),
        ("/img/a.png", None),
        ("../../img/a.png", MISSING),
        ("/static/../img/a.png", None),
        ("../img/b.png", MISSING),
        ("../img/A.png", MISSING),
        ("../img", MISSING),
        ("../img/a%2520b.png", MISSING),
        ("a%00.png", MISSING),
        ("100%.png", MISSING),
    ],
)
def test_a_reference_is_resolved_against_the_folder_of_its_file(path: str, expected: str | None) -> None:
    assert resolve("css/app.css", reference(path), TREE, "/static/") == expected


@pytest.mark.parametrize(
    ("base_url", "path", "expected"),
    [
        ("/", "/img/a.png", "img/a.png"),
        ("https://cdn.example.com/x/", "/x/img/a.png", None),
        ("/a/b/", "/a/b/top.css", "top.css"),
        ("/a/b/", "/a/top.css", None),
        ("/a%20b/", "/a%20b/top.css", "top.css"),
        ("/a%20b/", "/a b/top.css", "top.css"),
        ("/%C3%BC/", "/\u00fc/top.css", "top.css"),
    ],
)
def test_an_absolute_path_counts_below_the_base_url_only(base_url: str, path: str, expected: str | None) -> None:
    assert resolve("css/app.css", reference(path), TREE, base_url) == expected


@pytest.mark.parametrize(
    ("here", "there", "kind", "expected"),
    [
        ("css/app.css", "img/a.png", "url", "../img/a.png"),
        ("css/app.css", "css/b.css", "import", "b.css"),
        ("css/app.css", "css/x/b.css", "import", "x/b.css"),
        ("app.css", "img/a.png", "url", "img/a.png"),
        ("a/b/c/d.css", "a/x/y.png", "url", "../../x/y.png"),
        ("js/a.js", "js/b.js", "module", "./b.js"),
        ("js/a.js", "lib/b.js", "module", "../lib/b.js"),
        ("a/a.js", "a.js", "module", "../a.js"),
        ("css/app.css", "css/c:d.png", "url", "c%3Ad.png"),
        ("css/app.css", "css/a b'(\")*.png", "url", "a%20b%27%28%22%29%2A.png"),
        ("css/app.css", "css/100%#?.png", "url", "100%25%23%3F.png"),
        ("js/a.js", "js/ü`$.js", "module", "./%C3%BC%60$.js"),
    ],
)
def test_the_new_text_is_relative_and_safe_wherever_it_stands(here: str, there: str, kind: Kind, expected: str) -> None:
    assert relative(here, there, kind) == expected


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("a.png", True),
        ("data.png", True),
        ("../a", True),
        ("/a", True),
        ("data:x", False),
        ("https://x/a.png", False),
        ("BLOB:x", False),
        ("a+b-c.d:x", False),
        ("//host/a.png", False),
        ("", False),
        ("./", False),
        ("..", False),
        ("folder/", False),
        ("1:2", True),
        ("é:x", True),
    ],
)
def test_what_may_be_a_file_of_the_tree(path: str, local: bool) -> None:
    assert is_local(path) == local


def build(files: dict[str, str], kept: tuple[str, ...] = ()) -> dict[str, tuple[str, str]]:
    """Link texts in which `<path>` is a reference; logical path → public path and final text."""
    texts = {}
    for path, text in files.items():
        references, targets, at = [], [], text.find("<")
        while at >= 0:
            end = text.index(">", at)
            references.append(Reference(at + 1, end, text[at + 1 : end], "url", (at, end + 1)))
            targets.append(text[at + 1 : end] if text[at + 1 : end] in files else MISSING)
            at = text.find("<", end)
        digest = hashlib.sha256(text.encode()).hexdigest()
        texts[path] = Text(path, digest, len(text), tuple(references), tuple(targets), path in kept)
    seen: list[int] = []
    final = {path: text.encode() for path, text in files.items()}
    outputs = Linker(texts, lambda path: files[path].encode(), final.__setitem__).link(lambda done: seen.append(done))
    assert seen == sorted(seen)
    for path, output in outputs.items():
        data = final[path]
        assert output.digest == hashlib.sha256(data).hexdigest()
        assert output.size == len(data)
        if path not in kept:
            shared = output.group or output.digest
            assert f".{shared[:LENGTH]}" in output.public_path
    return {path: (output.public_path, final[path].decode()) for path, output in outputs.items()}


def changed(before: dict[str, str], after: dict[str, str], kept: tuple[str, ...] = ()) -> set[str]:
    a, b = build(before, kept), build(after, kept)
    return {path for path in after if a.get(path) != b[path]}


CHAIN = {"img.png": "1", "app.css": "<img.png>", "page.css": "<app.css>", "other.css": "x"}


def test_a_name_is_the_hash_of_the_final_bytes() -> None:
    name, text = build(CHAIN)["page.css"]
    assert name == f"page.{hashlib.sha256(text.encode()).hexdigest()[:12]}.css"
    assert text == f"<{build(CHAIN)['app.css'][0]}>"


def test_a_change_renames_what_refers_to_it_all_the_way_and_nothing_else() -> None:
    assert changed(CHAIN, CHAIN | {"img.png": "2"}) == {"img.png", "app.css", "page.css"}
    assert changed(CHAIN, CHAIN | {"app.css": "<img.png>!"}) == {"app.css", "page.css"}
    assert changed(CHAIN, CHAIN | {"new.css": "<other.css>"}) == {"new.css"}


CYCLE = {"a.js": "A<b.js><leaf.js>", "b.js": "B<c.js>", "c.js": "C<a.js>", "leaf.js": "L", "user.js": "<a.js>", "out.js": "O"}


def test_members_of_a_cycle_share_a_digest_and_name_one_another() -> None:
    result = build(CYCLE)
    prints = {result[path][0].split(".")[1] for path in ("a.js", "b.js", "c.js")}
    assert len(prints) == 1
    assert result["c.js"][1] == f"C<{result['a.js'][0]}>"


@pytest.mark.parametrize("member", ["a.js", "b.js", "c.js", "leaf.js"])
def test_a_change_in_a_cycle_or_below_it_renames_every_member_and_what_refers_to_them(member: str) -> None:
    expected = {"a.js", "b.js", "c.js", "user.js"} | {member}
    assert changed(CYCLE, CYCLE | {member: CYCLE[member] + "!"}) == expected


def test_a_file_that_refers_to_itself_is_a_cycle_of_one() -> None:
    result = build({"a.js": "x<a.js>"})
    assert result["a.js"][1] == f"x<{result['a.js'][0]}>"


def test_two_cycles_alike_but_for_their_names_have_different_digests() -> None:
    result = build({"a.js": "<b.js>", "b.js": "<a.js>", "x.js": "<y.js>", "y.js": "<x.js>"})
    assert result["a.js"][0].split(".")[1] != result["x.js"][0].split(".")[1]


def test_a_kept_name_breaks_a_cycle_and_renames_nothing() -> None:
    files = {"sw.js": "<app.js>", "app.js": "<sw.js>"}
    assert build(files, ("sw.js",))["sw.js"][0] == "sw.js"
    assert changed(files, files | {"sw.js": "<app.js>!"}, ("sw.js",)) == {"sw.js"}


def test_what_is_missing_stays_as_it_is_written() -> None:
    assert build({"a.css": "x<nowhere.png>"})["a.css"][1] == "x<nowhere.png>"
