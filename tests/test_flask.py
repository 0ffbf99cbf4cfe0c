"""Flask: real applications, asked by their own client, by `flask` as a command, and in processes of gunicorn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click
import pytest
from flask import Blueprint, Flask, render_template_string, url_for
from flask.testing import FlaskClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from assetbuild import Assets, ManifestError
from assetbuild.integrations.flask import AssetBuild, static_folders
from tests.conftest import Project, toml
from tests.server import free_port
from tests.test_docs import environment, serving

PAGE = '{{ asset_tag("css/app.css") }}<img src="{{ asset("img/a.svg") }}">{{ "img/a.svg" | asset }}'
FILES: dict[str, str | bytes] = {
    "assetbuild.toml": toml(sources=["assets"], keep_names=["robots.txt"]),
    "assets/css/app.css": "a { background: url(../img/a.svg) }" + " b { color: red }" * 20,
    "assets/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/robots.txt": "User-agent: *",
}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OUTPUT", "BASE_URL", "AUTO_RELOAD", "WAIT", "CONFIG"):
        monkeypatch.delenv(f"ASSETBUILD_{name}", raising=False)


@pytest.fixture
def built(project: Project) -> Project:
    project.write(FILES).compile()
    return project


class Reading(FlaskClient):
    """Reads every answer to its end, and so closes the file that it comes from."""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        return super().open(*arguments, **{**options, "buffered": True})


def application(project: Project, *, debug: bool = False, static_folder: str | None = None, **config: object) -> Flask:
    app = Flask("outside", root_path=str(project.folder), static_folder=static_folder)
    app.debug = debug
    app.test_client_class = Reading
    app.config.update({"ASSETBUILD_OUTPUT": project.folder / "dist", **config})
    app.add_url_rule("/", view_func=lambda: render_template_string(PAGE))
    return app


def client(project: Project, **config: object) -> FlaskClient:
    app = application(project, **config)  # type: ignore[arg-type]
    AssetBuild(app)
    return app.test_client()


# ---- templates


def test_templates_have_asset_and_its_friends(built: Project) -> None:
    entry = built.manifest["assets"]["css/app.css"]
    image = f"/static/{built.public('img/a.svg')}"
    page = client(built).get("/").text
    assert f'href="/static/{entry["path"]}" integrity="{entry["integrity"]}"' in page
    assert page.endswith(f'<img src="{image}">{image}')


def test_two_applications_of_one_extension_have_their_own_artifacts(built: Project, tmp_path: Path) -> None:
    other = (
        Project(tmp_path / "other")
        .write(FILES)
        .write({"assets/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"})
    )
    other.compile()
    extension = AssetBuild()
    first, second = application(built), application(other)
    extension.init_app(first)
    extension.init_app(second)
    assert built.public("img/a.svg") in first.test_client().get("/").text
    assert other.public("img/a.svg") in second.test_client().get("/").text
    with first.app_context():
        assert extension.assets.url("img/a.svg") == f"/static/{built.public('img/a.svg')}"
    with pytest.raises(RuntimeError, match="inside an application context"):
        _ = extension.assets
    with pytest.raises(RuntimeError, match="already"):
        extension.init_app(first)


def test_an_extension_that_was_made_with_an_application_needs_no_context(built: Project) -> None:
    assert "robots.txt" in AssetBuild(application(built)).assets


def test_the_extension_of_jinja_that_an_application_names_gives_way(built: Project) -> None:
    app = application(built)
    app.jinja_options = {"extensions": ["assetbuild.integrations.jinja.AssetExtension"]}
    AssetBuild(app)
    assert built.public("img/a.svg") in app.test_client().get("/").text


# ---- debug mode


def test_in_debug_mode_a_new_build_is_seen_and_else_it_is_not(built: Project) -> None:
    debug, plain = client(built, debug=True), client(built)
    before = debug.get("/").text
    assert plain.get("/").text == before
    built.write({"assets/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"}).compile()
    assert built.public("img/a.svg") in debug.get("/").text
    assert debug.get(f"/static/{built.public('img/a.svg')}").data == built.published("img/a.svg")
    assert plain.get("/").text == before


def test_debug_mode_that_is_switched_on_later_counts(built: Project) -> None:
    """app.run(debug=True) does it."""
    app = application(built)
    AssetBuild(app)
    app.debug = True
    built.write({"assets/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"}).compile()
    assert built.public("img/a.svg") in app.test_client().get("/").text


# ---- without a manifest


def test_without_a_manifest_the_application_is_not_made(project: Project) -> None:
    with pytest.raises(ManifestError, match="assetbuild compile"):
        AssetBuild(application(project))
    with pytest.raises(ManifestError, match="assetbuild watch"):
        AssetBuild(application(project, debug=True, ASSETBUILD_WAIT=0.01))


def test_in_tests_a_manifest_is_needed_by_what_looks_something_up_only(project: Project) -> None:
    app = application(project, TESTING=True)
    AssetBuild(app)
    app.add_url_rule("/health", "health", lambda: "fine")
    with pytest.raises(ManifestError):
        app.test_client().get("/")


# ---- files


@pytest.mark.parametrize("serve", [True, "whitenoise"])
@pytest.mark.parametrize("base_url", ["/static/", "https://cdn.example.com/a%20b/", "/"])
def test_the_artifact_is_handed_out_below_the_path_of_the_base_url(built: Project, base_url: str, serve: object) -> None:
    asking = client(built, ASSETBUILD_BASE_URL=base_url, ASSETBUILD_SERVE=serve)
    path = base_url.removeprefix("https://cdn.example.com")
    for logical_path, entry in built.manifest["assets"].items():
        answer = asking.get(path + entry["path"])
        assert (answer.status_code, answer.data) == (200, built.published(logical_path))
        assert answer.mimetype == entry["type"]
        assert ("immutable" in answer.headers["Cache-Control"]) is (logical_path != "robots.txt")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        same = asking.get(path + entry["path"], headers={"If-None-Match": answer.headers["ETag"]})
        assert same.status_code == 304
    css = path + built.public("css/app.css")
    packed = asking.get(css, headers={"Accept-Encoding": "br"})
    assert packed.headers.get("Content-Encoding") == "br"
    assert asking.head(css).data == b""
    assert asking.post(css).status_code == 404
    assert asking.get(path + "manifest.json").status_code == 404
    assert asking.get("/").status_code == 200


@pytest.mark.parametrize("asked", ["bytes=5000-", "bytes=5-2", "foo", "bytes=9000-9001,9002-"])
def test_a_range_that_cannot_be_is_answered_and_not_kept(built: Project, asked: str) -> None:
    url = f"/static/{built.public('css/app.css')}"
    answer = client(built).get(url, headers={"Range": asked})
    assert answer.status_code == 416
    assert "immutable" not in answer.headers.get("Cache-Control", "")
    assert client(built).get(url, headers={"Range": "bytes=0-1"}).data == b"a{"


def test_a_condition_that_fails_is_no_file_to_keep(built: Project) -> None:
    answer = client(built).get(f"/static/{built.public('css/app.css')}", headers={"If-Match": '"other"'})
    assert (answer.status_code, answer.data) == (412, b"")
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_without_a_manifest_what_names_no_asset_is_answered_in_tests(project: Project) -> None:
    app = application(project, TESTING=True)
    app.add_url_rule("/json", "json", lambda: {"a": 1})
    AssetBuild(app)
    assert app.test_client().get("/json").json == {"a": 1}


def test_what_is_to_be_run_is_flasks_own_command(project: Project) -> None:
    with pytest.raises(ManifestError, match="`flask assetbuild compile`"):
        AssetBuild(application(project))


def test_in_debug_mode_no_other_site_may_read_the_files(built: Project) -> None:
    answer = client(built, debug=True, ASSETBUILD_SERVE="whitenoise").get("/static/robots.txt")
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_files_can_be_left_to_others(built: Project) -> None:
    assert client(built, ASSETBUILD_SERVE=False).get("/static/robots.txt").status_code == 404


@pytest.mark.parametrize("serve", [True, "whitenoise"])
def test_below_a_prefix_the_base_url_is_what_the_browser_sees(
    built: Project, serve: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETBUILD_BASE_URL", "/shop/static/")
    app = application(built, ASSETBUILD_SERVE=serve)
    AssetBuild(app)
    asking = Client(DispatcherMiddleware(Response("elsewhere", 404), {"/shop": app}))
    url = f"/shop/static/{built.public('img/a.svg')}"
    assert f'<img src="{url}">' in asking.get("/shop/", buffered=True).text
    assert asking.get(url, buffered=True).data == built.published("img/a.svg")


def test_the_applications_own_static_folder_answers_for_what_the_artifact_has_not(built: Project) -> None:
    built.write({"static/upload.txt": "of a user"})
    asking = client(built, static_folder="static")
    assert asking.get("/static/upload.txt").text == "of a user"
    assert asking.get(f"/static/{built.public('img/a.svg')}").status_code == 200


def test_a_setting_that_cannot_be_and_a_missing_library_are_told(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="ASSETBUILD_SERVE: 'nginx' is none of"):
        client(built, ASSETBUILD_SERVE="nginx")
    monkeypatch.setitem(sys.modules, "whitenoise", None)
    with pytest.raises(RuntimeError, match="pip install whitenoise"):
        client(built, ASSETBUILD_SERVE="whitenoise")


# ---- static folders


def with_blueprints(project: Project, **config: object) -> Flask:
    project.write(
        {
            "static/css/own.css": "own { }",
            "admin/static/css/own.css": "admin { background: url(../dot.png) }",
            "admin/static/dot.png": b"png",
            "cart/files/cart.js": "cart()",
            "assetbuild.toml": "",
        }
    )
    (project.folder / "assets").rmdir()
    app = application(project, static_folder="static", **config)  # type: ignore[arg-type]
    admin = Blueprint("admin", __name__, root_path=str(project.folder / "admin"), static_folder="static", url_prefix="/a")
    cart = Blueprint("cart", __name__, root_path=str(project.folder / "cart"), static_folder="files", static_url_path="/f")
    admin.add_url_rule("/", "page", lambda: render_template_string("{{ url_for('.static', filename='css/own.css') }}"))
    admin.register_blueprint(cart, url_prefix="/cart")
    app.register_blueprint(admin)
    app.register_blueprint(Blueprint("bare", __name__))
    app.register_blueprint(Blueprint("gone", __name__, static_folder="not-there"))
    return app


def test_static_folders_of_an_application_and_its_blueprints_are_roots_with_the_blueprints_name_before(
    project: Project,
) -> None:
    found = {
        one.endpoint: (one.prefix, one.folder.relative_to(project.folder)) for one in static_folders(with_blueprints(project))
    }
    assert found == {
        "static": ("", Path("static")),
        "admin.static": ("admin", Path("admin/static")),
        "admin.cart.static": ("admin/cart", Path("cart/files")),
    }


def test_the_artifact_is_no_source_and_a_shared_folder_counts_once(built: Project) -> None:
    app = application(built, static_folder="dist")
    assert list(static_folders(app)) == []
    app = application(built, static_folder="assets")
    app.register_blueprint(Blueprint("again", __name__, root_path=str(built.folder), static_folder="assets"))
    assert [(one.endpoint, one.prefix) for one in static_folders(app)] == [("static", ""), ("again.static", "")]


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["assetbuild", *words])
    return result.exit_code, result.output


def test_flask_assetbuild_compiles_what_application_and_blueprints_have(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = with_blueprints(project, TESTING=True)
    monkeypatch.chdir(project.folder)
    AssetBuild(app)
    status, said = run(app, "compile", "--json")
    assert (status, json.loads(said)["ok"]) == (0, True), said
    assert sorted(project.manifest["assets"]) == ["admin/cart/cart.js", "admin/css/own.css", "admin/dot.png", "css/own.css"]
    assert project.public("admin/dot.png").removeprefix("admin/") in project.text("admin/css/own.css")
    assert run(app, "verify", "--production")[0] == 0
    assert run(app, "list")[0] == 0
    status, said = run(app, "explain", "admin/css/own.css")
    assert status == 0
    assert "admin/static/css/own.css" in said
    status, said = run(app, "compile", "--nonsense")
    assert status == 2
    assert "Usage: flask assetbuild compile" in said
    project.write({"static/css/own.css": "a { background: url(gone.png) }"})
    status, said = run(app, "compile")
    assert status == 1
    assert 'static/css/own.css:1:21: "gone.png"' in said


def test_flask_assetbuild_check_reads_the_templates_of_application_and_blueprints(project: Project) -> None:
    """Wherever it is started: the configuration is found beside the application."""
    app = with_blueprints(project, TESTING=True)
    shop = Blueprint("shop", __name__, root_path=str(project.folder / "shop"), template_folder="pages")
    app.register_blueprint(shop)
    app.import_name = "app"
    project.write(
        {
            "templates/a.html": "{{ asset('css/own.css') }}{{ asset('admin/dot.png') }}",
            "shop/pages/b.html": "{{ asset('admin/dot.pgn') }}",
            "app.py": "",
        }
    )
    AssetBuild(app)
    status, said = run(app, "check")
    assert status == 1
    assert 'shop/pages/b.html:1:11: no source gives "admin/dot.pgn"' in said.replace(f"{os.path.relpath(project.folder)}/", "")
    assert "2 templates, 3 literal paths" in said


def test_url_for_of_templates_stays_as_it_is_unless_it_is_asked_for(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    app = with_blueprints(project, TESTING=True)
    AssetBuild(app)
    assert run(app, "compile", "--quiet") == (0, "")
    asking = app.test_client()
    assert asking.get("/a/").text == "/a/static/css/own.css"


def test_url_for_can_name_what_the_artifact_has(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    app = with_blueprints(project, TESTING=True, ASSETBUILD_URL_FOR=True, ASSETBUILD_BASE_URL="https://cdn.example.com/")
    AssetBuild(app)
    assert run(app, "compile", "--quiet") == (0, "")
    assert app.test_client().get("/a/").text == "https://cdn.example.com/" + project.public("admin/css/own.css")
    cdn = "https://cdn.example.com/"
    expected = {
        "url_for('static', filename='css/own.css')": cdn + project.public("css/own.css"),
        "url_for('.static', filename='css/own.css', _anchor='a b')": cdn + project.public("css/own.css") + "#a%20b",
        "url_for('admin.cart.static', filename='cart.js')": cdn + project.public("admin/cart/cart.js"),
        "url_for('static', filename='upload.png')": "/static/upload.png",
        "url_for('static', filename='css/own.css', v=1)": "/static/css/own.css?v=1",
        "url_for('admin.page')": "/a/",
    }
    with app.test_request_context():
        assert {call: render_template_string("{{ " + call + " }}") for call in expected} == expected
        assert url_for("static", filename="css/own.css") == "/static/css/own.css"


# ---- the command, and processes


APPLICATION = """
import sys
from flask import Flask, render_template_string
from assetbuild.integrations.flask import AssetBuild

assets = AssetBuild()

def create_app():
    app = Flask(__name__)
    app.config["ASSETBUILD_SERVE"] = "whitenoise"
    app.add_url_rule("/", "page", lambda: render_template_string('{{ asset("css/app.css") }}'))
    app.add_url_rule("/loaded", "loaded", lambda: " ".join(sys.modules))
    assets.init_app(app)
    return app
"""


def flask(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", *words]
    env = environment() | variables
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_a_factory_is_compiled_for_from_any_folder_and_then_served(project: Project, tmp_path: Path) -> None:
    """Of a package: the artifact lies beside it."""
    project.write({"shop/__init__.py": APPLICATION, "shop/static/css/app.css": "a { }"})
    (project.folder / "assets").rmdir()
    done = flask("--app", "shop", "run", "--port", "1", folder=project.folder)
    assert done.returncode == 1
    assert "ManifestError" in done.stderr.splitlines()[-1]
    assert "run `flask assetbuild compile`" in done.stderr.splitlines()[-1]
    assert flask("--app", "shop", "routes", folder=project.folder).returncode == 0
    (tmp_path / "elsewhere").mkdir()
    done = flask(
        "--app", "shop", "assetbuild", "compile", folder=tmp_path / "elsewhere", PYTHONPATH=f"{project.folder}:{Path.cwd()}"
    )
    assert done.returncode == 0, done.stderr
    assert list(project.manifest["assets"]) == ["css/app.css"]
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-b", f"127.0.0.1:{port}", "shop:create_app()"]
    with serving(command, project.folder, environment(), port, tmp_path / "log") as top:
        url = urlopen(top).read().decode()
        assert url == f"/static/{project.public('css/app.css')}"
        answer = urlopen(Request(top + url[1:], headers={"Accept-Encoding": "br"}))
        assert "immutable" in answer.headers["Cache-Control"]
        loaded = set(urlopen(top + "loaded").read().decode().split())
        assert "assetbuild.integrations.flask" in loaded
        assert {
            "assetbuild.cli",
            "assetbuild.config",
            "assetbuild.compile",
            "assetbuild.integrations.flask_commands",
        } & loaded == set()
    (project.folder / "dist/manifest.json").unlink()
    done = subprocess.run(command, cwd=project.folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "ManifestError" in done.stderr


def test_flask_assetbuild_watch_builds_and_runs_a_command_beside_it(project: Project) -> None:
    project.write({"app.py": APPLICATION, "static/css/app.css": "a { }"})
    script = "from assetbuild import Assets; print(Assets('dist', auto_reload=True, wait=20).url('css/app.css'))"
    done = flask("assetbuild", "watch", "--", sys.executable, "-c", script, folder=project.folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"/static/{project.public('css/app.css')}\n"


def test_the_command_without_words_shows_what_there_is(project: Project) -> None:
    project.write({"app.py": APPLICATION})
    done = flask("assetbuild", folder=project.folder)
    assert done.returncode == 2
    assert "compile" in done.stderr


def test_the_environment_wins_over_the_settings(built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.rename(built.folder / "dist", tmp_path / "moved")
    monkeypatch.setenv("ASSETBUILD_OUTPUT", str(tmp_path / "moved"))
    monkeypatch.setenv("ASSETBUILD_BASE_URL", "/x")
    app = application(built, ASSETBUILD_BASE_URL="/y")
    AssetBuild(app)
    assert 'src="/x/img/a.' in app.test_client().get("/").text


def test_another_command_line_than_flasks_needs_the_manifest(project: Project) -> None:
    """uvicorn and others are programs of click, too."""

    @click.command()
    def serve() -> None:
        AssetBuild(application(project))

    with pytest.raises(ManifestError):
        serve.main([], standalone_mode=False)


def test_what_is_installed_is_looked_for_in_the_working_folder(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(built.folder)
    app = Flask("flask")
    AssetBuild(app)
    assert isinstance(app.extensions["assetbuild"].assets, Assets)
