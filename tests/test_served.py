"""What the integrations of Flask and Starlette hand out where the artifact has the same bytes in several codings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

import flask
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from assetbuild import Assets
from assetbuild.integrations.flask import AssetBuild
from assetbuild.integrations.starlette import AssetFiles
from tests.conftest import Project, toml

Ask = Callable[..., tuple[int, Mapping[str, str], bytes]]


@pytest.fixture
def built(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("ASSETBUILD_OUTPUT", "ASSETBUILD_BASE_URL", "ASSETBUILD_AUTO_RELOAD", "ASSETBUILD_WAIT"):
        monkeypatch.delenv(name, raising=False)
    rules = "".join(f".a{number} {{ color: red; top: {number}px }}\n" for number in range(200))
    project.write({"assetbuild.toml": toml(sources=["assets"]), "assets/a.css": rules, "assets/b.woff2": b"wOF2"}).compile()
    return project


def named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture(params=["flask", "starlette"])
def ask(request: pytest.FixtureRequest, built: Project) -> Ask:
    """The status, the headers and the bytes as they were sent."""
    if request.param == "flask":
        app = flask.Flask("site", root_path=str(built.folder))
        app.config["ASSETBUILD_OUTPUT"] = built.folder / "dist"
        AssetBuild(app)

        def by_flask(url: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
            answer = app.test_client().open(url, method=method, headers=named(headers), buffered=True)
            return answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.data

        return by_flask
    client = TestClient(Starlette(routes=[Mount("/static", AssetFiles(Assets(built.folder / "dist")))]))

    def by_starlette(url: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        with client.stream(method, url, headers={"Accept-Encoding": "", **named(headers)}) as answer:
            return answer.status_code, answer.headers, b"".join(answer.iter_raw())

    return by_starlette


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZip;Q=0.5 , deflate", "gzip"),
        ("br;q=0, gzip;q=0.001", "gzip"),
        ("br;q=0.5, gzip", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("gzip;q=0.5, identity", ""),
        ("gzip;q=0.5, identity;q=0.2", "gzip"),
        ("br;q=0, gzip;q=0", ""),
        ("*;q=0", ""),
        ("br;q=2, gzip;q=x, deflate", ""),
        ("brotli, xgzip", ""),
        ("identity", ""),
        (",;,", ""),
        ("", ""),
    ],
)
def test_who_takes_a_variant_gets_what_it_likes_best_and_of_that_the_smallest(
    ask: Ask, built: Project, header: str, coding: str
) -> None:
    public = built.public("a.css")
    suffix = {"br": ".br", "gzip": ".gz", "": ""}[coding]
    status, headers, body = ask(f"/static/{public}", Accept_Encoding=header)
    assert (status, headers.get("content-encoding", "")) == (200, coding)
    assert body == (built.folder / "dist" / f"{public}{suffix}").read_bytes()
    assert headers["vary"] == "Accept-Encoding"
    assert headers["content-type"] == "text/css; charset=utf-8"
    assert headers["content-length"] == str(len(body))
    assert "immutable" in headers["cache-control"]
    assert ask(f"/static/{public}", "HEAD", Accept_Encoding=header)[1]["content-length"] == str(len(body))


def test_each_coding_has_a_tag_of_its_own(ask: Ask, built: Project) -> None:
    url = f"/static/{built.public('a.css')}"
    tags = {coding: ask(url, Accept_Encoding=coding)[1]["etag"] for coding in ("br", "gzip", "")}
    assert len(set(tags.values())) == 3
    for coding, tag in tags.items():
        status, headers, body = ask(url, Accept_Encoding=coding, If_None_Match=tag)
        assert (status, headers["vary"], body) == (304, "Accept-Encoding", b"")
        assert ask(url, Accept_Encoding="zstd, gzip" if coding != "gzip" else "br", If_None_Match=tag)[0] == 200


def test_a_copy_of_the_artifact_has_the_same_tags(ask: Ask, built: Project) -> None:
    url = f"/static/{built.public('a.css')}"
    tags = [ask(url, Accept_Encoding=coding)[1]["etag"] for coding in ("br", "")]
    shutil.copytree(built.folder / "dist", built.folder / "copy", copy_function=shutil.copyfile)
    (built.folder / "dist").rename(built.folder / "old")
    (built.folder / "copy").rename(built.folder / "dist")
    assert [ask(url, Accept_Encoding=coding)[1]["etag"] for coding in ("br", "")] == tags


def test_a_range_is_one_of_the_bytes_that_are_sent(ask: Ask, built: Project) -> None:
    public = built.public("a.css")
    status, headers, body = ask(f"/static/{public}", Accept_Encoding="br", Range="bytes=2-5")
    packed = (built.folder / "dist" / f"{public}.br").read_bytes()
    assert (status, headers["content-encoding"], body) == (206, "br", packed[2:6])
    assert headers["content-range"] == f"bytes 2-5/{len(packed)}"


def test_what_has_no_variant_and_whose_variant_is_gone_is_sent_as_it_is(ask: Ask, built: Project) -> None:
    font = f"/static/{built.public('b.woff2')}"
    status, headers, body = ask(font, Accept_Encoding="br, gzip")
    assert (status, "vary" in headers, "content-encoding" in headers, body) == (200, False, False, b"wOF2")
    public = built.public("a.css")
    (built.folder / "dist" / f"{public}.br").unlink()
    status, headers, body = ask(f"/static/{public}", Accept_Encoding="br, gzip")
    assert (status, "content-encoding" in headers, headers["vary"]) == (200, False, "Accept-Encoding")
    assert body == built.published("a.css")
