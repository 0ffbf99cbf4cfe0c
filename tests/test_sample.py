"""The sample project, compiled by the real command, served by a real process, looked at by a real browser."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest

import assetbuild
from tests.browser import Visit, chromium, tab, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.long

PACKAGE = Path(assetbuild.__file__).parent
SAMPLE = Path(__file__).parent.parent / "sample_project"
STARTUP = 60.0  # seconds after which a server that has not answered counts as dead
FINGERPRINT = re.compile(r"\.([0-9a-f]{12})(?:\.|$)")


@dataclass(frozen=True, slots=True)
class Site:
    """The running sample: where it answers, and the artifact from which it was started."""

    url: str
    artifact: Path

    @property
    def assets(self) -> dict[str, dict[str, Any]]:
        """Logical path → what the manifest says of it."""
        assets: dict[str, dict[str, Any]] = json.loads((self.artifact / "manifest.json").read_bytes())["assets"]
        return assets

    def public_url(self, logical_path: str) -> str:
        return f"{self.url}/static/{self.assets[logical_path]['path']}"


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would steer assetbuild or Flask elsewhere; its children import the same
    assetbuild as it does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASSETBUILD_", "FLASK_"))}
    return {**kept, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", **more}


def command(*words: str, output: Path, project: Path = SAMPLE) -> subprocess.CompletedProcess[str]:
    """`assetbuild …` in the project's folder; output and cache lie elsewhere."""
    return subprocess.run(
        [sys.executable, "-m", "assetbuild", *words],
        cwd=project,
        env=environment(ASSETBUILD_OUTPUT=str(output), ASSETBUILD_CACHE_DIR=f"{output}.cache"),
        capture_output=True,
        text=True,
        check=False,
    )


def get(url: str) -> tuple[int, Message, bytes]:
    with urllib.request.urlopen(url, timeout=STARTUP) as response:
        return response.status, response.headers, response.read()


@contextmanager
def serving(artifact: Path, log: Path, **variables: str) -> Iterator[Site]:
    """The Flask application as a process of its own, on a port that the system chose."""
    words = [sys.executable, "-m", "flask", "--app", str(SAMPLE / "app.py"), "run", "--port", "0"]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            words,
            env=environment(ASSETBUILD_OUTPUT=str(artifact), SECRET_KEY="of a test", **variables),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + STARTUP
        while not (found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the application did not start:\n{log.read_text()}")
            time.sleep(0.05)
        get(found[1])
        yield Site(found[1], artifact)
    finally:
        process.terminate()
        process.wait(STARTUP)


@dataclass(frozen=True, slots=True)
class Build:
    """What `assetbuild compile` made of the sample, and what it said."""

    artifact: Path
    said: str


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    output = tmp_path_factory.mktemp("sample") / "dist"
    done = command("compile", output=output)
    assert done.returncode == 0, done.stderr
    return Build(output, done.stderr)


@pytest.fixture(scope="module")
def artifact(build: Build) -> Path:
    return build.artifact


@pytest.fixture(scope="module")
def site(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(artifact, tmp_path_factory.mktemp("log") / "server.log") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def shared(browser: Browser) -> Iterator[Visit]:
    """A page in which one URL is opened after another, for what no visit before can change."""
    with tab(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def home(site: Site, browser: Browser) -> Iterator[Visit]:
    """The front page as it stands after loading; the tests that share it only look."""
    with visit(browser, f"{site.url}/") as opened:
        # A busy machine is quiet for half a second before the modules have come to their end.
        opened.page.wait_for_selector("html[data-modules=ready]", state="attached")
        yield opened


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sri(data: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Modification time (nanoseconds) and digest of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, sha256(path.read_bytes())) for path in files}


def asked(opened: Visit) -> list[str]:
    """The paths below /static/ that the page has asked for."""
    return [path for answer in opened.answers if (path := urlsplit(answer.url).path).startswith("/static/")]


# ---- the command line ----


def test_the_artifact_passes_its_own_verification(artifact: Path) -> None:
    done = command("verify", "--production", output=artifact)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_compile_changes_nothing(artifact: Path, tmp_path: Path) -> None:
    copy = tmp_path / "dist"
    shutil.copytree(artifact, copy)
    before = snapshot(copy)
    done = command("compile", output=copy)
    assert done.returncode == 0, done.stderr
    assert snapshot(copy) == before


def test_the_library_that_the_minifier_alone_would_break_is_published_whole(build: Build, site: Site) -> None:
    """rjsmin 1.3.0 would join two fields of a class in htmx, `#current = null` and `#queue = []`, each on its own line."""
    library = "vendor/htmx-4.0.1/htmx.js"
    published = get(site.public_url(library))[2]
    assert re.search(rb"#current\s*=\s*null\s*[\n;]\s*#queue\s*=", published)
    assert len(published) < (SAMPLE / "assets" / library).stat().st_size
    assert "warning" not in build.said


def test_what_the_minifier_keeps_whole_is_published_smaller(site: Site) -> None:
    for path in ("css/site.css", "css/base.css", "js/main.js", "js/scale.js", "js/template.js"):
        assert site.assets[path]["size"] < (SAMPLE / "assets" / path).stat().st_size


# ---- the artifact as it is served ----


def test_every_asset_answers_under_a_name_that_is_its_digest(site: Site) -> None:
    for logical_path, asset in site.assets.items():
        status, _, data = get(site.public_url(logical_path))
        assert status == 200
        assert len(data) == asset["size"]
        assert sri(data) == asset["integrity"]
        name = FINGERPRINT.search(asset["path"])
        if logical_path == "robots.txt":
            assert name is None
        else:
            assert name is not None, asset["path"]
            assert asset.get("group", sha256(data)).removeprefix("sha256-").startswith(name[1])


def test_exactly_the_modules_that_import_one_another_share_a_group(site: Site) -> None:
    groups = {path: asset["group"] for path, asset in site.assets.items() if "group" in asset}
    assert set(groups) == {"js/model/family.js", "js/model/mineral.js"}
    assert len(set(groups.values())) == 1


def test_fingerprinted_names_may_be_kept_for_ever_and_no_others(site: Site) -> None:
    for logical_path in site.assets:
        _, headers, _ = get(site.public_url(logical_path))
        kept = headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert kept == (logical_path != "robots.txt"), logical_path


def test_assets_are_served_with_the_type_that_the_manifest_names(site: Site) -> None:
    for logical_path, asset in site.assets.items():
        if Path(logical_path).suffix:
            _, headers, _ = get(site.public_url(logical_path))
            assert headers.get_content_type() == asset["type"], logical_path


def test_robots_txt_answers_at_the_top_as_it_was_written(site: Site) -> None:
    assert get(f"{site.url}/robots.txt")[2] == (SAMPLE / "assets/robots.txt").read_bytes()


def test_the_web_manifest_leads_to_its_icons(site: Site) -> None:
    _, _, page = get(f"{site.url}/")
    link = re.search(r'<link rel="manifest" href="([^"]+)">', page.decode())
    assert link is not None
    url = urljoin(site.url, link[1])
    icons = json.loads(get(url)[2])["icons"]
    assert [urljoin(url, icon["src"]) for icon in icons] == [
        site.public_url("img/icon-192.png"),
        site.public_url("img/icon-512.png"),
    ]
    for icon in icons:
        assert get(urljoin(url, icon["src"]))[2].startswith(b"\x89PNG")


def test_serving_and_looking_leaves_the_artifact_untouched(artifact: Path, tmp_path: Path, browser: Browser) -> None:
    before = snapshot(artifact)
    with serving(artifact, tmp_path / "log") as running, visit(browser, running.url):
        pass
    assert snapshot(artifact) == before


def test_the_licences_of_what_is_not_ours_are_published_with_it(site: Site) -> None:
    for licence, words in {
        "vendor/htmx-4.0.1/LICENSE": b"Zero-Clause BSD",
        "fonts/fraunces-OFL.txt": b"SIL Open Font License",
        "fonts/inter-OFL.txt": b"SIL Open Font License",
    }.items():
        assert words in get(site.public_url(licence))[2]


# ---- the page in the browser ----


@pytest.mark.parametrize("path", ["/", "/mineral/almandine", "/?q=halides"])
def test_the_browser_has_nothing_to_complain_of(site: Site, browser: Browser, path: str) -> None:
    with visit(browser, site.url + path) as opened:
        assert opened.console == []
        assert opened.errors == []
        assert opened.failed == []
        assert {answer.status for answer in opened.answers} == {200}


def test_what_the_browser_complains_of_is_heard(site: Site, browser: Browser) -> None:
    with visit(browser, f"{site.url}/mineral/unobtainium") as opened:
        assert [answer.status for answer in opened.answers][:1] == [404]
        assert [line for line in opened.console if "404" in line]
        opened.page.evaluate("() => { setTimeout(() => { throw new Error('thrown for the test') }) }")
        opened.page.evaluate("() => { document.body.append(Object.assign(new Image(), {src: '//localhost:1/a.png'})) }")
        opened.page.wait_for_timeout(500)
        assert [error for error in opened.errors if "thrown for the test" in error]
        assert [failure for failure in opened.failed if "localhost:1/a.png" in failure]


def test_one_artifact_works_under_another_base_url(artifact: Path, tmp_path: Path, browser: Browser) -> None:
    with (
        serving(artifact, tmp_path / "log", ASSETBUILD_BASE_URL="/deeper/down") as running,
        visit(browser, running.url) as opened,
    ):
        assert opened.page.get_attribute("html", "data-modules") == "ready"
        assert [opened.console, opened.errors, opened.failed] == [[], [], []]
        assert {answer.status for answer in opened.answers} == {200}
        assert len([a for a in opened.answers if a.url.startswith(f"{running.url}/deeper/down/")]) >= 19
        assert not asked(opened)


def test_every_preload_is_used(site: Site, browser: Browser) -> None:
    """Chromium warns of an unused preload some seconds after loading; one that is unused on purpose tells when it did."""
    decoy = f'<link rel="preload" as="image" href="{site.public_url("img/icon-512.png")}"></head>'

    def add_decoy(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace("</head>", decoy))

    with visit(browser, f"{site.url}/", lambda page: page.route(f"{site.url}/", add_decoy)) as opened:
        deadline = time.monotonic() + STARTUP
        while not any("icon-512" in line for line in opened.console) and time.monotonic() < deadline:
            opened.page.wait_for_timeout(100)
        opened.page.wait_for_timeout(200)
        assert len(opened.console) == 1
        assert "icon-512" in opened.console[0]
        assert "preload" in opened.console[0]


def test_whatever_the_page_asks_for_is_of_this_site_and_named_by_its_digest(site: Site, home: Visit) -> None:
    public = {f"/static/{asset['path']}": path for path, asset in site.assets.items()}
    assert all(answer.url.startswith(f"{site.url}/") for answer in home.answers)
    assert set(asked(home)) <= set(public)
    assert all(FINGERPRINT.search(path) for path in asked(home))
    assert {public[path] for path in asked(home)} >= {
        "css/site.css",
        "css/base.css",
        "css/print.css",
        "data/families.json",
        "fonts/fraunces.woff2",
        "fonts/inter.woff2",
        "img/agate.webp",
        "img/grain.png",
        "img/mark.svg",
        "img/sprite.svg",
        "img/strata.webp",
        "js/main.js",
        "js/model/family.js",
        "js/model/mineral.js",
        "js/scale.js",
        "js/shortcuts.js",
        "js/template.js",
        "js/theme.js",
        "vendor/htmx-4.0.1/htmx.js",
    }


def test_every_stylesheet_and_script_has_the_integrity_of_its_bytes(home: Visit) -> None:
    elements: list[list[str]] = home.page.evaluate(
        """() => [...document.querySelectorAll("link[rel=stylesheet], script")]
            .map(element => [element.href ?? element.src, element.integrity])"""
    )
    assert len(elements) == 5
    for url, integrity in elements:
        assert integrity == sri(get(url)[2]), url


def test_nothing_is_written_into_the_page_that_its_policy_would_refuse(site: Site) -> None:
    _, headers, page = get(f"{site.url}/")
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert not re.search(rb"<style|<script(?![^>]* src=)|\s(?:style|on\w+)=", page)


def test_the_page_keeps_its_client_side_templates_beside_jinja(site: Site, home: Visit) -> None:
    source = get(f"{site.url}/")[2].decode()
    assert "<h3>{{ name }}</h3>" in source
    assert "<<" not in source
    assert "{{" not in home.page.inner_text("body")


def test_the_modules_ran_and_those_that_import_one_another_too(home: Visit) -> None:
    assert home.page.get_attribute("html", "data-modules") == "ready"
    assert home.page.locator("[data-families] .members").all_inner_texts() == [
        "Quartz, Almandine",
        "Calcite, Malachite",
        "Fluorite, Halite",
        "Pyrite, on its own here",
        "Gypsum, on its own here",
    ]


def test_the_module_that_is_imported_on_demand_drew_its_picture(home: Visit) -> None:
    assert home.page.locator("[data-scale] rect").count() == 10


def test_a_page_that_does_not_need_that_module_does_not_load_it(site: Site, browser: Browser) -> None:
    with visit(browser, f"{site.url}/mineral/quartz") as opened:
        assert opened.page.get_attribute("html", "data-modules") == "ready"
        assert f"/static/{site.assets['js/main.js']['path']}" in asked(opened)
        assert f"/static/{site.assets['js/scale.js']['path']}" not in asked(opened)


def test_the_classic_scripts_ran(home: Visit) -> None:
    assert home.page.get_attribute("html", "data-theme") == "light"
    assert home.page.get_attribute("html", "data-shortcuts") == "ready"


def test_the_fonts_are_loaded_once_each(site: Site, home: Visit) -> None:
    loaded: list[list[str]] = home.page.evaluate(
        "() => document.fonts.ready.then(fonts => [...fonts].map(font => [font.family, font.status]))"
    )
    assert sorted((family.strip('"'), status) for family, status in loaded) == [
        ("Fraunces", "loaded"),
        ("Inter", "loaded"),
    ]
    # A preload that the stylesheet's own request does not match would fetch the font twice.
    for font in ("fonts/fraunces.woff2", "fonts/inter.woff2"):
        assert asked(home).count(f"/static/{site.assets[font]['path']}") == 1


def test_the_picture_has_its_natural_size(home: Visit) -> None:
    size = home.page.evaluate("() => { const i = document.querySelector('.agate'); return [i.naturalWidth, i.naturalHeight] }")
    assert size == [640, 640]


@pytest.mark.parametrize("symbol", ["quartz", "fluorite", "pyrite", "calcite", "almandine", "gypsum", "halite", "malachite"])
def test_a_symbol_of_the_sprite_is_drawn(site: Site, shared: Visit, symbol: str) -> None:
    shared.page.set_viewport_size({"width": 1280, "height": 900})
    shared.goto(f"{site.url}/mineral/{symbol}")
    crystal = shared.page.locator(".crystal")
    drawn = crystal.screenshot()
    assert crystal.screenshot() == drawn
    crystal.locator("use").evaluate("use => use.setAttribute('href', use.href.baseVal + '-that-is-not-there')")
    assert crystal.screenshot() != drawn


def test_the_vendored_library_fetches_the_list_while_one_types(site: Site, browser: Browser) -> None:
    with visit(browser, f"{site.url}/") as opened:
        page = opened.page
        names = page.locator("#cards h3")
        assert names.count() == 8
        page.keyboard.press("/")
        page.keyboard.type("cubic hal")
        page.wait_for_function("() => document.querySelectorAll('#cards h3').length === 2")
        assert names.all_inner_texts() == ["Fluorite", "Halite"]
        assert opened.answers[-1].url.startswith(site.url)
        assert page.url == f"{site.url}/"
        assert page.evaluate("() => htmx.version") == "4.0.1"
        assert opened.console == []


def test_the_theme_switch_is_remembered(site: Site, browser: Browser) -> None:
    with visit(browser, f"{site.url}/") as opened:
        page = opened.page
        light = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        page.click("[data-theme-switch]")
        assert page.get_attribute("html", "data-theme") == "dark"
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != light
        page.reload()
        assert page.get_attribute("html", "data-theme") == "dark"


def test_the_printed_page_has_no_navigation(site: Site, browser: Browser) -> None:
    with visit(browser, f"{site.url}/") as opened:
        assert opened.page.is_visible(".bar nav")
        opened.page.emulate_media(media="print")
        assert not opened.page.is_visible(".bar nav")


#: Of files with an integrity: a text of one byte's change, and what tells that the file counts.
DAMAGE = {
    "js/main.js": (b"ready", b"reedy", "document.documentElement.dataset.modules"),
    "js/shortcuts.js": (b"ready", b"reedy", "document.documentElement.dataset.shortcuts"),
    "js/theme.js": (b"light", b"lijht", "document.documentElement.dataset.theme"),
    "vendor/htmx-4.0.1/htmx.js": (b"4.0.1", b"4.0.2", "window.htmx"),
    "css/site.css": (
        b"#8b7aa8",
        b"#8b7aa9",
        "document.querySelector('.tint-quartz').computedStyleMap().get('--tint')",
    ),
}


@pytest.fixture(scope="module")
def damaged(artifact: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The front page, from an artifact in which each of these files has one byte changed."""
    folder = tmp_path_factory.mktemp("damaged")
    copy = folder / "dist"
    shutil.copytree(artifact, copy)
    with serving(copy, folder / "log") as running:
        for logical_path, (old, new, _) in DAMAGE.items():
            file = copy / running.assets[logical_path]["path"]
            data = file.read_bytes()
            assert old in data
            file.write_bytes(data.replace(old, new, 1))
            for variant in file.parent.glob(f"{file.name}.*"):  # What a browser would get instead.
                variant.unlink()
        with visit(browser, running.url) as opened:
            yield opened


@pytest.mark.parametrize("logical_path", DAMAGE)
def test_a_file_with_one_byte_changed_is_refused(site: Site, home: Visit, damaged: Visit, logical_path: str) -> None:
    present = f"() => Boolean({DAMAGE[logical_path][2]})"
    assert home.page.evaluate(present)
    assert not damaged.page.evaluate(present)
    name = Path(site.assets[logical_path]["path"]).name
    assert [line for line in damaged.console if "integrity" in line and name in line]


def test_the_whole_page_fits_its_window_and_makes_a_picture(site: Site, browser: Browser, tmp_path: Path) -> None:
    with visit(browser, f"{site.url}/") as opened:
        for width in (1280, 400):
            opened.page.set_viewport_size({"width": width, "height": 900})
            opened.page.screenshot(path=tmp_path / f"home-{width}.png", full_page=True)
            assert (tmp_path / f"home-{width}.png").read_bytes().startswith(b"\x89PNG")
            assert opened.page.evaluate("() => document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("path", ["/", "/?q=nothing+of+the+kind", "/mineral/almandine", "/mineral/malachite", "/nowhere"])
def test_no_page_scrolls_sideways_on_a_telephone(site: Site, shared: Visit, path: str, width: int) -> None:
    shared.page.set_viewport_size({"width": width, "height": 800})
    shared.goto(site.url + path)
    if path == "/":
        shared.page.wait_for_selector("[data-scale] svg")  # What a module draws later.
    assert shared.page.evaluate("() => document.documentElement.scrollWidth") == width


def test_the_chart_can_be_moved_by_keys_where_it_does_not_fit(home: Visit, site: Site, browser: Browser) -> None:
    assert home.page.get_attribute("[data-scale]", "tabindex") is None
    with visit(browser, site.url, lambda page: page.set_viewport_size({"width": 390, "height": 800})) as opened:
        page = opened.page
        page.focus("[data-scale][tabindex='0']")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("() => document.querySelector('[data-scale]').scrollLeft > 0")


def test_the_chart_says_how_it_is_drawn(home: Visit) -> None:
    assert "logarithmic" in home.page.inner_text(".scale figcaption")
    label = home.page.get_attribute("[data-scale] svg", "aria-label")
    assert label is not None
    assert label.endswith("Corundum 400, Diamond 1500")


def test_going_back_shows_the_page_and_not_the_list_that_was_fetched_for_it(site: Site, browser: Browser) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        with urllib.request.urlopen(urllib.request.Request(f"{site.url}/?q=hal", headers=headers)) as answer:
            assert answer.headers["Vary"] == "HX-Request, Cookie"
    with visit(browser, f"{site.url}/?q=halides") as opened:
        page = opened.page
        page.fill("[data-search]", "")
        page.wait_for_function("() => document.querySelectorAll('#cards h3').length === 8")
        page.fill("[data-search]", "halides")
        page.wait_for_function("() => document.querySelectorAll('#cards h3').length === 2")
        page.click("#cards a")
        page.go_back()
        assert page.is_visible("header.bar")


def test_the_hint_of_a_key_is_not_for_those_who_have_none(site: Site, browser: Browser) -> None:
    context = browser.new_context(is_mobile=True, has_touch=True)
    try:
        page = context.new_page()
        page.goto(site.url)
        assert page.is_visible("[data-search]")
        assert not page.is_visible(".search kbd")
    finally:
        context.close()


def test_without_javascript_nothing_is_empty(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(site.url)
        assert page.locator("h2:visible").all_inner_texts() == ["Catalogue", "Hardness"]
        assert page.locator("nav a:visible").all_inner_texts() == ["Catalogue", "Hardness", "Tray"]
        assert not page.is_visible(".scale")
        assert not page.is_visible("[data-theme-switch]")
    finally:
        context.close()


@pytest.mark.parametrize("path", ["/mineral/unobtainium", "/nowhere", "/static/nothing.css"])
def test_what_is_not_there_is_answered_by_a_page_of_the_site(site: Site, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught, urllib.request.urlopen(site.url + path):
        pass
    with caught.value as answer:
        page = answer.read().decode()
    assert answer.code == 404
    assert "<h1>Not in the drawers</h1>" in page
    assert '<a href="/#catalogue">' in page


def test_the_edges_of_a_crystal_are_as_fine_however_large_it_is(site: Site) -> None:
    sprite = ET.fromstring(get(site.public_url("img/sprite.svg"))[2])
    symbols = [symbol for symbol in sprite if symbol.get("viewBox") == "0 0 96 96"]
    assert len(symbols) == 8
    for symbol in symbols:
        for path in symbol.iter("{http://www.w3.org/2000/svg}path"):
            assert path.get("vector-effect") == "non-scaling-stroke"
