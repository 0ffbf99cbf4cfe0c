"""integrations.django in whole Django projects, as `startproject` makes them: its commands, its servers, its tests; the admin,
django-debug-toolbar and Django REST framework as Chromium shows them from an artifact."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assetbuild.runtime import manifest as treaty
from assetbuild.verify import verify
from tests.browser import Visit, chromium, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0  # Seconds after which a server that has not answered counts as dead.
PYTHON = sys.executable

#: What a project adds to the settings that `startproject` wrote, as docs/howto/django.md has it.
SETTINGS = """
INSTALLED_APPS = ["assetbuild.integrations.django", *INSTALLED_APPS]
STATIC_ROOT = BASE_DIR / "dist"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "assetbuild.integrations.django.storage.AssetStorage"},
}
"""

#: Production, with WhiteNoise to serve the artifact.
PRODUCTION = """
from site1.settings import *
DEBUG = False
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = [MIDDLEWARE[0], "whitenoise.middleware.WhiteNoiseMiddleware", *MIDDLEWARE[1:]]
"""

TOOLS = """
from site1.production import *
INSTALLED_APPS += ["rest_framework", "debug_toolbar"]
MIDDLEWARE.insert(2, "debug_toolbar.middleware.DebugToolbarMiddleware")
DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": "site1.urls.always"}
ROOT_URLCONF = "site1.urls"
"""

URLS = """
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.template import engines
from django.urls import include, path

always = lambda request: True

def page(request):
    text = "<!doctype html><title>Page</title>{% load static %}<link rel=stylesheet href='{% static \\"css/site.css\\" %}'>"
    return HttpResponse(engines["django"].from_string(text).render())

def icon(request):
    return HttpResponse(status=204)

urlpatterns = [path("admin/", admin.site.urls), path("page/", page), path("favicon.ico", icon)]
if "rest_framework" in settings.INSTALLED_APPS:
    from rest_framework import routers, serializers, viewsets

    class UserSerializer(serializers.ModelSerializer):
        class Meta:
            model = User
            fields = ["id", "username", "email", "is_staff"]

    class UserViewSet(viewsets.ModelViewSet):
        queryset = User.objects.order_by("id")
        serializer_class = UserSerializer

    router = routers.DefaultRouter()
    router.register("users", UserViewSet)
    urlpatterns += [path("api/", include(router.urls)), path("__debug__/", include("debug_toolbar.urls"))]
"""

SUPERUSER = {"DJANGO_SUPERUSER_PASSWORD": "a long pass phrase", "DJANGO_SUPERUSER_USERNAME": "ada"}


@dataclass(frozen=True, slots=True)
class Site:
    """A Django project in a folder."""

    folder: Path

    @property
    def dist(self) -> Path:
        return self.folder / "dist"

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, "utf-8")

    def environment(self, settings: str, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASSETBUILD_", "DJANGO_"))}
        path = os.pathsep.join(filter(None, [more.pop("PYTHONPATH", ""), str(ROOT)]))
        own = {"DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        return {**kept, **own, **more}

    def manage(self, *words: str, settings: str = "site1.settings", **more: str) -> subprocess.CompletedProcess[str]:
        command = [PYTHON, "manage.py", *words]
        environ = self.environment(settings, **more)
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    def done(self, *words: str, settings: str = "site1.settings", **more: str) -> str:
        """What a command that succeeds says."""
        ran = self.manage(*words, settings=settings, **more)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def tree(self) -> dict[str, bytes]:
        return {str(file.relative_to(self.dist)): file.read_bytes() for file in self.dist.rglob("*") if file.is_file()}

    def assets(self) -> dict[str, treaty.Entry]:
        return treaty.load(self.dist / treaty.NAME)["assets"]


def shared(tmp_path_factory: pytest.TempPathFactory, worker: str, name: str, make: Callable[[Path], None]) -> Site:
    """A project that the first of pytest-xdist's workers makes, and the others wait for. Tests leave it as it is."""
    top = tmp_path_factory.getbasetemp()
    folder = (top if worker == "master" else top.parent) / name
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return Site(folder)


def make_fresh(folder: Path) -> None:
    subprocess.run([PYTHON, "-m", "django", "startproject", "site1", "."], cwd=folder, check=True)
    site = Site(folder)
    settings = (folder / "site1/settings.py").read_text("utf-8")
    site.write({"site1/settings.py": settings + SETTINGS, "site1/production.py": PRODUCTION, "site1/urls.py": URLS})


def make_admin(folder: Path) -> None:
    make_fresh(folder)
    site = Site(folder)
    site.write({"site1/tools.py": TOOLS, "assetbuild.toml": 'compress = ["gzip"]\n', "static/css/site.css": "a { b: c }"})
    with (folder / "site1/settings.py").open("a") as settings:
        settings.write('STATICFILES_DIRS = [BASE_DIR / "static"]\n')
    site.done("assetbuild", "compile", "--settings", "site1.tools")
    site.done("migrate", "-v0", settings="site1.tools")
    site.done("createsuperuser", "--noinput", "--email", "ada@example.com", settings="site1.tools", **SUPERUSER)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Site:
    """What `startproject` makes, with the settings of the integration, and nothing built."""
    return shared(tmp_path_factory, worker_id, "fresh", make_fresh)


@pytest.fixture(scope="session")
def admin(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Site:
    """The same, compiled for the admin and the tools, with a database and a user."""
    return shared(tmp_path_factory, worker_id, "admin", make_admin)


@pytest.fixture
def copy(fresh: Site, tmp_path: Path) -> Site:
    """A fresh project to be changed, with a folder of static files, and without the admin, which takes a second to build."""
    shutil.copytree(fresh.folder, tmp_path / "site")
    site = Site(tmp_path / "site")
    with (site.folder / "site1/settings.py").open("a") as settings:
        settings.write('STATICFILES_DIRS = [BASE_DIR / "static"]\nINSTALLED_APPS.remove("django.contrib.admin")\n')
    urls = URLS.replace("from django.contrib import admin\n", "").replace('path("admin/", admin.site.urls), ', "")
    site.write({"site1/urls.py": urls, "static/css/app.css": "a { b: c }", "assetbuild.toml": "compress = []\n"})
    return site


@contextlib.contextmanager
def gunicorn(site: Site, logs: Path, settings: str) -> Iterator[str]:
    """The project as it is served in production; the socket is open before the process starts, so nobody has to wait."""
    with socket.create_server(("127.0.0.1", 0)) as listening, (logs / "server.log").open("wb") as log:
        command = [PYTHON, "-m", "gunicorn", "site1.wsgi", "--bind", f"fd://{listening.fileno()}", "--threads", "4"]
        process = subprocess.Popen(
            command,
            cwd=site.folder,
            env=site.environment(settings),
            pass_fds=[listening.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextlib.contextmanager
def running(site: Site, logs: Path, *words: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A command of which `runserver` is a part: where it answers, and the process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    log = logs / "server.log"
    with log.open("wb") as output:
        command = [PYTHON, "manage.py", *(word.replace("PORT", port) for word in words)]
        process = subprocess.Popen(
            command,
            cwd=site.folder,
            env=site.environment("site1.settings"),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(port))):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def get(url: str) -> tuple[int, dict[str, str], str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {}, error.read().decode()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


# ---- the build


def test_the_admin_is_compiled_with_every_reference_resolved(admin: Site) -> None:
    report = verify(admin.dist, production=True)
    assert report.findings == ()
    assets = admin.assets()
    assert {
        "admin/css/base.css",
        "admin/js/core.js",
        "rest_framework/css/bootstrap.min.css",
        "debug_toolbar/js/toolbar.js",
    } <= set(assets)
    assert [path for path, entry in assets.items() if "missing" in entry] == []
    sheet = (admin.dist / assets["admin/css/widgets.css"]["path"]).read_text("utf-8")
    assert re.search(r"url\([\"']?\.\./img/[\w-]+\.[0-9a-f]{12}\.svg", sheet)
    assert treaty.load(admin.dist / treaty.NAME)["base_url"] == "/static/"
    assert "no issues" in admin.done("check", "--tag", "staticfiles", "--deploy", settings="site1.production")


def test_templates_of_all_applications_are_held_against_the_sources(fresh: Site, tmp_path: Path) -> None:
    shutil.copytree(fresh.folder, tmp_path / "site")
    site = Site(tmp_path / "site")
    assert re.search(
        r"^[1-9]\d templates, \d+ literal paths, 0 dynamic; all in the sources$", site.done("assetbuild", "check"), re.M
    )
    site.write({"site1/templates/page.html": '{% load static %}{% static "admin/css/bas.css" %}', "site1/tools.py": TOOLS})
    with (site.folder / "site1/tools.py").open("a") as settings:
        settings.write('TEMPLATES[0]["DIRS"] = [BASE_DIR / "site1/templates"]\n')
    ran = site.manage("assetbuild", "check", settings="site1.tools")
    message = 'no source gives "admin/css/bas.css"; did you mean "admin/css/base.css"?'
    assert ran.stdout == f"site1/templates/page.html:1:29: {message}\n"
    assert ran.stderr.endswith("0 dynamic; 1 finding\n")


def test_of_two_files_of_one_name_that_which_django_finds_first_is_compiled(copy: Site) -> None:
    for name in ("one", "two"):
        copy.write({f"{name}/__init__.py": "", f"{name}/static/x.css": f"{name}{{a:b}}", f"{name}/static/{name}.css": "a{b:c}"})
    copy.write({"lib/lib.css": "@import '../x.css';", "static/own.css": "@import 'vendor/lib/lib.css';"})
    with (copy.folder / "site1/settings.py").open("a") as settings:
        settings.write('INSTALLED_APPS += ["two", "one"]\nSTATICFILES_DIRS += [("vendor/lib", BASE_DIR / "lib")]\n')
    copy.write({"lib/lib.css": "@import '../../x.css';"})
    copy.done("assetbuild", "compile")
    assets = copy.assets()
    assert {"x.css", "one.css", "two.css", "vendor/lib/lib.css", "own.css"} <= set(assets)
    assert (copy.dist / assets["x.css"]["path"]).read_text() == "two{a:b}"
    found = copy.done("findstatic", "x.css", "--first")
    assert "two/static/x.css" in found


def test_the_folder_assets_is_no_source_of_a_django_project_unless_it_is_named(copy: Site) -> None:
    copy.write({"assets/node.css": "a{}"})
    copy.done("assetbuild", "compile")
    assert set(copy.assets()) == {"css/app.css"}
    copy.write({"assetbuild.toml": 'sources = ["assets"]\ncompress = []\n'})
    copy.done("assetbuild", "compile")
    assert set(copy.assets()) == {"css/app.css", "node.css"}


def test_the_command_line_is_assetbuilds_own(copy: Site) -> None:
    assert copy.done("assetbuild", "--help").startswith("Usage: manage.py assetbuild [OPTIONS] COMMAND")
    assert "Compile static files" in copy.done("help", "assetbuild")
    ran = copy.manage("assetbuild", "compile", "--nothing", "--settings", "site1.production", "--traceback", "--no-color")
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (2, "Error: No such option '--nothing'.")
    document = json.loads(copy.manage("assetbuild", "compile", "--json", settings="site1.production").stdout)
    assert (document["output"], document["base_url"]) == ("dist", "/static/")
    assert copy.manage("assetbuild", "verify", "--pythonpath=.").returncode == 0
    (copy.dist / "extra").touch()
    assert copy.manage("assetbuild", "verify").returncode == 1


def test_the_configuration_beside_manage_py_is_found_from_any_folder(copy: Site, tmp_path: Path) -> None:
    copy.write({"assetbuild.toml": 'compress = []\nexclude = ["out.css"]\n', "static/out.css": "a{}"})
    command = [PYTHON, str(copy.folder / "manage.py"), "assetbuild", "compile"]
    environ = copy.environment("site1.settings")
    subprocess.run(command, cwd=tmp_path, env=environ, check=True, stderr=subprocess.DEVNULL)
    assert set(copy.assets()) == {"css/app.css"}
    assert [file.name for file in tmp_path.iterdir()] == ["site"]


def test_other_commands_can_call_it(copy: Site) -> None:
    script = """
import django
django.setup()
from django.core.management import CommandError, call_command
call_command("assetbuild", "compile", "--quiet")
try:
    call_command("assetbuild", "explain", "x.css")
except CommandError as error:
    print(error, error.returncode)
"""
    environ = copy.environment("site1.settings")
    ran = subprocess.run([PYTHON, "-c", script], cwd=copy.folder, env=environ, capture_output=True, text=True, check=False)
    assert ran.stdout == "assetbuild explain x.css: exit status 1 1\n", ran.stderr
    assert set(copy.assets()) == {"css/app.css"}


def test_what_is_wrong_with_a_setting_is_told_by_the_settings_name(copy: Site) -> None:
    for line, message in (
        ('STATIC_ROOT = BASE_DIR / "static/dist"', 'STATIC_ROOT: "static/dist" is inside the source root "static"'),
        ("STATIC_URL = None", "You're using the staticfiles app without having set the required STATIC_URL setting."),
        (
            'STATICFILES_DIRS = [("../x", BASE_DIR / "static")]',
            'the static folder "static" has a prefix that cannot be: "../x"',
        ),
    ):
        copy.write({"site1/wrong.py": f"from site1.settings import *\n{line}\n"})
        ran = copy.manage("assetbuild", "compile", settings="site1.wrong")
        assert ran.returncode == 2, ran.stderr
        assert message in ran.stderr
        assert "Traceback" not in ran.stderr


def test_without_the_compiler_the_command_says_what_to_install(copy: Site, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text('raise ModuleNotFoundError("No module named click", name="click")')
    ran = copy.manage("assetbuild", "compile", PYTHONPATH=str(tmp_path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == 'CommandError: this command needs the build extra: pip install "assetbuild[build]"\n'


# ---- collectstatic


BEHIND = """
from site1.production import *
INSTALLED_APPS = [*INSTALLED_APPS[1:], INSTALLED_APPS[0]]
"""


def test_collectstatic_run_by_habit_harms_nothing(copy: Site) -> None:
    copy.done("assetbuild", "compile")
    production = PRODUCTION.replace('"whitenoise.middleware.WhiteNoiseMiddleware", ', "")
    copy.write({"site1/production.py": production, "site1/behind.py": BEHIND, "static/css/new.css": "", "static/.hidden": ""})
    os.utime(copy.folder / "static/css/app.css", (2e9, 2e9))  # Newer than what was built.
    before = copy.tree()
    sentence = "CommandError: static files are an artifact, which `manage.py assetbuild compile` writes"
    ran = copy.manage("collectstatic", "--noinput", settings="site1.production")
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1)
    assert ran.stderr.startswith(sentence)
    # Behind django.contrib.staticfiles the command is Django's own, and a check says so.
    copy.write({"site1/debug.py": "from site1.behind import *\nDEBUG = True\n"})
    for option, settings in (("--no-color", "behind"), ("--clear", "behind"), ("--clear", "debug"), ("--link", "behind")):
        ran = copy.manage("collectstatic", "--noinput", option, settings=f"site1.{settings}")
        assert ran.returncode == 1, ran.stdout
        assert sentence in ran.stderr
        assert "assetbuild.W005" in ran.stderr
        assert "Traceback" not in ran.stderr
    assert copy.tree() == before
    assert not [file for file in copy.dist.rglob("*") if file.is_symlink()]


def test_settings_with_another_storage_collect_as_ever(copy: Site) -> None:
    copy.write(
        {
            "site1/other.py": "from site1.settings import *\n"
            'STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}\n'
            'STATIC_ROOT = BASE_DIR / "collected"\n'
        }
    )
    assert "1 static file copied" in copy.done("collectstatic", "--noinput", settings="site1.other")
    assert list((copy.folder / "collected/css").glob("app.*.css"))


# ---- development and tests


def test_runserver_and_the_admin_work_without_a_build(fresh: Site, tmp_path: Path) -> None:
    with running(fresh, tmp_path, "runserver", "127.0.0.1:PORT", "--noreload") as (url, _):
        status, _, page = get(f"{url}/admin/login/")
        assert status == 200
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        assert "/static/admin/css/base.css" in files
        assert {get(url + file)[0] for file in files} == {200}
    assert not fresh.dist.exists()


TESTS = """
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.test import TestCase
from urllib.request import urlopen

class PageTest(TestCase):
    def test_page(self):
        self.assertContains(self.client.get("/page/"), "/static/css/site.css")

class LiveTest(StaticLiveServerTestCase):
    def test_file(self):
        with urlopen(f"{self.live_server_url}/static/css/app.css") as answer:
            self.assertEqual(answer.status, 200)
"""


def test_a_projects_tests_run_without_a_build(copy: Site) -> None:
    copy.write({"site1/tests.py": TESTS})
    for settings in ("site1.settings", "site1.production"):
        assert "Ran 2 tests" in copy.done("test", "site1", settings=settings)
    assert not copy.dist.exists()


def test_watch_and_runserver_show_what_is_compiled_as_soon_as_it_is(copy: Site, tmp_path: Path) -> None:
    copy.write({"static/css/site.scss": "$c: red; a { b: $c }"})
    with (copy.folder / "site1/settings.py").open("a") as settings:
        settings.write(
            "STATICFILES_FINDERS = [\n"
            '    "assetbuild.integrations.django.finders.ArtifactFinder",\n'
            '    "django.contrib.staticfiles.finders.FileSystemFinder",\n'
            '    "django.contrib.staticfiles.finders.AppDirectoriesFinder",\n'
            "]\n"
        )

    def sheet(url: str) -> str:
        (href,) = re.findall(r"href='([^']+)'", get(f"{url}/page/")[2])
        return get(url + href)[2]

    command = ["assetbuild", "watch", "--", PYTHON, "manage.py", "runserver", "127.0.0.1:PORT", "--noreload"]
    with running(copy, tmp_path, *command) as (url, process):
        assert "b: red" in sheet(url)
        copy.write({"static/css/site.scss": "$c: green; a { b: $c }"})
        end = time.monotonic() + PATIENCE
        while "b: green" not in sheet(url):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
    assert "assetbuild.W004" in copy.manage("check", "--tag", "staticfiles", "--deploy", settings="site1.production").stderr


# ---- production


def test_a_server_does_not_start_without_an_artifact_and_a_command_does(copy: Site) -> None:
    copy.write({"site1/production.py": PRODUCTION.replace('"whitenoise.middleware.WhiteNoiseMiddleware", ', "")})

    def start(module: str) -> subprocess.CompletedProcess[str]:
        environ = copy.environment("site1.production")
        command = [PYTHON, "-c", f"import site1.{module}"]
        return subprocess.run(command, cwd=copy.folder, env=environ, capture_output=True, text=True, check=False)

    for module in ("wsgi", "asgi"):
        last = start(module).stderr.splitlines()[-1]
        assert last.endswith("dist/manifest.json: there is no such file; run `manage.py assetbuild compile`")
    ran = copy.manage("check", "--tag", "staticfiles", "--deploy", settings="site1.production")
    assert (ran.returncode, "assetbuild.E004" in ran.stderr) == (1, True)
    copy.done("assetbuild", "compile", settings="site1.production")
    assert [start(module).returncode for module in ("wsgi", "asgi")] == [0, 0]


def test_whitenoise_serves_fingerprinted_files_for_ever_and_compressed(admin: Site, tmp_path: Path) -> None:
    assets = admin.assets()
    with gunicorn(admin, tmp_path, "site1.production") as url:
        for name in ("admin/css/base.css", "admin/js/core.js", "admin/img/icon-yes.svg"):
            status, headers, _ = get(f"{url}/static/{assets[name]['path']}")
            assert status == 200
            assert headers["cache-control"] == "max-age=315360000, public, immutable"
        request = urllib.request.Request(
            f"{url}/static/{assets['admin/css/base.css']['path']}", headers={"Accept-Encoding": "gzip"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.headers["content-encoding"] == "gzip"
        assert get(f"{url}/static/admin/css/base.css")[0] == 404


def log_in(page: Visit, url: str) -> None:
    # A field that is filled before the page's `autofocus` is obeyed is a message on the console.
    page.page.wait_for_function("document.activeElement.id == 'id_username'")
    page.page.fill("#id_username", SUPERUSER["DJANGO_SUPERUSER_USERNAME"])
    page.page.fill("#id_password", SUPERUSER["DJANGO_SUPERUSER_PASSWORD"])
    page.page.click("[type=submit]")
    page.page.wait_for_url(url)
    page.page.wait_for_load_state("networkidle")


def look_at(page: Visit, url: str) -> None:
    page.page.goto(url, wait_until="networkidle")


#: Django's page for a new user has `autofocus`, and its change_form.js sets the focus too: which comes first is chance.
DJANGOS_OWN = "info: Autofocus processing was blocked because a document already has a focused element."


def assert_clean(page: Visit, least: int) -> None:
    """Nothing failed, nothing was said, and what came from /static/ is fingerprinted."""
    assert [(answer.status, answer.url) for answer in page.answers if answer.status >= 400] == []
    assert ([said for said in page.console if said != DJANGOS_OWN], page.errors, page.failed) == ([], [], [])
    static = {answer.url for answer in page.answers if "/static/" in answer.url}
    assert len(static) >= least
    assert [url for url in static if not re.search(r"\.[0-9a-f]{12}\.\w+$", url)] == []


def test_the_admin_from_an_artifact_in_chromium(admin: Site, browser: Browser, tmp_path: Path) -> None:
    with gunicorn(admin, tmp_path, "site1.production") as url, visit(browser, f"{url}/admin/login/?next=/admin/") as page:
        log_in(page, f"{url}/admin/")
        for path in (
            "auth/user/",
            "auth/user/?q=ada&is_staff__exact=1",
            "auth/user/add/",
            "auth/user/1/change/",
            "auth/group/add/",
        ):
            look_at(page, f"{url}/admin/{path}")
        assert page.page.evaluate("getComputedStyle(document.querySelector('#header')).display") == "flex"
        assert page.page.locator(".selector-available").count() == 1  # SelectFilter2.js has run.
        page.page.click(".theme-toggle")
        look_at(page, f"{url}/page/")
        assert_clean(page, 20)


def test_debug_toolbar_and_rest_framework_from_an_artifact_in_chromium(admin: Site, browser: Browser, tmp_path: Path) -> None:
    with gunicorn(admin, tmp_path, "site1.tools") as url, visit(browser, f"{url}/admin/login/?next=/api/users/") as page:
        log_in(page, f"{url}/api/users/")
        page.page.click("#djHideToolBarButton")
        page.page.click("a[name=raw-tab]")
        page.page.wait_for_selector("#post-generic-content-form.active")  # Bootstrap's script has run.
        look_at(page, f"{url}/api/users/1/")
        look_at(page, f"{url}/admin/auth/user/")
        page.page.click("#djShowToolBarButton")
        page.page.click("#djdt-SQLPanel a")
        page.page.wait_for_selector("#SQLPanel .djdt-scroll *")
        page.page.wait_for_load_state("networkidle")
        assert_clean(page, 20)


# ---- the oldest Django


def _missing(reason: str) -> None:
    # On a continuous integration server a test that cannot run is a failure, not a footnote.
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


OLD = """
INSTALLED_APPS = ["assetbuild.integrations.django", *INSTALLED_APPS]
INSTALLED_APPS.remove("django.contrib.admin")
STATIC_ROOT = BASE_DIR / "dist"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_STORAGE = "assetbuild.integrations.django.storage.AssetStorage"
DEBUG = False
"""


def test_it_works_with_django_4_2_and_with_the_setting_that_was_there_before_storages(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    install = [PYTHON, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", str(packages), "Django>=4.2,<5"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        _missing(f"Django 4.2 cannot be installed: {done.stderr[-500:]}")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(packages), str(ROOT)])}
    version = subprocess.run([PYTHON, "-m", "django", "--version"], env=environ, capture_output=True, text=True, check=True)
    assert version.stdout.startswith("4.2")
    site = Site(tmp_path / "site")
    site.folder.mkdir()
    subprocess.run([PYTHON, "-m", "django", "startproject", "site1", "."], cwd=site.folder, env=environ, check=True)
    settings = (site.folder / "site1/settings.py").read_text("utf-8")
    site.write({"site1/settings.py": settings + OLD, "static/a.css": "a{}", "site1/urls.py": "urlpatterns = []\n"})
    said = site.done("assetbuild", "compile", PYTHONPATH=str(packages))
    assert "1 file," in said
    said = site.done("check", "--deploy", "--tag", "staticfiles", PYTHONPATH=str(packages))
    assert "no issues" in said
    words = ["-n0", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "pytest"), "tests/test_django.py"]
    ran = subprocess.run([PYTHON, "-m", "pytest", *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-5000:]
