"""Starlette and FastAPI: their own applications, asked by their own client, and one process of uvicorn."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates as FastTemplates
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient

from assetbuild import AssetNotFound, Assets, ManifestError
from assetbuild.integrations.starlette import AssetFiles, install
from tests.conftest import Project, toml
from tests.server import free_port
from tests.test_docs import environment, serving

PAGE = '{{ asset_tag("css/app.css") }}<img src="{{ asset("img/a.svg") }}">{{ "img/a.svg" | asset }}{{ asset_live_reload() }}'


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASSETBUILD_OUTPUT", "ASSETBUILD_BASE_URL", "ASSETBUILD_AUTO_RELOAD", "ASSETBUILD_WAIT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def built(project: Project) -> Project:
    project.write(
        {
            "assetbuild.toml": toml(sources=["assets"], keep_names=["robots.txt", "kept.0123456789ab.js"]),
            "assets/css/app.css": "a { background: url(../img/a.svg) }",
            "assets/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "assets/fonts/a.woff2": b"wOF2",
            "assets/robots.txt": "User-agent: *",
            "assets/kept.0123456789ab.js": "x()",
            "templates/page.html": PAGE,
        }
    ).compile()
    return project


def starlette(project: Project, assets: Assets) -> Starlette:
    templates = Jinja2Templates(project.folder / "templates")
    install(templates, assets)

    async def page(request: StarletteRequest) -> Response:
        return templates.TemplateResponse(request, "page.html")

    return Starlette(routes=[Route("/", page), Mount("/static", AssetFiles(assets), name="static")])


@pytest.fixture
def client(built: Project) -> TestClient:
    return TestClient(starlette(built, Assets(built.folder / "dist")))


def test_templates_of_starlette_have_asset_and_its_friends(client: TestClient, built: Project) -> None:
    page = client.get("/").text
    entry = built.manifest["assets"]["css/app.css"]
    image = f"/static/{built.public('img/a.svg')}"
    assert f'href="/static/{entry["path"]}" integrity="{entry["integrity"]}"' in page
    assert page.endswith(f'<img src="{image}">{image}')


def test_templates_of_fastapi_have_them_too(built: Project) -> None:
    assets = Assets(built.folder / "dist")
    app = FastAPI()
    templates = FastTemplates(built.folder / "templates")
    install(templates, assets)
    app.mount("/static", AssetFiles(assets))

    @app.get("/", response_class=HTMLResponse)
    def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html")

    client = TestClient(app)
    assert f'<img src="/static/{built.public("img/a.svg")}">' in client.get("/").text
    assert client.get(f"/static/{built.public('img/a.svg')}").content == built.published("img/a.svg")


def test_files_may_be_used_by_pages_of_other_hosts_where_that_is_asked_for(built: Project) -> None:
    assets = Assets(built.folder / "dist")
    app = Starlette(routes=[Mount("/own", AssetFiles(assets)), Mount("/cdn", AssetFiles(assets, cross_origin=True))])
    own, cdn = (TestClient(app).get(f"/{at}/{built.public('css/app.css')}").headers for at in ("own", "cdn"))
    assert "access-control-allow-origin" not in own
    assert cdn["access-control-allow-origin"] == "*"
    assert own["x-content-type-options"] == cdn["x-content-type-options"] == "nosniff"


def test_each_file_is_handed_out_with_its_type_and_kept_for_ever_where_it_has_a_fingerprint(
    client: TestClient, built: Project
) -> None:
    for logical_path, entry in built.manifest["assets"].items():
        answer = client.get(f"/static/{entry['path']}")
        assert (answer.status_code, answer.content) == (200, built.published(logical_path))
        assert answer.headers["content-type"].partition(";")[0] == entry["type"]
        immutable = answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert immutable is (logical_path not in ("robots.txt", "kept.0123456789ab.js"))
        assert immutable or answer.headers["cache-control"] == "no-cache"
        again = client.get(f"/static/{entry['path']}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == answer.headers["cache-control"]
        assert client.head(f"/static/{entry['path']}").headers["content-length"] == str(entry["size"])


def test_a_kept_file_of_other_bytes_is_sent_though_its_time_and_size_are_the_same(built: Project) -> None:
    environ = {"SOURCE_DATE_EPOCH": "1700000000"}
    built.compile(environ=environ)
    before = TestClient(starlette(built, Assets(built.folder / "dist"))).get("/static/robots.txt")
    conditions = {"If-None-Match": before.headers["etag"], "If-Modified-Since": before.headers["last-modified"]}
    client = TestClient(starlette(built, Assets(built.folder / "dist")))
    assert client.get("/static/robots.txt", headers=conditions).status_code == 304
    built.write({"assets/robots.txt": "User-agent: x"}).compile(environ=environ)
    client = TestClient(starlette(built, Assets(built.folder / "dist")))
    after = client.get("/static/robots.txt", headers=conditions)
    assert (after.status_code, after.text) == (200, "User-agent: x")
    assert after.headers["last-modified"] == before.headers["last-modified"]


@pytest.mark.parametrize("path", ["manifest.json", ".assetbuild-journal", "css", "", "../dist/robots.txt", "robots.txt/x"])
def test_what_the_manifest_does_not_name_is_not_handed_out(client: TestClient, built: Project, path: str) -> None:
    built.write({"dist/.assetbuild-journal": "x"})
    assert client.get(f"/static/{path}").status_code == 404


def test_a_file_that_is_gone_is_not_found(client: TestClient, built: Project) -> None:
    (built.folder / "dist/robots.txt").unlink()
    assert client.get("/static/robots.txt").status_code == 404


def test_files_of_earlier_releases_are_handed_out_too(built: Project) -> None:
    old = built.public("css/app.css")
    carried = {"integrity": built.manifest["assets"]["css/app.css"]["integrity"], "size": 1}
    text = built.published("css/app.css")
    built.write({"assets/css/app.css": "b { }"}).compile()
    manifest = {**built.manifest, "previous": [{"digest": "sha256-0", "files": {old: carried}}]}
    built.write({f"dist/{old}": text, "dist/manifest.json": json.dumps(manifest)})
    answer = TestClient(starlette(built, Assets(built.folder / "dist"))).get(f"/static/{old}")
    assert answer.content == text
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


def test_below_a_root_path_the_base_url_alone_is_told(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETBUILD_BASE_URL", "/shop/static/")
    app = starlette(built, Assets(built.folder / "dist"))
    client = TestClient(app, root_path="/shop")
    url = f"/shop/static/{built.public('img/a.svg')}"
    assert f'<img src="{url}">' in client.get("/shop/").text
    assert client.get(url).status_code == 200


def test_in_development_a_new_build_is_seen_by_templates_and_files(built: Project) -> None:
    client = TestClient(starlette(built, Assets(built.folder / "dist", auto_reload=True)))
    before = client.get("/").text
    built.write({"assets/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"}).compile()
    assert client.get("/").text != before
    assert client.get(f"/static/{built.public('css/app.css')}").content == built.published("css/app.css")


def test_without_a_manifest_the_application_is_not_made(built: Project) -> None:
    (built.folder / "dist/manifest.json").unlink()
    with pytest.raises(ManifestError, match="assetbuild compile"):
        starlette(built, Assets(built.folder / "dist"))


def test_a_name_that_is_not_there_is_told_with_what_is_like_it(built: Project) -> None:
    built.write({"templates/page.html": '{{ asset("css/ap.css") }}'})
    with pytest.raises(AssetNotFound, match=r"css/app\.css"):
        TestClient(starlette(built, Assets(built.folder / "dist"))).get("/")
    with pytest.raises(TypeError, match="takes an Assets"):
        install(Jinja2Templates(built.folder / "templates"), "dist")  # type: ignore[arg-type]


APPLICATION = """
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.templating import Jinja2Templates
from assetbuild import Assets
from assetbuild.integrations.starlette import AssetFiles, install
assets = Assets()
templates = Jinja2Templates("templates")
install(templates, assets)
async def page(request):
    return templates.TemplateResponse(request, "page.html")
app = Starlette(routes=[Route("/", page), Mount("/static", AssetFiles(assets))])
import sys
assert not {"assetbuild.cli", "assetbuild.config", "assetbuild.compile", "rcssmin"} & set(sys.modules)
"""


def test_a_process_of_uvicorn_serves_page_and_files_and_loads_nothing_of_the_compiler(built: Project, tmp_path: Path) -> None:
    built.write({"main.py": APPLICATION})
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port), "--root-path", "/shop"]
    env = environment() | {"ASSETBUILD_BASE_URL": "/shop/static"}
    with serving(command, built.folder, env, port, tmp_path / "log") as top:
        page = urlopen(top).read().decode()
        path = built.public("css/app.css")
        assert f'"/shop/static/{path}"' in page
        # As a proxy would hand it on, which takes the prefix off.
        assert urlopen(f"{top}static/{path}").read() == built.published("css/app.css")
