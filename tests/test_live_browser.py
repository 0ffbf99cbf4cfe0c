"""Live reload as a developer sees it: a real Chromium, a page of an application on another port, the server driven by hand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from assetbuild import Assets
from assetbuild.dev.live import Changes, LiveReload
from assetbuild.errors import Problem
from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.long

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{0}"/>'


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Site:
    """A folder as `assetbuild watch` would leave it, the application that serves it, and the live-reload server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live = LiveReload(port=0)
        self.live.start()
        self.names: dict[str, str] = {}
        self.number = 0
        self.loads = 0
        self.build({"a.css": "body{color:rgb(1,1,1)}", "b.svg": SVG.format(10), "c.js": "window.c=1"})
        self.assets = Assets(folder, auto_reload=True)
        self.server = make_server("127.0.0.1", 0, self.application, Threaded, Quiet)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def build(self, files: dict[str, str], *, tell: bool = True) -> None:
        self.number += 1
        changes: dict[str, tuple[str | None, str | None]] = {}
        for name, text in files.items():
            stem, _, ending = name.rpartition(".")
            public = f"{stem}.{self.number}.{ending}"
            (self.folder / public).write_text(text)
            changes[name] = (self.names.get(name), public)
            self.names[name] = public
        integrity = "sha256-" + "A" * 43 + "="
        assets = {
            n: {"path": p, "integrity": integrity, "size": 1, "type": TYPES[n[-3:].strip(".")]} for n, p in self.names.items()
        }
        manifest = {"version": 1, "mode": "development", "digest": f"d{self.number}", "base_url": "/static/", "previous": []}
        (self.folder / "new").write_text(json.dumps({**manifest, "assets": assets, "live_reload": self.live.url}))
        (self.folder / "new").replace(self.folder / "manifest.json")
        if tell:
            self.live.rebuilt(Changes(f"d{self.number}", changes))

    def application(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/static/"):
            name = path.removeprefix("/static/")
            start_response("200 OK", [("Content-Type", TYPES[name[-3:].strip(".")])])
            return [(self.folder / name).read_bytes()]
        if path != "/":
            start_response("404 Not Found", [])
            return [b""]
        self.loads += 1
        url, nonce = self.assets.url, "abc"
        policy = f"default-src 'self'; script-src 'nonce-{nonce}' 'self'; connect-src {self.live.url.split('/client.js')[0]}"
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy)])
        return [
            f'<!doctype html><link rel="stylesheet" href="{url("a.css")}">'
            '<p>text</p><canvas height="5000"></canvas>'
            f'<img src="{url("b.svg")}" srcset="{url("b.svg")} 1x, {url("b.svg")} 2x"><script src="{url("c.js")}"></script>'
            f"{self.assets.live_reload_tag(nonce=nonce)}".encode()
        ]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.live.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    made.set_default_timeout(10_000)
    yield made
    made.close()


def until(page: Page, condition: str) -> None:
    """Asks again and again, from outside: wait_for_function() evaluates in the page, which the page's policy forbids."""
    from playwright.sync_api import Error

    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if page.evaluate(condition):
                return
        except Error as error:  # the page is being left
            if "context" not in str(error):
                raise
        page.wait_for_timeout(10)
    pytest.fail(f"never: {condition}")


def opened(context: BrowserContext, site: Site) -> Page:
    """A page that has heard of the server: it knows it by a problem that came and went."""
    page = context.new_page()
    page.goto(site.url)
    site.live.failed([Problem("", 0, 0, "hello")])
    until(page, "document.querySelector('assetbuild-problems')")
    site.live.rebuilt(Changes(f"d{site.number}", {}))
    until(page, "!document.querySelector('assetbuild-problems')")
    page.evaluate("window.kept = 1")
    return page


def colour(page: Page, number: int) -> None:
    until(page, f"document.body && getComputedStyle(document.body).color === 'rgb({number}, {number}, {number})'")


def test_a_changed_sheet_and_image_are_swapped_without_a_page_load(context: BrowserContext, site: Site) -> None:
    page = opened(context, site)
    colour(page, 1)
    page.evaluate("document.querySelector('link').integrity = 'sha256-x'")
    for number in (2, 3, 4):
        site.build({"a.css": f"body{{color:rgb({number},{number},{number})}}"})
    colour(page, 4)
    until(page, "document.querySelectorAll('link').length === 1")
    # A drawing of several parts is named with the part, in either way of writing it.
    page.evaluate(
        """url => document.body.insertAdjacentHTML('beforeend',
        `<svg><use href="${url}?x#one"/></svg><svg><use xlink:href="${url}#other"/></svg>`)""",
        site.assets.url("b.svg"),
    )
    site.build({"b.svg": SVG.format(20)})
    until(page, "document.querySelector('img').naturalWidth === 20")
    assert page.get_attribute("img", "srcset") == "/static/b.5.svg 1x, /static/b.5.svg 2x".replace(
        "/static/", f"{site.url}static/"
    )
    used = page.evaluate("[...document.querySelectorAll('use')].map(one => one.href.baseVal)")
    assert used == [f"{site.url}static/b.5.svg?x#one", f"{site.url}static/b.5.svg#other"]
    assert (page.evaluate("window.kept"), site.loads) == (1, 1)


def test_a_changed_script_reloads_the_page_once_and_keeps_its_place(context: BrowserContext, site: Site) -> None:
    page = opened(context, site)
    page.evaluate("window.scrollTo(0, 1234)")
    until(page, "window.scrollY === 1234")
    site.build({"c.js": "window.c=2", "a.css": "body{color:rgb(7,7,7)}"})
    until(page, "window.c === 2")
    colour(page, 7)
    until(page, "window.scrollY === 1234")
    site.build({"a.css": "body{color:rgb(8,8,8)}"})
    colour(page, 8)
    assert (page.evaluate("window.kept"), site.loads) == (None, 2)


def test_an_error_is_shown_as_text_and_goes_when_it_is_mended(context: BrowserContext, site: Site) -> None:
    page = opened(context, site)
    site.live.failed([Problem("a.css", 3, 7, '"<img src=x onerror=window.bad=1>" is missing', "mend <b>it</b>")])
    until(page, "document.querySelector('assetbuild-problems')")
    text = page.evaluate("document.querySelector('assetbuild-problems').shadowRoot.textContent")
    assert 'a.css:3:7"<img src=x onerror=window.bad=1>" is missingmend <b>it</b>' in text
    assert page.evaluate("document.querySelector('assetbuild-problems').shadowRoot.querySelector('img, b')") is None
    site.build({"a.css": "body{color:rgb(9,9,9)}"})
    colour(page, 9)
    until(page, "!document.querySelector('assetbuild-problems')")
    assert (page.evaluate("window.kept"), page.evaluate("window.bad"), site.loads) == (1, None, 1)


def test_ten_tabs_follow_and_share_one_channel(context: BrowserContext, site: Site) -> None:
    pages = [opened(context, site) for _ in range(10)]
    assert len(site.live._channels) == 1
    site.build({"a.css": "body{color:rgb(5,5,5)}"})
    for page in pages:
        colour(page, 5)
    # The one with the channel goes; another takes it over.
    pages.pop(0).close()
    site.build({"a.css": "body{color:rgb(6,6,6)}"})
    for page in pages:
        colour(page, 6)
    assert site.loads == 10


def test_pages_connect_again_after_a_restart_and_reload_where_they_are_stale(context: BrowserContext, site: Site) -> None:
    page = opened(context, site)
    url = site.live.url
    site.live.stop()
    site.build({"a.css": "body{color:rgb(3,3,3)}"}, tell=False)
    site.live = LiveReload(resume=url)
    site.live.start()
    assert site.live.url == url
    site.live.rebuilt(Changes(f"d{site.number}", {}))
    colour(page, 3)
    assert site.loads == 2


def test_an_application_that_keeps_the_old_manifest_is_not_reloaded_for_ever(context: BrowserContext, site: Site) -> None:
    page = opened(context, site)
    site.assets = Assets(site.folder)
    site.build({"c.js": "window.c=2"})
    until(page, "!window.kept")
    page.wait_for_load_state()
    site.live.failed([Problem("", 0, 0, "hello")])
    until(page, "document.querySelector('assetbuild-problems')")
    site.live.rebuilt(Changes(f"d{site.number}", {}))
    until(page, "!document.querySelector('assetbuild-problems')")
    assert site.loads == 2


def test_a_tab_that_has_given_up_tries_again_for_one_that_is_opened(context: BrowserContext, site: Site) -> None:
    first = context.new_page()
    first.clock.install()
    tried: list[str] = []
    first.on("requestfailed", lambda request: tried.append(request.url))
    first.goto(site.url)
    site.live.failed([Problem("", 0, 0, "hello")])
    until(first, "document.querySelector('assetbuild-problems')")
    url = site.live.url
    site.live.stop()
    end = time.monotonic() + 30
    while len(tried) < 69:  # And the channel that was cut off.
        assert time.monotonic() < end
        first.clock.run_for(10_000)
        first.wait_for_timeout(2)
    site.build({"a.css": "body{color:rgb(4,4,4)}"}, tell=False)
    site.live = LiveReload(resume=url)
    site.live.start()
    site.live.rebuilt(Changes(f"d{site.number}", {}))
    assert not site.live._channels
    opened(context, site)
    colour(first, 4)
    assert site.loads == 3, "what the first one knew before was no reason to load the second one again"
