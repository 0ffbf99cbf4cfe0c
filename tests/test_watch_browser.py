"""A developer's day in a real Chromium: the sample project under `assetbuild watch --live-reload`, and Flask's reloader."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium
from tests.server import free_port
from tests.test_live_browser import until
from tests.test_sample import SAMPLE, environment

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = 30.0
PANEL = "document.querySelector('assetbuild-problems')"


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE):
            return True
    except OSError:
        return False


class Day:
    """The project's copy, and where it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("dist", ".assetbuild", "__pycache__"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        # What `flask run --debug` does, but that its reloader observes every folder of Python's, and a machine that runs tests
        # has too many events there.
        code = f"import app; app.create_app().run(port={port}, debug=True, reloader_type='stat')"
        (folder / "serve.py").write_text(code)
        flask = [sys.executable, "serve.py"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "assetbuild", "watch", "--live-reload", "--live-reload-port", "0", "--", *flask],
            cwd=folder,
            env=environment(FLASK_DEBUG="1"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not answers(self.url):
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def add(self, name: str, text: str) -> str:
        """Append to a file; returns what it held."""
        file = self.folder / name
        before = file.read_text()
        file.write_text(before + text)
        return before


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path / "project")
    yield made
    made.process.terminate()  # Which ends the server too, as a kill would not.
    made.process.wait(PATIENCE)


@pytest.fixture
def page(day: Day) -> Iterator[Page]:
    with chromium() as browser:
        opened = browser.new_page()
        opened.set_default_timeout(1000 * PATIENCE)
        opened.goto(day.url)
        opened.evaluate("window.kept = 1")
        yield opened


@pytest.mark.long
def test_edits_come_to_the_page_and_errors_over_it(day: Day, page: Page) -> None:
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    day.add("assets/css/site.css", "\nbody { outline-color: rgb(1, 2, 3) }")
    until(page, "document.body && getComputedStyle(document.body).outlineColor === 'rgb(1, 2, 3)'")
    assert page.evaluate("window.kept") == 1, "the page was not loaded again"

    sheet = day.add("assets/css/site.css", "\nbody { background: url(../img/gone.png) }")
    until(page, PANEL)
    said = page.evaluate(f"{PANEL}.shadowRoot.textContent")
    assert "assets/css/site.css" in said
    assert "gone.png" in said
    (day.folder / "assets/css/site.css").write_text(sheet)
    until(page, f"!{PANEL}")
    assert page.evaluate("window.kept") == 1

    day.add("assets/js/scale.js", "\nwindow.edited = 1;")
    until(page, "window.edited === 1")
    assert page.evaluate("window.kept") is None, "a module changed, so the page was loaded again"
    assert heard == []

    # Flask begins anew, with the manifest that is there, and pages that are open go on.
    day.add("minerals.py", "\nMINERALS = MINERALS[:1]\n")
    deadline = time.monotonic() + PATIENCE
    while page.goto(day.url) and page.locator("li.card").count() != 1:
        assert time.monotonic() < deadline, page.content()
        time.sleep(0.1)
    page.evaluate("window.kept = 2")
    day.add("assets/css/site.css", "\nbody { outline-color: rgb(4, 5, 6) }")
    until(page, "document.body && getComputedStyle(document.body).outlineColor === 'rgb(4, 5, 6)'")
    assert page.evaluate("window.kept") == 2

    day.process.send_signal(signal.SIGINT)
    assert day.process.wait(PATIENCE) == 130
    assert not answers(day.url), "the server ended too, with what its reloader had started"
