"""Assets: logical paths to URLs, from one manifest and nothing else."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import tracemalloc
import weakref
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild import Asset, AssetNotFound, Assets, ManifestError
from assetbuild.link import relative
from assetbuild.runtime.tags import element as written

SRI = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
FINGERPRINT = "5d41402abc4b"

TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "mjs": "text/javascript",
    "png": "image/png",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "eot": "application/vnd.ms-fontobject",
    "webmanifest": "application/manifest+json",
    "mp4": "video/mp4",
    "json": "application/json",
}


def public(logical_path: str) -> str:
    stem, _, suffix = logical_path.rpartition(".")
    return f"{stem}.{FINGERPRINT}.{suffix}"


def write(folder: Path, *logical_paths: str, base_url: str = "/static/", **changed: Any) -> Path:
    """An artifact's manifest, put in place as a build does: by one rename."""
    assets = {
        path: {
            "path": public(path),
            "integrity": SRI,
            "size": 10240,
            "type": TYPES.get(path.rpartition(".")[2], "application/octet-stream"),
        }
        for path in logical_paths
    }
    manifest = {"version": 1, "mode": "production", "digest": "sha256-" + "0" * 64, "base_url": base_url}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".new").write_text(json.dumps({**manifest, "assets": assets, "previous": [], **changed}))
    (folder / ".new").replace(folder / "manifest.json")
    return folder


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSETBUILD_OUTPUT", raising=False)
    monkeypatch.delenv("ASSETBUILD_BASE_URL", raising=False)


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets(write(tmp_path, "css/app.css", "js/app.js", "img/sprite.svg", "js/module.mjs", *(f"x/a.{s}" for s in TYPES)))


# URLs


def test_a_logical_path_has_a_url(assets: Assets) -> None:
    assert assets.url("css/app.css") == "/static/css/app.5d41402abc4b.css"


@pytest.mark.parametrize("rest", ["#star", "?v=1", "?v=1#star", "#a/b?c", "?", "#", "#%20 ü"])
def test_query_and_fragment_stay_behind_the_path(assets: Assets, rest: str) -> None:
    assert assets.url("img/sprite.svg" + rest) == "/static/img/sprite.5d41402abc4b.svg" + rest


def test_a_name_that_holds_a_query_or_a_fragment_is_found_first(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, "a.css", "a.css?v=1.css", "c#.css", "c"))
    assert assets.url("a.css?v=1.css") == "/static/a.css%3Fv=1.5d41402abc4b.css"
    assert assets.url("c#.css") == "/static/c%23.5d41402abc4b.css"
    assert assets.url("c#.css?x#y") == "/static/c%23.5d41402abc4b.css?x#y"
    assert assets.url("a.css?v=2.css") == "/static/a.5d41402abc4b.css?v=2.css"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("a b.css", "a%20b"),
        ("ü.css", "%C3%BC"),
        ("☃/😀.css", "%E2%98%83/%F0%9F%98%80"),
        ("100%.css", "100%25"),
        ("a%20b.css", "a%2520b"),
        ("a?b#c.css", "a%3Fb%23c"),
        ("\"'<>&.css", "%22%27%3C%3E%26"),
        ("(a)[b]{c}|^`.css", "%28a%29%5Bb%5D%7Bc%7D%7C%5E%60"),
        ("a:b;c*.css", "a%3Ab%3Bc%2A"),
        ("@scope/a+b,c=d!$~.css", "@scope/a+b,c=d!$~"),
        ("A-Z_0.9~/x.css", "A-Z_0.9~/x"),
    ],
)
def test_paths_are_percent_encoded(tmp_path: Path, path: str, url: str) -> None:
    assert Assets(write(tmp_path, path)).url(path) == f"/static/{url}.5d41402abc4b.css"


_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\", exclude_categories=["Cc"]), min_size=1, max_size=8)


@given(_NAMES, _NAMES)
def test_a_module_has_one_url_by_the_page_and_by_another_module(
    tmp_path_factory: pytest.TempPathFactory, one: str, other: str
) -> None:
    """A browser that met two spellings would run the module twice."""
    one, other = f"js/{one}.js", f"js/lib/{other}.js"
    assets = Assets(write(tmp_path_factory.mktemp("dist"), one, other), base_url="https://example.com/static/")
    reference = relative(public(one), public(other), "module")
    assert urljoin(assets.url(one), reference) == assets.url(other)
    assert unquote(urlsplit(assets.url(one)).path) == "/static/" + public(one)


class Counted(str):
    """A text that counts the characters that are taken out of it."""

    taken = 0

    def __getitem__(self, index: Any) -> str:
        part = super().__getitem__(index)
        Counted.taken += len(part)
        return part


@pytest.mark.parametrize("look_up", ["url", "integrity", "tag", "__getitem__", "__contains__"])
def test_a_long_query_costs_no_more_than_a_short_one(assets: Assets, look_up: str) -> None:
    Counted.taken = 0
    assert getattr(assets, look_up)(Counted("css/app.css?" + "?" * 1_000_000))
    assert Counted.taken < 1_001_000


# Base URL


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("/static/", "/static/a"),
        ("/static", "/static/a"),
        ("/", "/a"),
        ("", "/a"),
        ("https://cdn.example.com/a", "https://cdn.example.com/a/a"),
        ("https://cdn.example.com", "https://cdn.example.com/a"),
        ("//cdn.example.com/x/", "//cdn.example.com/x/a"),
    ],
)
def test_a_base_url_ends_in_a_slash(tmp_path: Path, base_url: str, url: str) -> None:
    write(tmp_path, "a.css", base_url=base_url)
    assert Assets(tmp_path).url("a.css") == f"{url}.5d41402abc4b.css"
    assert Assets(tmp_path, base_url=base_url).url("a.css") == f"{url}.5d41402abc4b.css"
    assert Assets(tmp_path).base_url == url[:-1]


def test_argument_goes_before_environment_and_that_before_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.css", base_url="/manifest/")
    assert Assets(tmp_path).base_url == "/manifest/"
    monkeypatch.setenv("ASSETBUILD_BASE_URL", "/environment")
    assert Assets(tmp_path).base_url == "/environment/"
    assert Assets(tmp_path, base_url="/argument").base_url == "/argument/"
    monkeypatch.setenv("ASSETBUILD_BASE_URL", "")
    assert Assets(tmp_path).base_url == "/manifest/"


@pytest.mark.parametrize(
    "text",
    [
        "cdn.example.com",
        "static/",
        "./static/",
        "/a b/",
        "/é/",
        "?x",
        "#",
        "/a?b",
        "/a#b",
        "javascript:alert(1)",
        "data:,",
        "ftp://example.com/",
        "http:/x",
        "https://",
        "https:///x",
        "//",
        "/\\example.com/",
        '/"/',
        "/'/",
        "/<b>/",
        "/a\n/",
        "/\x85/",
        "/\ud800/",
        " /a/",
    ],
)
def test_what_is_no_base_url_is_an_error_that_says_who_gave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    write(tmp_path / "good", "a.css")
    with pytest.raises(ValueError, match=r"^base_url: ") as caught:
        Assets(tmp_path / "good", base_url=text)
    assert str(caught.value).isprintable()
    with pytest.raises(ManifestError, match="`base_url`: ") as broken:
        Assets(write(tmp_path / "broken", "a.css", base_url=text if text != "/\ud800/" else "x"))
    assert broken.value.file.endswith("broken/manifest.json")
    if text == "/\ud800/":
        return  # No environment can hold it.
    monkeypatch.setenv("ASSETBUILD_BASE_URL", text)
    with pytest.raises(ValueError, match=r"^ASSETBUILD_BASE_URL: "):
        Assets(tmp_path / "good")


@pytest.mark.parametrize("value", [1, b"/static/", ["/"]])
def test_a_base_url_that_is_no_text_is_a_type_error(tmp_path: Path, value: Any) -> None:
    with pytest.raises(TypeError, match="base_url is a str, not"):
        Assets(write(tmp_path, "a.css"), base_url=value)


@pytest.mark.parametrize("text", ["HTTPS://cdn.example.com:8080/%C3%A9/a;b=c/", "http://[::1]/", "/~me/(1)&2/"])
def test_a_base_url_may_be_anything_that_a_url_has_before_its_query(tmp_path: Path, text: str) -> None:
    assert Assets(write(tmp_path, "a.css"), base_url=text).base_url == text


# Where the artifact is


def test_an_artifact_is_a_folder_or_its_manifest(tmp_path: Path) -> None:
    write(tmp_path, "a.css")
    for path in (tmp_path, str(tmp_path), f"{tmp_path}/", tmp_path / "manifest.json"):
        assert "a.css" in Assets(path)
        assert Path(Assets(path).folder) == tmp_path


def test_a_manifest_may_have_another_name_and_a_folder_may_end_in_json(tmp_path: Path) -> None:
    write(tmp_path / "x.json", "a.css")
    (tmp_path / "x.json" / "manifest.json").rename(tmp_path / "other.json")
    assert "a.css" in Assets(tmp_path / "other.json")
    (tmp_path / "other.json").rename(tmp_path / "x.json" / "manifest.json")
    assert "a.css" in Assets(tmp_path / "x.json")


def test_without_a_path_the_environment_names_it_else_it_is_dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "dist", "a.css")
    write(tmp_path / "else", "b.css")
    assert list(Assets()) == ["a.css"]
    monkeypatch.setenv("ASSETBUILD_OUTPUT", "else")
    assert list(Assets()) == ["b.css"]
    assert list(Assets("dist")) == ["a.css"]
    monkeypatch.setenv("ASSETBUILD_OUTPUT", "")
    assert list(Assets()) == ["a.css"]


@pytest.mark.parametrize("auto_reload", [False, True])
def test_no_manifest_is_an_error_when_assets_is_made(tmp_path: Path, auto_reload: bool) -> None:
    with pytest.raises(ManifestError, match=r"dist/manifest\.json: there is no such file; run `assetbuild compile`"):
        Assets(tmp_path / "dist", auto_reload=auto_reload)


def test_who_named_the_folder_is_not_told_to_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError) as caught:
        Assets()
    assert caught.value.hint == "run `assetbuild compile`, or set ASSETBUILD_OUTPUT to the artifact's folder"
    with pytest.raises(ManifestError) as caught:
        Assets("dist")
    assert caught.value.hint == "run `assetbuild compile`"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2, "assets": {}}'])
def test_a_broken_manifest_is_an_error_when_assets_is_made(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ManifestError, match="assetbuild compile"):
        Assets(tmp_path)


def test_a_path_of_bytes_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="not bytes"):
        Assets(b"dist")  # type: ignore[arg-type]


# What is known of an asset


def test_integrity_is_the_manifests(assets: Assets) -> None:
    assert assets.integrity("css/app.css") == SRI
    assert assets.integrity("img/sprite.svg#star") == SRI


def test_an_asset_is_what_the_manifest_says_of_it(assets: Assets) -> None:
    asset = assets["css/app.css"]
    assert asset == Asset("css/app.5d41402abc4b.css", "/static/css/app.5d41402abc4b.css", SRI, 10240, "text/css")
    assert (asset.path, asset.url, asset.integrity, asset.size, asset.type) == (
        "css/app.5d41402abc4b.css",
        "/static/css/app.5d41402abc4b.css",
        SRI,
        10240,
        "text/css",
    )
    assert assets["img/sprite.svg#star"].url.endswith(".svg#star")


def test_an_asset_is_a_value(assets: Assets) -> None:
    asset = assets["css/app.css"]
    assert asset == assets["css/app.css"]
    assert hash(asset) == hash(assets["css/app.css"])
    assert asset != assets["js/app.js"]
    assert asset != "css/app.css"
    assert pickle.loads(pickle.dumps(asset)) == copy.copy(asset) == asset
    assert repr(asset).startswith("Asset(path='css/app.5d41402abc4b.css', url=")
    with pytest.raises(AttributeError, match="cannot be changed"):
        asset.url = "x"
    with pytest.raises(AttributeError, match="cannot be changed"):
        del asset.url


def test_assets_knows_its_names(assets: Assets) -> None:
    assert "css/app.css" in assets
    assert "img/sprite.svg#star" in assets
    assert "css/ap.css" not in assets
    assert None not in assets
    assert list(assets) == sorted(assets)
    assert len(assets) == len(list(assets)) == 4 + len(TYPES)
    assert assets.digest == "sha256-" + "0" * 64


def test_assets_may_be_referred_to_weakly(assets: Assets) -> None:
    assert weakref.ref(assets)() is assets


def test_an_empty_artifact_is_no_false_value(tmp_path: Path) -> None:
    empty = Assets(write(tmp_path))
    assert len(empty) == 0
    assert empty


# Names that are none


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/css/app.css", "css/app.css"),
        ("./css/app.css", "css/app.css"),
        ("css//app.css", "css/app.css"),
        ("css\\app.css", "css/app.css"),
        ("CSS/App.css", "css/app.css"),
        ("/CSS/App.css?v=1", "css/app.css"),
        ("css/app.scss", "css/app.css"),
        ("css/app.SASS", "css/app.css"),
        ("js/app.ts", "js/app.js"),
        ("/static/css/app.css", "css/app.css"),
        ("css/app.5d41402abc4b.css", "css/app.css"),
        ("/static/css/app.5d41402abc4b.css?v=1", "css/app.css"),
        ("css/app", "css/app.css"),
        ("app.css", "css/app.css"),
        ("styles/app.css#x", "css/app.css"),
        ("css/ap.css", "css/app.css"),
        ("img/sprit.svg", "img/sprite.svg"),
    ],
)
def test_an_unknown_path_is_an_error_that_names_the_one_meant(assets: Assets, asked: str, meant: str) -> None:
    with pytest.raises(AssetNotFound) as caught:
        assets.url(asked)
    assert caught.value.path == asked
    assert caught.value.closest[0] == meant
    assert f'did you mean "{meant}"' in str(caught.value)
    assert "manifest.json" in str(caught.value)


@pytest.mark.parametrize("asked", ["", "#", "?", "/", "zzz/qqq", "\0", "\ud800", "x" * 100_000, "?" * 1000])
def test_an_unknown_path_like_no_other_has_no_suggestion(assets: Assets, asked: str) -> None:
    for look_up in (assets.url, assets.integrity, assets.__getitem__, assets.tag):
        with pytest.raises(AssetNotFound) as caught:
            look_up(asked)
        assert caught.value.closest == ()
        assert len(str(caught.value)) < 1000


def test_an_error_shows_no_control_characters(assets: Assets) -> None:
    with pytest.raises(AssetNotFound) as caught:
        assets.url("\x1b[31mred\n")
    assert '"\\x1b[31mred\\n" is not in' in str(caught.value)
    assert caught.value.path == "\x1b[31mred\n"


def test_the_error_is_a_lookup_error_and_survives_pickling(assets: Assets) -> None:
    with pytest.raises(LookupError) as caught:
        assets.url("css/ap.css")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("path", [None, 7, b"css/app.css", Path("css/app.css")])
def test_a_path_that_is_no_text_is_a_type_error(assets: Assets, path: Any) -> None:
    with pytest.raises(TypeError, match="is a str, not"):
        assets.url(path)


def test_a_name_is_searched_among_many(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, "css/app.css", *(f"js/dir{n % 50}/module-{n}.js" for n in range(5000))))
    with pytest.raises(AssetNotFound) as caught:
        assets.url("css/aap.css")
    assert caught.value.closest[0] == "css/app.css"


# Tags


class _Elements(HTMLParser):
    """The elements of a piece of HTML, as Python's own parser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))


def element(text: str) -> tuple[str, dict[str, str | None]]:
    (only,) = _Elements(text).elements
    return only


CHECKED = {"integrity": SRI, "crossorigin": "anonymous"}


@pytest.mark.parametrize(
    ("path", "attributes", "expected"),
    [
        ("x/a.css", {}, ("link", {"rel": "stylesheet", "href": "{}", **CHECKED})),
        ("x/a.js", {}, ("script", {"src": "{}", **CHECKED})),
        ("x/a.js", {"type": "module"}, ("script", {"src": "{}", **CHECKED, "type": "module"})),
        ("x/a.mjs", {}, ("script", {"src": "{}", **CHECKED, "type": "module"})),
        ("x/a.png", {"alt": ""}, ("img", {"src": "{}", "alt": ""})),
        ("x/a.svg", {}, ("img", {"src": "{}"})),
        (
            "x/a.woff2",
            {},
            ("link", {"rel": "preload", "href": "{}", "as": "font", "type": "font/woff2", "crossorigin": "anonymous"}),
        ),
        (
            "x/a.eot",
            {},
            (
                "link",
                {
                    "rel": "preload",
                    "href": "{}",
                    "as": "font",
                    "type": "application/vnd.ms-fontobject",
                    "crossorigin": "anonymous",
                },
            ),
        ),
        ("x/a.css", {"rel": "preload"}, ("link", {"rel": "preload", "href": "{}", "as": "style", **CHECKED})),
        ("x/a.js", {"rel": "preload"}, ("link", {"rel": "preload", "href": "{}", "as": "script", **CHECKED})),
        ("x/a.js", {"rel": "modulepreload"}, ("link", {"rel": "modulepreload", "href": "{}", **CHECKED})),
        (
            "x/a.png",
            {"rel": "preload"},
            ("link", {"rel": "preload", "href": "{}", "as": "image", "type": "image/png"}),
        ),
        (
            "x/a.json",
            {"rel": "preload"},
            ("link", {"rel": "preload", "href": "{}", "as": "fetch", "crossorigin": "anonymous"}),
        ),
        (
            "x/a.svg",
            {"rel": "preload", "as_": "fetch"},
            ("link", {"rel": "preload", "href": "{}", "as": "fetch", "crossorigin": "anonymous"}),
        ),
        ("x/a.png", {"rel": "icon"}, ("link", {"rel": "icon", "href": "{}"})),
        ("x/a.webmanifest", {"rel": "manifest"}, ("link", {"rel": "manifest", "href": "{}"})),
        (
            "x/a.css",
            {"rel": "alternate stylesheet", "title": "dark"},
            ("link", {"rel": "alternate stylesheet", "title": "dark", "href": "{}", **CHECKED}),
        ),
    ],
)
def test_a_tag_is_the_element_that_loads_the_asset(
    assets: Assets, path: str, attributes: dict[str, Any], expected: tuple[str, dict[str, str]]
) -> None:
    name, wanted = expected
    wanted = {key: assets.url(path) if value == "{}" else value for key, value in wanted.items()}
    assert element(assets.tag(path, **attributes)) == (name, wanted)


def test_a_script_has_its_end_tag_and_the_documented_form(assets: Assets) -> None:
    assert assets.tag("js/app.js", type="module") == (
        f'<script src="/static/js/app.5d41402abc4b.js" integrity="{SRI}" crossorigin="anonymous" type="module"></script>'
    )


@pytest.mark.parametrize("path", ["x/a.json", "x/a.webmanifest", "x/a.mp4"])
def test_what_no_element_loads_is_a_value_error(assets: Assets, path: str) -> None:
    with pytest.raises(ValueError, match="no element loads"):
        assets.tag(path)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"defer": True}, {**CHECKED, "defer": None}),
        ({"async_": True}, {**CHECKED, "async": None}),
        ({"defer": False}, CHECKED),
        ({"defer": None}, CHECKED),
        ({"integrity": None}, {"crossorigin": "anonymous"}),
        ({"integrity": False, "crossorigin": False}, {}),
        ({"crossorigin": "use-credentials"}, {**CHECKED, "crossorigin": "use-credentials"}),
        ({"Integrity": "x"}, {**CHECKED, "integrity": "x"}),
        ({"class_": "a"}, {**CHECKED, "class": "a"}),
        ({"data_turbo_track": "reload"}, {**CHECKED, "data-turbo-track": "reload"}),
        ({"data_x_": 1}, {**CHECKED, "data-x": "1"}),
        ({"nonce": "a\"b<c>&'d"}, {**CHECKED, "nonce": "a\"b<c>&'d"}),
        ({"title": "&amp;"}, {**CHECKED, "title": "&amp;"}),
        ({"onload": "a()\n"}, {**CHECKED, "onload": "a()\n"}),
        ({"@click": "x", ":key": 2.5}, {**CHECKED, "@click": "x", ":key": "2.5"}),
        ({"path": "x", "self": "y"}, {**CHECKED, "path": "x", "self": "y"}),
    ],
)
def test_attributes_are_added_replaced_and_left_out(
    assets: Assets, attributes: dict[str, Any], expected: dict[str, str | None]
) -> None:
    name, found = element(assets.tag("js/app.js", **attributes))
    assert found.pop("src") == assets.url("js/app.js")
    assert (name, found) == ("script", expected)


@pytest.mark.parametrize(
    "name",
    [
        *("", "_", "__", "-", "a b", "a=b", 'a"', "a'", "a>", "a<", "a/b", "a\0", "a\n"),
        *("a\x7f", "a\x80", "a\x9f", "a\ufdd0", "a\ufdef", "a\ufffe", "a\uffff", "a\U0001fffe", "a\U0010ffff"),
        *("a\ud800", "a\udfff"),
    ],
    ids=ascii,
)
def test_an_illegal_attribute_is_a_value_error(assets: Assets, name: str) -> None:
    with pytest.raises(ValueError, match="no name of an HTML attribute"):
        assets.tag("js/app.js", **{name: "x"})


@pytest.mark.parametrize("attributes", [{"data_x": 1, "data-x": 2}, {"class_": "a", "class": "b"}, {"ID": 1, "id": 1}])
def test_an_attribute_that_is_given_twice_is_a_value_error(assets: Assets, attributes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is given twice"):
        assets.tag("js/app.js", **attributes)


def test_rel_without_a_value_is_a_value_error(assets: Assets) -> None:
    with pytest.raises(ValueError, match="rel says what the link is for"):
        assets.tag("css/app.css", rel=True)


@pytest.mark.parametrize(
    ("path", "attributes"),
    [
        ("css/app.css", {"href": "/other.css"}),
        ("js/app.js", {"src": "/other.js"}),
        ("js/app.js", {"rel": "modulepreload", "href": "/other.js"}),
    ],
)
def test_the_integrity_of_one_file_does_not_stand_at_another(assets: Assets, path: str, attributes: dict[str, Any]) -> None:
    _, found = element(assets.tag(path, **attributes))
    assert not found.keys() & {"integrity", "crossorigin"}
    _, found = element(assets.tag(path, **attributes, integrity="sha256-x"))
    assert found["integrity"] == "sha256-x"


class Safe(str):
    """What Django's SafeString and markupsafe's Markup are: text that is HTML already."""

    def __html__(self) -> str:
        return str(self)


class Drawn:
    def __html__(self) -> str:
        return "a &lt; &#39;b&#39;"


@pytest.mark.parametrize(
    ("value", "means"), [(Safe("a &amp; b"), "a & b"), (Safe("<b>"), "<b>"), (Drawn(), "a < 'b'"), ("a &amp; b", "a &amp; b")]
)
def test_what_is_markup_already_is_not_escaped_twice(assets: Assets, value: object, means: str) -> None:
    assert element(assets.tag("js/app.js", title=value))[1]["title"] == means


@given(st.text(), st.text())
def test_no_value_gets_out_of_its_attribute(url: str, value: str) -> None:
    tag = written("a.js", url, SRI, "text/javascript", {"title": value})
    assert tag.count("<") == tag.count(">") == 2
    assert tag.count('"') == 8
    assert "'" not in tag


# Changes


def test_without_auto_reload_nothing_is_looked_at_again(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, "a.css"))
    shutil.rmtree(tmp_path)
    assert assets.url("a.css")
    assert assets.integrity("a.css")
    assert assets.tag("a.css")


def test_auto_reload_sees_a_new_manifest_at_the_next_look_up(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, "a.css"), auto_reload=True)
    assert "b.css" not in assets
    write(tmp_path, "b.css", base_url="/new")
    assert assets.url("b.css") == "/new/b.5d41402abc4b.css"
    assert "a.css" not in assets
    assert list(assets) == ["b.css"]
    assert assets.base_url == "/new/"


@pytest.mark.parametrize("look_up", ["url", "integrity", "tag", "__getitem__", "__contains__"])
def test_every_kind_of_look_up_sees_it(tmp_path: Path, look_up: str) -> None:
    assets = Assets(write(tmp_path, "a.css"), auto_reload=True)
    write(tmp_path, "b.css")
    assert getattr(assets, look_up)("b.css")


def test_a_manifest_of_one_size_and_one_time_is_told_from_the_last(tmp_path: Path) -> None:
    """SOURCE_DATE_EPOCH fixes the time, and names of one length make files of one size."""
    write(tmp_path, "a.css")
    os.utime(tmp_path / "manifest.json", (1, 1))
    assets = Assets(tmp_path, auto_reload=True)
    for name in "bcdefgh":
        write(tmp_path, f"{name}.css")
        os.utime(tmp_path / "manifest.json", (1, 1))
        assert assets.url(f"{name}.css")


@pytest.mark.parametrize("broken", ["", "{", '{"version": 2, "assets": {}}', None])
def test_auto_reload_keeps_the_last_good_state_while_there_is_none(tmp_path: Path, broken: str | None) -> None:
    assets = Assets(write(tmp_path, "a.css"), auto_reload=True)
    if broken is None:
        (tmp_path / "manifest.json").unlink()
    else:
        (tmp_path / "manifest.json").write_text(broken)
    assert assets.url("a.css")
    assert assets.url("a.css")
    write(tmp_path, "b.css")
    assert assets.url("b.css")


def test_auto_reload_finds_its_manifest_from_another_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "dist", "a.css")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path)
    assets = Assets(auto_reload=True)
    monkeypatch.chdir(tmp_path / "else")
    write(tmp_path / "dist", "b.css")
    assert assets.url("b.css")
    assert repr(assets) == "<Assets dist/manifest.json: 1 assets>"


def test_threads_see_whole_builds_while_the_manifest_is_replaced(tmp_path: Path) -> None:
    """Each build has another base URL, in which one of two assets is; an answer never mixes two builds."""

    def build(number: int) -> None:
        write(tmp_path, "a.css", f"{number}.css", base_url=f"/{number}/")

    build(0)
    assets = Assets(tmp_path, auto_reload=True)
    faults: list[object] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            while not done.is_set():
                asset = assets["a.css"]
                if asset.url != f"/{asset.url.split('/')[1]}/a.5d41402abc4b.css":
                    faults.append(asset)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=look_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 200):
        build(number)
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert assets.url("199.css") == "/199/199.5d41402abc4b.css"


def test_a_child_after_fork_looks_up_the_same(assets: Assets) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, assets.url("css/app.css").encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        assert pipe.read().decode() == assets.url("css/app.css")


def test_every_process_answers_alike(tmp_path: Path) -> None:
    write(tmp_path, "css/app.css", "ü.css")
    code = "import sys; from assetbuild import Assets; a = Assets(sys.argv[1]); print([ascii(a.url(p)) for p in a])"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale},
            capture_output=True,
            check=True,
        ).stdout
        for seed, locale in (("0", "C"), ("1", "C.UTF-8"), ("2", "POSIX"))
    }
    assert len(runs) == 1


# Live reload, and the first build

LIVE = "http://127.0.0.1:35779/client.js?token=a&b"


def test_a_development_build_names_the_script_for_live_reload(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, "a.css", mode="development", live_reload=LIVE, digest="d"))
    assert assets.live_reload == LIVE
    assert assets.live_reload_tag(nonce='"') == (
        '<script src="http://127.0.0.1:35779/client.js?token=a&amp;b" async crossorigin="anonymous" data-digest="d" '
        'data-base="/static/" nonce="&quot;"></script>'
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"live_reload": LIVE},
        {"mode": "development"},
        *({"mode": "development", "live_reload": value} for value in (None, "", 1, "javascript:alert(1)", "//a.test/x")),
    ],
)
def test_nothing_else_does(tmp_path: Path, changed: dict[str, Any]) -> None:
    assets = Assets(write(tmp_path, "a.css", **changed))
    assert (assets.live_reload, assets.live_reload_tag()) == (None, "")


def test_with_auto_reload_the_first_build_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETBUILD_WAIT", "30")
    build = threading.Timer(0.1, write, [tmp_path / "dist", "a.css"])
    build.start()
    assert Assets(tmp_path / "dist", auto_reload=True).url("a.css")
    build.join()


def test_after_waiting_it_is_said_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"no such file, after 0\.1 seconds; run `assetbuild watch` beside this, or run"):
        Assets(tmp_path / "dist", auto_reload=True, wait=0.1)


def test_without_auto_reload_nothing_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file; run"):
        Assets(tmp_path / "dist", wait=3000)


@pytest.mark.parametrize("value", ["x", "-1", "nan", "inf", "3601"])
def test_a_wait_that_is_no_number_of_seconds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ASSETBUILD_WAIT", value)
    with pytest.raises(ValueError, match=r"^ASSETBUILD_WAIT: "):
        Assets(write(tmp_path, "a.css"), auto_reload=True)


def test_a_thousand_builds_leave_nothing_behind(tmp_path: Path) -> None:
    assets = Assets(write(tmp_path, "a.css"), auto_reload=True)

    def build_and_look(times: int) -> int:
        for number in range(times):
            write(tmp_path, f"{number}.css", *(f"{name}.css" for name in "abcdefgh"))
            assert assets.url(f"{number}.css")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = build_and_look(50)
        # What is kept of one build is above 2,000 bytes.
        assert build_and_look(1000) - before < 200_000
    finally:
        tracemalloc.stop()


def test_no_file_stays_open(tmp_path: Path) -> None:
    write(tmp_path, "a.css")
    before = len(os.listdir("/proc/self/fd"))
    kept = [Assets(tmp_path, auto_reload=flag) for flag in (False, True)]
    assert [a.url("a.css") for a in kept]
    assert len(os.listdir("/proc/self/fd")) == before
