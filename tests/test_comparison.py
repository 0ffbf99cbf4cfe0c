"""The table that compares assetbuild with other tools says what these do: each is run, with its defaults, on the same files.

Vite and esbuild are of another world and are not installed for this; how their columns were checked stands on the page.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import rjsmin

from tests.conftest import Project
from tests.test_docs import environment

SHEET = 'body { background: url("../img/a.svg") }\n'
LOST = 'body { background: url("../img/gone.svg") }\n'
#: What rjsmin 1.3.0 cuts in two.
SCRIPT = "var f = s => /[//]/.test(s); g();\n"
FILES = {
    "assets/css/app.css": SHEET,
    "assets/css/more.css": "p { color: red }\n" * 50,
    "assets/img/a.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    "assets/js/app.js": 'import { b } from "./b.js";\nb();\n',
    "assets/js/b.js": "export function b() {}\n",
    "assets/js/script.js": SCRIPT,
}
CYCLE = {"assets/js/b.js": 'import "./app.js";\nexport function b() {}\n'}


@pytest.fixture
def site(project: Project) -> Project:
    return project.write(FILES)


def run(site: Project, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", script, *arguments]
    return subprocess.run(command, cwd=site.folder, env=environment(), capture_output=True, text=True, check=False)


def found(site: Project, pattern: str) -> list[str]:
    """The texts of the files that were made."""
    return [file.read_text("utf-8") for file in sorted((site.folder / "out").glob(pattern))]


# ---- assetbuild


def test_assetbuild_rewrites_references_in_sheets_and_modules_cycles_too(site: Project) -> None:
    site.write(CYCLE).compile()
    assert "a.svg" not in site.text("css/app.css")
    assert site.public("js/b.js").removeprefix("js/") in site.text("js/app.js")


def test_assetbuild_publishes_a_script_that_its_minifier_would_damage_whole(site: Project) -> None:
    site.compile()
    assert site.text("js/script.js").endswith("g();")
    assert len(site.text("js/script.js")) < len(SCRIPT)


# ---- Django and WhiteNoise

COLLECT = """
import sys
from django.conf import settings

settings.configure(
    STATIC_URL="/static/",
    STATIC_ROOT="out",
    STATICFILES_DIRS=["assets"],
    INSTALLED_APPS=["django.contrib.staticfiles"],
    STORAGES={"staticfiles": {"BACKEND": sys.argv[1]}},
)
import django
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command

ManifestStaticFilesStorage.support_js_module_import_aggregation = "modules" in sys.argv
django.setup()
call_command("collectstatic", interactive=False, verbosity=0)
"""
DJANGO = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
WHITENOISE = "whitenoise.storage.CompressedManifestStaticFilesStorage"


@pytest.mark.parametrize("storage", [DJANGO, WHITENOISE])
def test_django_rewrites_sheets_and_with_an_option_modules_but_not_cycles(site: Project, storage: str) -> None:
    done = run(site, COLLECT, storage)
    assert done.returncode == 0, done.stderr
    assert "a.svg" not in found(site, "css/app.*.css")[0]
    (module,) = found(site, "js/app.*.js")
    assert '"./b.js"' in module
    assert found(site, "js/script.*.js") == [SCRIPT], "nothing is minified"
    assert bool(list((site.folder / "out").glob("css/more.*.css.gz"))) == (storage == WHITENOISE)

    assert run(site, COLLECT, storage, "modules").returncode == 0
    assert any('"./b.js"' not in module for module in found(site, "js/app.*.js"))
    site.write(CYCLE)
    assert "passes exceeded" in run(site, COLLECT, storage, "modules").stderr


def test_django_sees_only_imports_that_end_in_a_semicolon(site: Project) -> None:
    site.write({"assets/js/app.js": 'import { b } from "./b.js"\nb()\n'})
    assert run(site, COLLECT, DJANGO, "modules").returncode == 0
    assert all('"./b.js"' in module for module in found(site, "js/app.*.js"))


@pytest.mark.parametrize("storage", [DJANGO, WHITENOISE])
def test_django_refuses_a_missing_file_in_a_sheet(site: Project, storage: str) -> None:
    site.write({"assets/css/app.css": LOST})
    done = run(site, COLLECT, storage)
    assert done.returncode != 0
    assert "gone.svg" in done.stderr


# ---- django-compressor

COMPRESS = """
import sys
from django.conf import settings

settings.configure(
    STATIC_URL="/static/",
    STATIC_ROOT="assets",
    COMPRESS_ENABLED=True,
    COMPRESS_ROOT="assets",
    INSTALLED_APPS=["django.contrib.staticfiles", "compressor"],
    STATICFILES_FINDERS=["compressor.finders.CompressorFinder"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
import django

django.setup()
from django.template import engines

tags = {"css": '<link rel="stylesheet" href="/static/%s">', "js": '<script src="/static/%s"></script>'}
kind = sys.argv[1]
inner = "".join(tags[kind] % name for name in sys.argv[2:])
text = "{% load compress %}{% compress " + kind + " file %}" + inner + "{% endcompress %}"
print(engines["django"].from_string(text).render())
"""


def compressed(site: Project, *words: str) -> str:
    """The one file that comes of rendering a template."""
    done = run(site, COMPRESS, *words)
    assert done.returncode == 0, done.stderr
    made: str
    (made,) = re.findall(r"(?:href|src)=\"/static/(CACHE/[^\"]+)\"", done.stdout)
    return (site.folder / "assets" / made).read_text("utf-8")


def test_compressor_joins_and_minifies_when_a_template_is_rendered(site: Project) -> None:
    text = compressed(site, "css", "css/app.css", "css/more.css")
    assert "p{color:red}" in text
    assert re.search(r"url\(\"/static/img/a\.svg\?\w+\"\)", text), "the image keeps its name, with a query"


def test_compressor_passes_over_what_is_missing(site: Project) -> None:
    site.write({"assets/css/app.css": LOST})
    assert "gone.svg" in compressed(site, "css", "css/app.css")


def test_compressor_leaves_imports_and_takes_rjsmins_output_as_it_is(site: Project) -> None:
    assert '"./b.js"' in compressed(site, "js", "js/app.js")
    assert "g()" not in compressed(site, "js", "js/script.js") or rjsmin.__version__ != "1.3.0"


# ---- webassets

BUNDLE = """
import sys
from webassets import Bundle, Environment

env = Environment("assets", "/static")
filters, output, *contents = sys.argv[1:]
env.register("it", Bundle(*contents, filters=filters, output=f"../out/{output}"))
print(env["it"].urls(calculate_sri=True))
"""


def bundled(site: Project, *words: str) -> tuple[str, str]:
    """What asking for a bundle's URL prints, and the file that comes of it."""
    done = run(site, BUNDLE, *words)
    assert done.returncode == 0, done.stderr
    (text,) = found(site, "*")
    return done.stdout, text


def test_webassets_builds_when_the_url_is_asked_for(site: Project) -> None:
    said, text = bundled(site, "cssrewrite,rcssmin", "it.css", "css/app.css", "css/more.css")
    assert "'sri': 'sha" in said, "it gives integrity too"
    assert "p{color:red}" in text
    assert "/img/a.svg" in text, "the image keeps its name"


def test_webassets_gives_no_integrity_where_the_version_is_in_the_name(site: Project) -> None:
    assert "'sri': None" in bundled(site, "rcssmin", "it.%(version)s.css", "css/more.css")[0]


def test_webassets_passes_over_what_is_missing(site: Project) -> None:
    site.write({"assets/css/app.css": LOST})
    assert "gone.svg" in bundled(site, "cssrewrite", "it.css", "css/app.css")[1]


def test_webassets_leaves_imports_and_takes_rjsmins_output_as_it_is(site: Project) -> None:
    assert '"./b.js"' in bundled(site, "rjsmin", "it.js", "js/app.js")[1]


@pytest.mark.skipif(rjsmin.__version__ != "1.3.0", reason="the page speaks of 1.3.0")
def test_webassets_publishes_what_rjsmin_damaged(site: Project) -> None:
    assert "g()" not in bundled(site, "rjsmin", "it.js", "js/script.js")[1]
