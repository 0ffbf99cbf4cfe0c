"""Sphinx's configuration. `sphinx-build -W --keep-going -n -b html docs docs/_build/html` builds the site; see .ci/run.

Strict means: a warning fails the build, a link to a page or a heading that is not there is a warning, and when all is built
each page is looked at once more: it loads nothing from another host, and all that it links to is there.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from pygments.lexers.html import XmlLexer
from sphinx.application import Sphinx
from sphinx.util import logging

project = "assetbuild"
author = "the authors of assetbuild"
project_copyright = author
extensions = ["myst_parser"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "assetbuild"
html_static_path = ["static"]
html_css_files = ["own.css"]
# Only what stands in these pages: no index of nothing, no copies of the sources.
html_use_index = False
html_copy_source = False
html_show_sphinx = False
# Nothing of the machine or of the day: the same pages give the same site.
html_last_updated_fmt = None

# The same anchors as on the pages that code hosting shows of these files.
myst_heading_anchors = 3


def look_at_the_pages(app: Sphinx, exception: Exception | None) -> None:
    """Warns of everything that is wrong; with -W that fails the build."""
    if exception or app.builder.name != "html":
        return
    top = Path(app.outdir)
    pages = {file: file.read_text("utf-8") for file in sorted(top.rglob("*.html"))}
    names = {file: set(re.findall(r'\b(?:id|name)="([^"]+)"', text)) for file, text in pages.items()}
    wrong = []
    for file, text in pages.items():
        where = file.relative_to(top).as_posix()
        for tag, attribute, url in re.findall(r'<(\w+)\b[^>]*?\s(href|src)="([^"]*)"', text):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                if parts.scheme != "data" and (tag != "a" or attribute != "href"):
                    wrong.append(f"{where}: {tag} loads {url}")
                continue
            target = top / unquote(urlsplit(urljoin("/" + where, url)).path.lstrip("/"))
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                wrong.append(f"{where}: there is no {url}")
            elif parts.fragment and target in names and unquote(parts.fragment) not in names[target]:
                wrong.append(f"{where}: nothing is called {url}")
    for file in sorted(top.rglob("*.css")):
        wrong += (
            f"{file.relative_to(top)}: {url}" for url in re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)", file.read_text())
        )
    for what in wrong:
        logging.getLogger(__name__).warning(what)


def setup(app: Sphinx) -> None:
    app.add_lexer("svg", XmlLexer)
    app.connect("build-finished", look_at_the_pages)
