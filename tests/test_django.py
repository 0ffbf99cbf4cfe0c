"""integrations.django, its run-time half, inside Django: what templates, forms, WhiteNoise and Django's own commands ask of it.
tests/test_django_site.py runs this file under the oldest Django that is supported, too."""

from __future__ import annotations

import inspect
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import pytest
from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.core.management.base import CommandError

from assetbuild import AssetNotFound, ManifestError
from assetbuild import config as configuration
from tests.conftest import Project

ROOT = Path(__file__).parent.parent
BACKEND = "assetbuild.integrations.django.storage.AssetStorage"
DJANGOS = [f"django.contrib.staticfiles.finders.{name}" for name in ("FileSystemFinder", "AppDirectoriesFinder")]
OURS = "assetbuild.integrations.django.finders.ArtifactFinder"

if not settings.configured:
    settings.configure(
        INSTALLED_APPS=["assetbuild.integrations.django", "django.contrib.staticfiles"],
        STATIC_URL="/static/",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        USE_TZ=True,
    )
    django.setup()

# What follows asks for the settings when it is imported.
from django.template import Context, Template  # noqa: E402
from django.test.utils import override_settings, setup_test_environment, teardown_test_environment  # noqa: E402

from assetbuild.integrations.django import checks as our_checks  # noqa: E402
from assetbuild.integrations.django import folders, storage  # noqa: E402
from assetbuild.integrations.django.finders import ArtifactFinder  # noqa: E402
from assetbuild.integrations.django.names import UnknownAsset  # noqa: E402
from assetbuild.integrations.django.storage import AssetStorage  # noqa: E402

SOURCES: dict[str, str | bytes] = {
    "static/css/app.css": "a { background: url(../img/a.svg) }",
    "static/js/app.js": "let a = 1",
    "static/js/shop.mjs": "export let a = 1",
    "static/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "static/img/a b.png": b"\x89PNG",
    "static/robots.txt": "User-agent: *\n",
    "assetbuild.toml": 'sources = ["static"]\nkeep_names = ["robots.txt"]\ncompress = []\n',
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("built")).write(SOURCES)
    project.compile()
    return project


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """With the artifact that `watch` makes: nothing minified, mode development. new.css came later."""
    from dataclasses import replace

    from assetbuild import compile as build

    project = Project(tmp_path_factory.mktemp("watched")).write({**SOURCES, "static/css/site.scss": "a { b: c }"})
    build.compile(replace(configuration.load(cwd=project.folder, environ={}), mode="development"), jobs=1)
    return project.write({"static/css/new.css": ""})


@contextmanager
def using(project: Project, *, finders: tuple[str, ...] = (), backend: str = BACKEND, **more: Any) -> Iterator[None]:
    """Settings for a project; `options` are the storage's."""
    options = more.pop("options", {})
    given = {
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": backend, "OPTIONS": options},
        },
        "STATIC_ROOT": project.folder / "dist",
        "STATICFILES_DIRS": [project.folder / "static"],
        "STATICFILES_FINDERS": [*finders, *DJANGOS],
        "DEBUG": False,
    }
    with override_settings(**{**given, **more}):
        if django.VERSION < (5, 1):  # There OPTIONS get lost where override_settings sets STORAGES.
            storages.backends = given["STORAGES"]
        yield


def rendered(text: str, **context: object) -> str:
    return str(Template("{% load static assetbuild %}" + text).render(Context(context)))


# ---- with an artifact


@pytest.mark.parametrize("tag", ["static", "asset"])
def test_templates_get_the_published_urls(built: Project, tag: str) -> None:
    with using(built):
        assert rendered(f'{{% {tag} "css/app.css" %}}') == "/static/" + built.public("css/app.css")
        assert (
            rendered(f"{{% {tag} name as url %}}-{{{{ url }}}}-", name="js/app.js") == f"-/static/{built.public('js/app.js')}-"
        )
        assert rendered(f'{{% {tag} "img/a b.png" %}}') == "/static/" + built.public("img/a b.png").replace(" ", "%20")


def test_a_query_and_a_fragment_stay_and_are_escaped(built: Project) -> None:
    with using(built):
        sprite = "/static/" + built.public("img/a.svg")
        assert rendered('{% static "img/a.svg#star" %}') == f"{sprite}#star"
        assert rendered('{% asset "img/a.svg?a=1&b=2#star" %}') == f"{sprite}?a=1&amp;b=2#star"
        assert rendered('{% autoescape off %}{% asset "img/a.svg?a=1&b=2" %}{% endautoescape %}') == f"{sprite}?a=1&b=2"


def test_folders_and_what_is_a_url_already_are_left_as_they_are(built: Project) -> None:
    for debug in (True, False):
        with using(built, DEBUG=debug):
            assert rendered('{% static "img/" %}') == "/static/img/"
            for url in ("https://cdn.example.com/x.css", "//cdn.example.com/x.css", "data:image/gif;base64,AA=="):
                assert rendered("{% autoescape off %}{% static url %}{% endautoescape %}", url=url) == url


def test_a_tag_has_integrity_and_the_attributes_it_is_given(built: Project) -> None:
    with using(built):
        asset = built.manifest["assets"]["js/app.js"]
        written = rendered('{% asset_tag "js/app.js" defer=True data_x="<1>" nonce=nonce %}', nonce="n'")
        assert written == (
            f'<script src="/static/{asset["path"]}" integrity="{asset["integrity"]}" crossorigin="anonymous" defer '
            'data-x="&lt;1&gt;" nonce="n&#x27;"></script>'
        )
        assert rendered('{% asset_integrity "js/app.js" %}') == asset["integrity"]
        assert rendered("{% asset_live_reload %}") == ""


def test_the_media_of_forms_goes_through_the_manifest(built: Project) -> None:
    with using(built):
        js: list[Any] = ["js/app.js", "https://cdn.example.com/x.js", "/own.js"]
        script = getattr(forms, "Script", None)  # Django 5.2
        if script is not None:
            js.append(script("js/shop.mjs", type="module"))
        media = str(forms.Media(css={"all": ["css/app.css"]}, js=js))
        assert f'href="/static/{built.public("css/app.css")}"' in media
        assert f'src="/static/{built.public("js/app.js")}"' in media
        assert 'src="https://cdn.example.com/x.js"' in media
        assert 'src="/own.js"' in media
        assert script is None or f'src="/static/{built.public("js/shop.mjs")}" type="module"' in media


def test_a_name_that_there_is_not_is_a_value_error_that_names_the_nearest(built: Project) -> None:
    with using(built):
        for call in (
            staticfiles_storage.url,
            staticfiles_storage.stored_name,
            storage.current().tag,
            storage.current().integrity,
        ):
            with pytest.raises(
                ValueError, match=r'"css/ap.css" is not in .*manifest.json; did you mean "css/app.css"'
            ) as caught:
                call("css/ap.css")
            assert isinstance(caught.value, AssetNotFound)
        with pytest.raises(UnknownAsset):
            rendered('{% static "" %}')


def test_files_are_read_by_the_names_of_their_sources(built: Project) -> None:
    with using(built):
        file = built.folder / "dist" / built.public("css/app.css")
        assert staticfiles_storage.path("css/app.css") == str(file)
        with staticfiles_storage.open("css/app.css") as opened:
            assert opened.read() == file.read_bytes()
        assert staticfiles_storage.size("css/app.css") == file.stat().st_size
        assert staticfiles_storage.stored_name("css/app.css") == built.public("css/app.css")
        assert staticfiles_storage.path(built.public("css/app.css")) == str(file)
        assert staticfiles_storage.exists("css/app.css")
        assert not staticfiles_storage.exists("css/ap.css")
        assert staticfiles_storage.listdir("css") == ([], [file.name])
        with pytest.raises(UnknownAsset):
            staticfiles_storage.path("css/ap.css")


def test_nothing_is_written_and_the_refusal_is_one_sentence(built: Project) -> None:
    before = built.tree()
    with using(built):
        calls: tuple[Callable[[], object], ...] = (
            lambda: staticfiles_storage.save("css/app.css", ContentFile(b"")),
            lambda: staticfiles_storage.save("new.css", ContentFile(b"")),
            lambda: staticfiles_storage.delete("css/app.css"),
            lambda: staticfiles_storage.open("css/app.css", "wb"),
            lambda: staticfiles_storage.open("css/app.css", "r+"),
        )
        for call in calls:
            with pytest.raises(
                CommandError, match=r"^static files are an artifact, which `manage.py assetbuild compile` writes"
            ):
                call()
    assert built.tree() == before


@pytest.mark.parametrize("url", ["/s/", "https://cdn.example.com/a/", "//cdn.example.com/"])
def test_static_url_is_the_base_url_whatever_the_manifest_says(built: Project, url: str) -> None:
    with using(built, STATIC_URL=url):
        assert rendered('{% static "css/app.css" %}') == url + built.public("css/app.css")


def test_a_static_url_without_a_slash_stands_behind_the_scripts_prefix(built: Project) -> None:
    from django.urls import set_script_prefix

    set_script_prefix("/shop/")
    try:
        with using(built, STATIC_URL="static/"):
            assert rendered('{% static "css/app.css" %}') == "/shop/static/" + built.public("css/app.css")
    finally:
        set_script_prefix("/")


def test_the_storages_options_win_over_the_environment_and_that_over_the_settings(
    built: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = built.folder / "nowhere"
    monkeypatch.setenv("ASSETBUILD_OUTPUT", str(built.folder / "dist/manifest.json"))
    monkeypatch.setenv("ASSETBUILD_BASE_URL", "https://env.example.com/")
    with using(built, STATIC_ROOT=elsewhere):
        assert rendered('{% static "js/app.js" %}') == "https://env.example.com/" + built.public("js/app.js")
        storage.require_artifact()
    with using(built, options={"location": str(elsewhere), "base_url": "/o/"}), pytest.raises(ManifestError, match="nowhere"):
        rendered('{% static "js/app.js" %}')
    with using(built, options={"base_url": "/o/"}):
        assert rendered('{% static "js/app.js" %}') == "/o/" + built.public("js/app.js")


def test_beside_another_storage_the_tags_still_know_the_manifest(built: Project) -> None:
    with using(built, backend="django.contrib.staticfiles.storage.StaticFilesStorage"):
        assert rendered('{% static "css/app.css" %}') == "/static/css/app.css"
        assert rendered('{% asset "css/app.css" %}') == "/static/" + built.public("css/app.css")


# ---- without one


def test_in_production_a_missing_artifact_is_an_error_that_says_what_to_run(tmp_path: Path) -> None:
    project = Project(tmp_path).write(SOURCES)
    with using(project):
        for call in (lambda: rendered('{% static "css/app.css" %}'), storage.require_artifact):
            with pytest.raises(
                ManifestError, match=r"manifest.json: there is no such file; run `manage.py assetbuild compile`$"
            ):
                call()
    with using(project, STATIC_ROOT=None), pytest.raises(ImproperlyConfigured, match=r"^STATIC_ROOT is not set"):
        rendered('{% static "css/app.css" %}')
    with using(project, DEBUG=True):
        storage.require_artifact()
    with using(project, backend="django.contrib.staticfiles.storage.StaticFilesStorage"):
        storage.require_artifact()


def test_in_development_urls_are_those_of_the_sources(tmp_path: Path) -> None:
    project = Project(tmp_path).write(SOURCES)
    for more in ({"DEBUG": True}, {"options": {"development": True}}, {"DEBUG": True, "STATIC_ROOT": None}):
        with using(project, **more):
            assert rendered('{% static "css/app.css" %}') == "/static/css/app.css"
            assert rendered('{% static "img/a b.png" %}') == "/static/img/a%20b.png"
            assert rendered('{% asset "img/a.svg?v=1#star" %}') == "/static/img/a.svg?v=1#star"
            assert rendered('{% asset_tag "css/app.css" %}') == '<link rel="stylesheet" href="/static/css/app.css">'
            assert (
                rendered('{% asset_tag "js/shop.mjs?v=1" %}') == '<script src="/static/js/shop.mjs?v=1" type="module"></script>'
            )
            assert rendered('{% asset_integrity "css/app.css" %}{% asset_live_reload %}') == ""
            with staticfiles_storage.open("css/app.css") as opened:
                assert opened.read().decode() == SOURCES["static/css/app.css"]


def test_in_development_a_name_may_hold_what_separates_a_query(tmp_path: Path) -> None:
    project = Project(tmp_path).write({"static/a#1.css": ""})
    with using(project, DEBUG=True):
        assert rendered('{% static "a#1.css" %}') == "/static/a%231.css"


def told_of(name: str) -> str:
    """What is said of a name that there is not."""
    with pytest.raises(UnknownAsset) as caught:
        rendered("{% static name %}", name=name)
    return str(caught.value)


@pytest.mark.parametrize("name", ["css/ap.css", "/css/app.css", "../static/css/app.css", "./css/app.css"])
def test_in_development_a_name_that_no_finder_has_is_an_error(built: Project, name: str) -> None:
    with using(built, DEBUG=True):
        assert told_of(name).startswith(f'"{name}" is not in the static files; did you mean "css/app.css"')
        assert told_of("").startswith('"" is not in the static files')


def test_what_is_said_of_an_unknown_name_can_be_said_in_another_process_and_where_a_finder_fails(built: Project) -> None:
    with using(built):
        error: Exception = UnknownAsset("a", ("b",), "c")
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with using(built, DEBUG=True, STATICFILES_FINDERS=[f"{__name__}.Failing"]):
        with pytest.raises(UnknownAsset) as caught:
            rendered('{% static "css/ap.css" %}')
        again = pickle.loads(pickle.dumps(caught.value))
        assert str(again) == str(caught.value)
        assert "is not in the static files; what is compiled or bundled needs" in str(again)


def test_in_development_what_is_only_made_by_a_build_says_how_it_is_made(watched: Project) -> None:
    made = '"css/site.css" is not in the static files; it is made of "css/site.scss", which needs `manage.py assetbuild watch`'
    other = '"nothing/like/it.js" is not in the static files; what is compiled or bundled needs `manage.py assetbuild watch`'
    with using(watched, DEBUG=True):
        assert told_of("css/site.css") == f"{made}, and {OURS} in STATICFILES_FINDERS"
        assert told_of("nothing/like/it.js") == f"{other}, and {OURS} in STATICFILES_FINDERS"
    with using(watched, finders=(OURS,), DEBUG=True):
        assert told_of("nothing/like/it.js") == other


def test_in_development_an_artifact_that_compile_made_is_passed_over(built: Project) -> None:
    with using(built, finders=(OURS,), DEBUG=True):
        assert rendered('{% static "css/app.css" %}') == "/static/css/app.css"
        assert finders.find(built.public("css/app.css")) is None


def test_in_development_what_watch_makes_is_taken_where_the_finder_serves_it(watched: Project) -> None:
    published = watched.public("css/site.css")
    with using(watched, finders=(OURS,), DEBUG=True):
        assert rendered('{% static "css/site.css" %}') == f"/static/{published}"
        assert 'integrity="sha256-' in rendered('{% asset_tag "css/site.css" %}')
        assert rendered('{% static "css/new.css" %}{% asset_integrity "css/new.css" %}') == "/static/css/new.css"
        assert rendered('{% asset_tag "css/new.css" %}') == '<link rel="stylesheet" href="/static/css/new.css">'
        assert finders.find(published) == str(watched.folder / "dist" / published)
    with using(watched, DEBUG=True):
        assert rendered('{% static "css/app.css" %}') == "/static/css/app.css"
        assert finders.find(published) is None


def test_when_the_development_artifact_is_removed_urls_are_those_of_the_sources_again(watched: Project, tmp_path: Path) -> None:
    shutil.copytree(watched.folder, tmp_path, dirs_exist_ok=True)
    project = Project(tmp_path)
    with using(project, finders=(OURS,), DEBUG=True):
        assert rendered('{% static "css/app.css" %}') == "/static/" + watched.public("css/app.css")
        shutil.rmtree(tmp_path / "dist")
        assert rendered('{% static "css/app.css" %}') == "/static/css/app.css"
        shutil.copytree(watched.folder / "dist", tmp_path / "dist")
        assert rendered('{% static "css/app.css" %}') == "/static/" + watched.public("css/app.css")


def test_the_option_development_decides_whatever_debug_says(built: Project) -> None:
    with using(built, DEBUG=True, options={"development": False}):
        assert rendered('{% static "css/app.css" %}') == "/static/" + built.public("css/app.css")
    with using(built, options={"development": True}):
        assert rendered('{% static "css/app.css" %}') == "/static/css/app.css"
        storage.require_artifact()


def test_in_tests_any_name_has_a_url_and_no_artifact_is_looked_at(watched: Project, tmp_path: Path) -> None:
    setup_test_environment()
    try:
        for project in (watched, Project(tmp_path)):
            with using(project, finders=(OURS,)):
                assert rendered('{% static "css/site.css" %}') == "/static/css/site.css"
                assert rendered('{% asset_tag "css/any.css?v=1" %}') == '<link rel="stylesheet" href="/static/css/any.css?v=1">'
        with using(watched, options={"development": False}):
            assert rendered('{% static "css/site.css" %}') == "/static/" + watched.public("css/site.css")
    finally:
        teardown_test_environment()


# ---- the finder


def test_the_finder_finds_published_files_and_nothing_else(watched: Project) -> None:
    published = watched.public("css/app.css")
    (watched.folder / "dist/.hidden").touch()
    (watched.folder / "outside").touch()
    with using(watched, finders=(OURS,), DEBUG=True):
        finder = ArtifactFinder()
        file = str(watched.folder / "dist" / published)
        assert finder.find(published) == file
        assert finder.find(published, find_all=True) == [file]
        assert finder.find(published, all=True) == [file]
        for name in ("css/app.css", ".hidden", "../outside", "/etc/passwd", "css"):
            assert finder.find(name) == []
        assert list(finder.list(None)) == []
        assert finder.check() == []
        assert folders.find().roots == (("", watched.folder / "static"),)
    with using(watched, finders=(OURS,)):
        assert ArtifactFinder().find(published) == []


# ---- source folders


class Some(finders.FileSystemFinder):  # type: ignore[misc, unused-ignore]
    """A finder of some files of a folder, as packages for node_modules are."""

    def list(self, ignore_patterns: object) -> Iterator[tuple[str, Any]]:
        yield from (one for one in super().list(ignore_patterns) if one[0].startswith("css/"))


class All(Some):
    def list(self, ignore_patterns: object) -> Iterator[tuple[str, Any]]:
        yield from finders.FileSystemFinder.list(self, ignore_patterns)


class Failing(All):
    def list(self, ignore_patterns: object) -> Iterator[tuple[str, Any]]:  # noqa: ARG002
        raise OSError("no network\nat all")


class Bare:
    """A storage that is no folder."""


class Remote(All):
    def list(self, ignore_patterns: object) -> Iterator[tuple[str, Any]]:  # noqa: ARG002
        yield "a.css", Bare()


class OneFolder(finders.BaseStorageFinder):  # type: ignore[misc, unused-ignore]
    storage = FileSystemStorage(location=os.path.dirname(__file__))


def test_source_roots_are_the_finders_folders_in_their_order_with_their_prefixes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    dirs = [("vendor", str(tmp_path / "one")), tmp_path / "two", tmp_path / "absent"]
    with override_settings(
        STATICFILES_DIRS=dirs,
        STATICFILES_FINDERS=DJANGOS,
        INSTALLED_APPS=[*settings.INSTALLED_APPS, "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes"],
    ):
        finders.get_finder.cache_clear()
        found = folders.find()
        admin = Path(apps.get_app_config("admin").path, "static")
    finders.get_finder.cache_clear()
    assert found == folders.Folders((("vendor", tmp_path / "one"), ("", tmp_path / "two"), ("", admin)), ())


@pytest.mark.parametrize(
    ("name", "roots", "fault"),
    [
        ("All", ["static"], ""),
        ("OneFolder", [os.path.dirname(__file__)], ""),
        (
            "Some",
            [],
            'gives some files of "{static}" and not all, "robots.txt" for one: name folders with just those files in',
        ),
        ("Failing", [], "cannot list its files: OSError: no network"),
        ("Remote", [], "takes files from a storage that is no folder"),
    ],
)
def test_a_finder_of_somebody_elses_is_asked_what_it_lists(built: Project, name: str, roots: list[str], fault: str) -> None:
    with using(built, STATICFILES_FINDERS=[f"{__name__}.{name}"]):
        found = folders.find()
        warnings = [one for one in our_checks.settings_are_right() if one.id == "assetbuild.W002"]
    assert [path for _, path in found.roots] == [built.folder / root for root in roots]
    fault = fault.format(static=built.folder / "static")
    assert [one.startswith(f"the finder {__name__}.{name} {fault}") for one in found.faults] == ([True] if fault else [])
    assert len(warnings) == len(found.faults)


# ---- system checks


def told(*, deploy: bool = False) -> list[str]:
    """The ids of what our checks have to say."""
    said = checks.run_checks(tags=[checks.Tags.staticfiles], include_deployment_checks=deploy)
    assert all(one.hint and "\n" not in one.msg and one.msg.endswith(".") for one in said if one.id.startswith("assetbuild."))
    return [one.id for one in said if one.id.startswith("assetbuild.")]


def test_checks_have_nothing_to_say_of_what_is_right(built: Project, watched: Project) -> None:
    for project in (built, watched):
        with using(project, finders=(OURS,), DEBUG=True):
            assert told() == []
    with using(built):
        assert told(deploy=True) == []


def test_checks_name_what_is_set_wrong(built: Project, watched: Project, tmp_path: Path) -> None:
    installed = [name for name in settings.INSTALLED_APPS if name != "django.contrib.staticfiles"]
    with using(built, INSTALLED_APPS=installed):
        assert [one.id for one in our_checks.settings_are_right()] == ["assetbuild.E001"]
    with using(built, STATIC_ROOT=None):
        assert told(deploy=True) == ["assetbuild.E002"]
    with using(built, options={"manifest_strict": False}):
        assert told(deploy=True) == ["assetbuild.E003"]
    with using(built, INSTALLED_APPS=[*installed[1:], "django.contrib.staticfiles", installed[0]]):
        assert told(deploy=True) == ["assetbuild.W005"]
    with using(Project(tmp_path), STATICFILES_DIRS=[]):
        assert told(deploy=True) == ["assetbuild.E004"]
        assert told() == []
    for backend in ("django.contrib.staticfiles.storage.StaticFilesStorage", "no.such.Thing"):
        with using(built, backend=backend):
            assert told(deploy=True) == ["assetbuild.W001"]
    with using(watched, DEBUG=True):
        assert told() == ["assetbuild.W003"]
    with using(watched):
        assert told(deploy=True) == ["assetbuild.W004"]


# ---- what it needs


def test_the_run_time_half_loads_nothing_of_the_compiler(built: Project) -> None:
    script = f"""
import sys
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["assetbuild.integrations.django", "django.contrib.staticfiles"],
    STATIC_URL="/static/",
    STATIC_ROOT={str(built.folder / "dist")!r},
    STORAGES={{"staticfiles": {{"BACKEND": {BACKEND!r}}}}},
    TEMPLATES=[{{"BACKEND": "django.template.backends.django.DjangoTemplates"}}],
)
import django
django.setup()
from django.template import Context, Template
print(Template('{{% load static assetbuild %}}{{% static "css/app.css" %}}{{% asset_tag "css/app.css" %}}').render(Context()))
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("assetbuild", "click", "webassets")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=built.folder)
    url, modules = done.stdout.splitlines()
    assert url.startswith("/static/css/app.")
    assert all(f"{name}.".startswith(("assetbuild.runtime.", "assetbuild.integrations.")) for name in modules.split()[1:])


def test_it_is_a_storage_for_static_files(built: Project) -> None:
    with using(built):
        assert isinstance(staticfiles_storage, AssetStorage)
        assert staticfiles_storage.location == str(built.folder / "dist")
        assert os.path.isabs(staticfiles_storage.path(""))


def test_the_reference_names_every_option_tag_and_check() -> None:
    section = (ROOT / "docs/reference.md").read_text("utf-8").partition("\n## Django\n")[2].partition("\n## ")[0]
    package = Path(str(storage.__file__)).parent
    ids = set(re.findall(r'id="(assetbuild\.\w+)"', (package / "checks.py").read_text("utf-8")))
    tags = set(re.findall(r"^def (\w+)", (package / "templatetags/assetbuild.py").read_text("utf-8"), re.MULTILINE))
    options = set(inspect.signature(AssetStorage.__init__).parameters) - {"self"}
    assert len(ids) == 9
    assert {"asset", "asset_tag"} <= tags
    assert {f"`{word}`" for word in ids | tags | options} <= set(re.findall(r"`[\w.]+`", section))
