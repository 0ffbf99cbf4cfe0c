"""init: what is written fits the project and compiles as it is; nothing that was there is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild import cli, config
from assetbuild.config import Config
from tests.conftest import Project, toml
from tests.test_docs import ROOT

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
SHEET = {"static/css/app.css": "body { margin: 0 }"}

PROJECTS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "Flask": (
        {"app.py": FLASK, "templates/a.html": "", **SHEET},
        {"sources": ["static"], "templates": ["templates"], "base_url": "/static/"},
    ),
    "Flask in a package, with names of its own": (
        {
            "src/shop/__init__.py": "import flask\nmake = flask.Flask\n"
            'app = flask.Flask("shop", static_folder="web", template_folder="pages", static_url_path="/files")\n'
            'app.jinja_env.variable_start_string = "<<"\napp.jinja_options = {"variable_end_string": ">>"}\n',
            "src/shop/web/a.css": "",
            "src/shop/web/robots.txt": "",
            "src/shop/pages/a.html": "",
        },
        {
            "sources": ["src/shop/web"],
            "templates": ["src/shop/pages"],
            "base_url": "/files/",
            "keep_names": ["robots.txt"],
            "jinja": {"variable_start_string": "<<", "variable_end_string": ">>"},
        },
    ),
    "Django": (
        {
            "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n',
            "site1/settings.py": 'STATIC_URL = "static/"\nSTATIC_ROOT = BASE_DIR / "static"\n',
            "shop/apps.py": "from django.apps import AppConfig\n",
            "shop/static/shop/a.css": "",
            "shop/templates/shop/a.html": "",
            "static/collected.css": "",
            ".venv/lib/django/static/a.css": "",
        },
        {"sources": ["shop/static"], "templates": ["shop/templates"], "base_url": "/static/"},
    ),
    "FastAPI": (
        {
            "main.py": "from fastapi import FastAPI\nfrom fastapi.staticfiles import StaticFiles\n"
            'app = FastAPI()\napp.mount("/files", StaticFiles(directory="public"), name="static")\n',
            "public/a.css": "",
            "pyproject.toml": '[project]\nname = "x"\ndependencies = ["fastapi>=0.1"]\n',
        },
        {"sources": ["public"], "base_url": "/files/", "templates": None},
    ),
    "Starlette": (
        {
            "main.py": "from starlette.routing import Mount\nfrom starlette.staticfiles import StaticFiles\n"
            'from starlette.templating import Jinja2Templates\ntemplates = Jinja2Templates("pages")\n'
            'routes = [Mount("/s", app=StaticFiles(directory="static"), name="static")]\n',
            "pages/a.html": "",
            **SHEET,
        },
        {"sources": ["static"], "base_url": "/s/", "templates": ["pages"]},
    ),
    "by its requirements": ({"requirements.txt": "# all\nDjango==5.2\n", "assets/a.css": ""}, {"sources": ["assets"]}),
    "webassets in YAML": (
        {"assets.yml": "directory: static\nbundles:\n  a:\n    output: gen/all.css\n    contents: css/app.css\n", **SHEET},
        {"sources": ["static"], "bundles_from": "assets.yml"},
    ),
    "Flask-Assets": (
        {
            "init_shop.py": "from flask import Flask\nfrom flask_assets import Bundle, Environment\napp = Flask(__name__)\n"
            'assets = Environment(app)\nassets.register("a", Bundle("css/app.css", output="gen/all.css"))\n',
            **SHEET,
        },
        {"sources": ["static"], "bundles_from": "init_shop:assets"},
    ),
    "Flask-Assets in a factory": (
        {
            "init_shop2.py": "from flask import Flask\nfrom flask_assets import Bundle, Environment\nassets = Environment()\n"
            'assets.register("a", Bundle("css/app.css", output="gen/all.css"))\n'
            "def create_app(config=None):\n    app = Flask(__name__)\n    assets.init_app(app)\n    return app\n",
            # What webassets itself has built.
            "static/gen/all.css": "old",
            **SHEET,
        },
        {"sources": ["static"], "bundles_from": "init_shop2:create_app"},
    ),
    "languages that no browser reads": (
        {"assets/a.less": "", "assets/vendor/b.jsx": "", "assets/c.scss": "", "assets/d.ts": "", **SHEET},
        {"sources": ["assets", "static"], "exclude": ["*.jsx", "*.less"]},
    ),
    "nothing at all": ({}, {"sources": ["assets"], "output": "dist", "templates": None}),
    "wheels in dist": ({"dist/a.whl": "", "assets/a.css": "", "broken.py": "def"}, {"output": "dist-assets"}),
}


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], dict[str, object]]:
    """What stands in the configuration that is written for these files."""

    def begin(files: dict[str, str]) -> dict[str, object]:
        Project(tmp_path).write(files)
        monkeypatch.chdir(tmp_path)
        assert cli.main(["init"]) == 0
        return read()

    def read() -> dict[str, object]:
        import tomllib

        return tomllib.loads((tmp_path / "assetbuild.toml").read_text("utf-8"))

    return begin


def tree(folder: Path) -> dict[str, bytes]:
    """All but the cache, which remembers when files were looked at."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files if ".assetbuild" not in file.parts}


@pytest.mark.parametrize("kind", PROJECTS)
def test_what_is_written_fits_the_project_and_compiles_as_it_is(
    kind: str, begun: Callable[[dict[str, str]], dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, expected = PROJECTS[kind]
    written = begun(files)
    assert {key: written.get(key) for key in expected} == expected
    framework = kind.split()[0].removesuffix("-Assets")
    said = capsys.readouterr().err
    if framework in ("Flask", "Django", "FastAPI", "Starlette"):
        assert said.startswith(f"assetbuild.toml: written, for {framework}\n")
    assert "1. Build it: assetbuild compile\n2. " in said
    assert ("AssetStorage" in said) is said.startswith("assetbuild.toml: written, for Django\n")
    assert ("AssetBuild(app)" in said) is said.startswith("assetbuild.toml: written, for Flask\n")
    asgi = any(said.startswith(f"assetbuild.toml: written, for {name}\n") for name in ("FastAPI", "Starlette"))
    assert ("AssetFiles(assets)" in said) is asgi
    assert cli.main(["compile"]) == 0
    output = tmp_path / str(written["output"])
    published = json.loads((output / "manifest.json").read_bytes())["assets"]
    assert ("gen/all.css" in published) is ("bundles_from" in written)
    before = tree(tmp_path)
    assert cli.main(["init"]) == 2
    assert cli.main(["compile"]) == 0
    assert tree(tmp_path) == before


def test_the_sample_projects_own_configuration_is_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ignored = shutil.ignore_patterns("dist", ".assetbuild", "__pycache__")
    shutil.copytree(ROOT / "sample_project", tmp_path / "sample", ignore=ignored)
    monkeypatch.chdir(tmp_path / "sample")

    def meant(loaded: Config) -> tuple[object, ...]:
        return loaded.sources, loaded.output, loaded.base_url, loaded.templates, dict(loaded.jinja), loaded.keep_names

    by_hand = meant(config.load(environ={}))
    Path("assetbuild.toml").unlink()
    assert cli.main(["init"]) == 0
    assert meant(config.load(environ={})) == by_hand


def test_lines_are_appended_to_what_is_ignored_where_they_are_missing(
    begun: Callable[[dict[str, str]], dict[str, object]], tmp_path: Path
) -> None:
    begun({".gitignore": "*.pyc\ndist", ".dockerignore": ".assetbuild\n", "Dockerfile": "FROM x\nCOPY --chown=a dist /srv/\n"})
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\ndist\n/.assetbuild/\n"
    assert (tmp_path / ".dockerignore").read_text() == ".assetbuild\n"  # The image needs what it copies.


def test_without_those_files_they_are_made(begun: Callable[[dict[str, str]], dict[str, object]], tmp_path: Path) -> None:
    begun({"Dockerfile": "FROM x\nCOPY --from=build /srv/dist dist\n"})
    assert (tmp_path / ".gitignore").read_text() == "/dist/\n/.assetbuild/\n"
    assert (tmp_path / ".dockerignore").read_text() == "dist\n.assetbuild\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("assetbuild.toml", "broken", "assetbuild.toml: there is a configuration already; nothing was changed; edit it\n"),
        (
            "pyproject.toml",
            "[tool.assetbuild]\n",
            "pyproject.toml: there is a table [tool.assetbuild] already; nothing was changed; edit it\n",
        ),
        ("pyproject.toml", "x", "pyproject.toml: this file cannot be read: "),
        (
            "assets",
            "",
            "assets: no folder of static files was found, and this is none; rename it",
        ),
    ],
)
def test_what_is_in_the_way_is_left_alone(
    name: str,
    text: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init"]) == 2
    assert capsys.readouterr().err.startswith(said)
    assert tree(tmp_path) == {name: text.encode()}


def test_other_names_are_taken_from_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deploy/assets").mkdir(parents=True)
    assert cli.main(["init", "--json", "--config", "deploy/a.toml", "--output", "out"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["file"], document["made"], document["sources"]) == ("deploy/a.toml", None, ["assets"])
    assert document["next"][0] == "Build it: assetbuild compile --config deploy/a.toml"
    assert toml(output="../out") in (tmp_path / "deploy/a.toml").read_text()
    assert cli.main(["compile", "--config", "deploy/a.toml"]) == 0
    assert (tmp_path / "out/manifest.json").exists()
    assert cli.main(["init", "--config", "pyproject.toml"]) == 2
