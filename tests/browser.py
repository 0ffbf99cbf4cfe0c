"""Chromium as a judge: a page is opened as a visitor would open it, and what the browser said about it comes back as data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

EXECUTABLE = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: the URL asked for, the status, and the headers with names in lower case."""

    url: str
    status: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that is open, and what has happened on it so far; the lists grow while the page lives.

    console: "type: text" of each console message. errors: uncaught exceptions. answers: every response, in order.
    failed: "URL: reason" of each request without one.
    """

    page: Page
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def goto(self, url: str) -> None:
        """Opens a URL in the same page, until it is there with all that its text names; what happened before is forgotten."""
        self.page.goto("about:blank")
        for happened in (self.console, self.errors, self.answers, self.failed):
            happened.clear()
        self.page.goto(url, wait_until="load")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A running Chromium without a window; skips the test where it or Playwright's driver is missing, and fails it where
    the environment has CI. arguments: more for its command line."""
    if not EXECUTABLE.exists():
        _missing(f"{EXECUTABLE} is not installed")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        _missing(f"playwright cannot be imported: {error}")
    driver = sync_playwright()
    try:
        playwright = driver.start()
    except (Error, OSError) as error:
        _missing(f"playwright's driver does not start: {error}")
    try:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=[*_ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()
    finally:
        playwright.stop()


@contextmanager
def visit(browser: Browser, url: str, prepare: Callable[[Page], object] | None = None) -> Iterator[Visit]:
    """Opens a URL in a fresh profile, waits until the network has been quiet for half a second, and closes it in the end.

    prepare: what is to be done with the page before anything is asked for.
    """
    with tab(browser) as record:
        if prepare is not None:
            prepare(record.page)
        record.page.goto(url, wait_until="networkidle")
        yield record


@contextmanager
def tab(browser: Browser) -> Iterator[Visit]:
    """An empty page in a fresh profile, for one URL after another by `goto`: a profile costs half a second."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    try:
        record = Visit(context.new_page())
        _listen(record.page, record)
        yield record
    finally:
        context.close()


def _listen(page: Page, record: Visit) -> None:
    def on_console(message: ConsoleMessage) -> None:
        record.console.append(f"{message.type}: {message.text}")

    def on_error(error: Exception) -> None:
        record.errors.append(str(error))

    def on_response(response: Response) -> None:
        record.answers.append(Answer(response.url, response.status, response.headers))

    def on_failure(request: Request) -> None:
        record.failed.append(f"{request.url}: {request.failure}")

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("response", on_response)
    page.on("requestfailed", on_failure)


def _missing(reason: str) -> NoReturn:
    # On a continuous integration server a judge that does not sit is a failure, not a footnote.
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
