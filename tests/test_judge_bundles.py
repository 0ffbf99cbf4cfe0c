"""Bundles held against a browser: a page with the parts one by one and a page with the bundle come to the same end."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Visit, chromium, tab
from tests.conftest import Project
from tests.npm import packages

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def page() -> Iterator[Visit]:
    """One page for all the cases: each has a server of its own, so that nothing of one is there for another."""
    with chromium() as browser, tab(browser) as opened:
        yield opened


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


# What every element, and what stands before and behind it, looks like, without what tells the two pages apart: port, folder
# and fingerprints. A digest of it, since a page has a million of these values.
STYLES = """(whole) => {
  for (const animation of document.getAnimations()) { animation.pause(); animation.currentTime = 300; }
  const digest = (text) => {
    let hash = 0;
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    return hash;
  };
  // A custom property is a text, in which a minifier drops blanks; what it is for is in the others.
  const names = [...getComputedStyle(document.body)].filter((name) => !name.startsWith("--"));
  return [...document.querySelectorAll('body, body *')].flatMap((element) => ['', '::before', '::after'].map((pseudo) => {
    const style = getComputedStyle(element, pseudo || null);
    const said = names.map((name) => name + ':' + style.getPropertyValue(name)).join(';')
      .replace(/http:..127.0.0.1:[0-9]+.(assets|dist)./g, '').replace(/[.][0-9a-f]{12}(?=[.])/g, '');
    return element.tagName + '.' + (element.getAttribute('class') || '') + pseudo + ' ' + (whole ? said : digest(said));
  }));
}"""


def document(head: str, body: str) -> str:
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title>{head}<body>{body}</body></html>"


def judge_css(page: Visit, project: Project, parts: Sequence[str], body: str, configuration: str = "") -> None:
    contents = f'[bundles."css/all.css"]\ncontents = {json.dumps(list(parts))}\n'
    project.write({"assetbuild.toml": configuration + contents}).compile()
    heads = {
        "apart": "".join(f'<link rel=stylesheet href="assets/{part}">' for part in parts),
        "bundle": f'<link rel=stylesheet href="dist/{project.public("css/all.css")}">',
        "bare": "",
    }
    project.write({f"{name}.html": document(head, body) for name, head in heads.items()})

    def computed(name: str, whole: bool) -> list[str]:
        page.goto(f"{url}/{name}.html")
        styles: list[str] = page.page.evaluate(STYLES, whole)
        return styles

    with served(project.folder) as url:
        expected, found, bare = (computed(name, False) for name in heads)
        assert expected != bare, "the parts style nothing here: this case shows nothing"
        if expected != found:
            pairs = zip(computed("apart", True), computed("bundle", True), strict=True)
            told = [[two for two in zip(e.split(";"), f.split(";"), strict=False) if two[0] != two[1]] for e, f in pairs]
            pytest.fail(f"{[t[:3] for t in told if t][:3]}\n{project.text('css/all.css')[:2000]}")


BODY = (
    "<h1 class='a b' id=h>one<b class=c>two</b></h1><p class='a c'>three</p><div class=b><i class='a'>four</i></div>"
    "<svg width=9 height=9 class=a><a class=s><rect width=5 height=5 /></a></svg><a class=s href=#>five</a>"
    "<ul class=c><li class=a>x<li class='b c'>y</ul><input class=a disabled>"
)

HARD: dict[str, tuple[Mapping[str, str], list[str]]] = {
    "a rule without its closing brace": ({"1.css": ".a{color:red", "2.css": ".b{color:blue}"}, ["1.css", "2.css"]),
    "a media block without its closing braces": (
        {"1.css": "@media screen{.a{color:red;background:rgb(1,2,3", "2.css": ".b{color:blue}"},
        ["1.css", "2.css"],
    ),
    "a selector without a block at the end": ({"1.css": ".a{color:red} .a", "2.css": ".b{color:blue}"}, ["1.css", "2.css"]),
    "a stray closing brace": ({"1.css": ".a{color:red}}", "2.css": ".b{color:blue} .a{margin:9px}"}, ["1.css", "2.css"]),
    "a stray closing brace in an imported sheet with a condition": (
        {"1.css": "@import 'x.css' screen; .a{color:red}", "x.css": "} .a{margin:7px} .b{margin:3px}"},
        ["1.css"],
    ),
    "a semicolon behind a rule": ({"1.css": ".a{color:red};", "2.css": ".b{color:blue} .a{margin:9px}"}, ["1.css", "2.css"]),
    "an at-rule without its semicolon": (
        {"1.css": "@layer x, y", "2.css": "@layer y{.a{color:red}} @layer x{.a{color:blue}}"},
        ["1.css", "2.css"],
    ),
    "an unknown at-rule without its semicolon": (
        {"1.css": ".b{color:red} @foo bar", "2.css": ".a{color:blue}"},
        ["1.css", "2.css"],
    ),
    "a URL without its parenthesis": (
        {"1.css": ".a{color:red;background:url(x.png", "x.png": "P", "2.css": ".b{color:blue}"},
        ["1.css", "2.css"],
    ),
    "comment delimiters of HTML": (
        {"1.css": "<!-- .a{color:red} -->", "2.css": "@import 'x.css' screen;", "x.css": "<!-- .b{color:blue} -->"},
        ["1.css", "2.css"],
    ),
    "a byte order mark in the middle": ({"1.css": ".b{color:red}", "2.css": "\ufeff.a{color:blue}"}, ["1.css", "2.css"]),
    "charsets": ({"1.css": ".b{color:red}", "2.css": '@charset "utf-8";.a::before{content:"ä"}'}, ["1.css", "2.css"]),
    "an import chain": (
        {
            "1.css": "@import 'x.css';.a{color:red}",
            "x.css": "@import 'y.css';.a{color:lime;margin:1px}",
            "y.css": ".a{margin:2px;top:3px}",
        },
        ["1.css"],
    ),
    "the same sheet imported twice": (
        {
            "1.css": "@import 'x.css';@import 'y.css';@import 'x.css';",
            "x.css": ".a{color:red}",
            "y.css": ".a{color:blue;margin:4px}",
        },
        ["1.css"],
    ),
    "the same sheet imported by two parts": (
        {
            "1.css": "@import 'x.css';.b{color:lime}",
            "2.css": "@import 'x.css';.c{color:blue}",
            "x.css": ".a{color:red}.b{color:red}.c{color:red}",
        },
        ["1.css", "2.css"],
    ),
    "the same sheet imported under two conditions": (
        {
            "1.css": "@import 'x.css' print;@import 'y.css';@import 'x.css' screen;",
            "x.css": ".a{color:red}",
            "y.css": ".a{color:blue}",
        },
        ["1.css"],
    ),
    "a part that another part imports": (
        {"1.css": ".a{color:red}.b{color:red}", "2.css": ".a{color:lime}", "3.css": "@import '1.css';.b{color:blue}"},
        ["1.css", "2.css", "3.css"],
    ),
    "a cycle of imports": (
        {"1.css": "@import '2.css';.a{color:red}", "2.css": "@import '1.css';.a{color:blue;margin:1px}"},
        ["1.css", "2.css"],
    ),
    "a cycle under conditions": (
        {"1.css": "@import '2.css' screen;.a{color:red}", "2.css": "@import '1.css' screen;.a{color:blue;margin:1px}"},
        ["2.css", "1.css"],
    ),
    "a sheet that imports itself": ({"1.css": "@import '1.css' screen;.a{color:red}"}, ["1.css"]),
    "media, supports and layer nested in a chain": (
        {
            "1.css": "@import 'x.css' layer(outer) supports(display: grid) screen and (min-width: 10px);.a{margin:1px}",
            "x.css": "@import url(y.css) layer(inner) supports((color: red) and (not (foo: bar))) (max-width: 9000px);"
            ".a{color:red}",
            "y.css": ".a{color:blue;margin:5px;padding:3px}",
        },
        ["1.css"],
    ),
    "conditions that do not hold": (
        {
            "1.css": "@import 'x.css' print;@import 'y.css' supports(foo: bar);@import 'z.css' (max-width: 1px);.b{color:red}",
            "x.css": ".a{color:red}",
            "y.css": ".a{margin:9px}",
            "z.css": ".a{padding:9px}",
        },
        ["1.css"],
    ),
    "conditions that mean nothing": (
        {
            "1.css": "@import 'x.css' foo bar;@import 'y.css' supports();"
            "@import 'z.css' layer(a b);@import 'w.css' layer();.b{top:1px}",
            **{f"{name}.css": f".a{{color:red}} .{name}{{margin:9px}}" for name in "xyzw"},
        },
        ["1.css"],
    ),
    "a selector as a condition": (
        {"1.css": "@import 'x.css' supports(selector(:has(a)));.b{top:1px}", "x.css": ".a{color:red}"},
        ["1.css"],
    ),
    "an anonymous layer with imports below it": (
        {
            "1.css": "@import 'x.css' layer;.b{color:red}",
            "x.css": "@import 'y.css';.a{color:red}",
            "y.css": "h1.a.b{color:blue;margin:3px}",
        },
        ["1.css"],
    ),
    "two anonymous layers of the same sheet": (
        {
            "1.css": "@import 'x.css' layer;@import 'y.css' layer(n);@import 'x.css' layer;",
            "x.css": ".a{color:red;margin:1px !important}",
            "y.css": ".a{color:blue;margin:2px !important}",
        },
        ["1.css"],
    ),
    "the first of two imports settles the order of layers": (
        {
            "1.css": "@import 'x.css' layer(x);@import 'y.css' layer(y);@import 'x.css' layer(x);",
            "x.css": ".a{color:red}",
            "y.css": ".a{color:blue}",
        },
        ["1.css"],
    ),
    "layer statements before and between imports": (
        {
            "1.css": "@layer x, y;@import 'y.css' layer(y);@import 'x.css' layer(x);.b{top:1px}",
            "x.css": "@layer p, q;@layer q{.a{color:red}}@layer p{.a{color:lime}}",
            "y.css": ".a{color:blue}",
            "2.css": "@layer q, x;@layer q{.a{margin:8px}}@layer x{.a{margin:9px}}",
        },
        ["1.css", "2.css"],
    ),
    "an outside import": (
        {"1.css": "@import 'data:text/css,.a{color:red;margin:3px}';.a{color:blue}"},
        ["1.css"],
    ),
    "an outside import below a conditional one": (
        {
            "1.css": "@import 'x.css' screen;@import 'y.css' print;.b{top:1px}",
            "x.css": "@import 'data:text/css,.a{color:red}' (min-width: 1px);.a{margin:3px}",
            "y.css": "@import 'data:text/css,.a{color:lime}';.a{margin:9px}",
        },
        ["1.css"],
    ),
    "an outside import below two conditions": (
        {
            "1.css": "@import 'x.css' layer supports(color: red) screen;.b{top:1px}",
            "x.css": "@import 'data:text/css,.a{color:red}' layer(i) (min-width: 1px);h1.a{color:blue;margin:3px}",
        },
        ["1.css"],
    ),
    "layer statements of an earlier part before an outside import": (
        {
            "1.css": "@layer x, y;",
            "2.css": "@import 'data:text/css,.a{color:red}' layer(y);@import 'x.css' layer(x);",
            "x.css": ".a{color:blue}",
            "3.css": "@layer z, x2;@import 'data:text/css,.a{margin:1px}' layer(x2);@layer z{.a{margin:2px}}",
        },
        ["1.css", "2.css", "3.css"],
    ),
    "an outside import in a layer behind an imported one": (
        {
            "1.css": "@import 'x.css' layer(x);@import 'data:text/css,.a{color:red}' layer(y);.b{top:1px}",
            "x.css": ".a{color:blue}",
        },
        ["1.css"],
    ),
    "an outside import in a layer behind layers of an earlier part": (
        {
            "1.css": "@import 'x.css' layer(o) screen;@layer p{.a{color:blue}} @layer q, r;",
            "x.css": "@import 'y.css' layer(i);h1{left:1px}",
            "y.css": ".a{margin:5px}",
            "2.css": "@import 'data:text/css,.a{margin:1px}' layer(o.h);@import 'data:text/css,.a{color:red}' layer(q);"
            "@layer r{.a{top:1px}}",
            "3.css": "@import 'data:text/css,.a{top:2px}' layer(q);",
        },
        ["1.css", "2.css", "3.css"],
    ),
    "an outside import in a layer behind one under a condition that does not hold": (
        {
            "1.css": "@import 'x.css' layer(x) print;@import 'data:text/css,.a{color:red}' layer(y);@layer x{.a{color:blue}}",
            "x.css": ".a{color:lime}",
        },
        ["1.css"],
    ),
    "braces in a condition": (
        {"1.css": "@import 'x.css' supports(--x: {a:b});.b{color:red}", "x.css": ".a{margin:7px}"},
        ["1.css"],
    ),
    "names of layers in any form": (
        {
            "1.css": "@import 'x.css' layer(l1/* base */);@import 'y.css' layer(/**/l2/**/.l3);@import 'z.css' layer(\\6c 1);"
            "@layer l2{.a{top:1px}}",
            "x.css": ".a{color:red;margin:3px}",
            "y.css": ".a{color:blue;top:2px}",
            "z.css": ".a{color:lime;margin:4px}",
        },
        ["1.css"],
    ),
    "imports of the sheet itself": ({"1.css": "@import '';@import '#f';@import url();.a{color:red}"}, ["1.css"]),
    "sheets without layers imported again beside layers": (
        {
            "1.css": "@import 'x.css';@import 'y.css';@import 'l.css' layer(l);@import 'x.css';",
            "x.css": ".a{color:red}",
            "y.css": ".a{color:blue;margin:4px}",
            "l.css": "@import 'x.css';h1.a{margin:1px}",
        },
        ["1.css"],
    ),
    "an import below other rules": (
        {"1.css": ".a{color:red} @import 'x.css'; .b{color:blue}", "x.css": ".a{margin:9px}"},
        ["1.css"],
    ),
    "an import behind an unknown rule": (
        {"1.css": "@foo bar;@import 'x.css'; .b{color:blue}", "x.css": ".a{margin:9px}"},
        ["1.css"],
    ),
    "an import behind invalid rules": (
        {
            "1.css": "@-ms-viewport{width:device-width} @foo{.a{top:1px}} {} %%{} @import 'x.css'{} @property --x{}"
            '@charset "utf-8" {} .c:foo{left:1px} @import "y.css" print{} @namespace; @import \'x.css\';.b{color:blue}',
            "x.css": ".a{margin:9px}",
            "y.css": ".a{color:lime}",
        },
        ["1.css"],
    ),
    "an import behind a namespace": (
        {
            "1.css": "@namespace h 'http://www.w3.org/1999/xhtml';@import 'x.css';h|a{color:blue}",
            "x.css": ".a{margin:9px}",
        },
        ["1.css"],
    ),
    "an import behind a valid rule behind an invalid one": (
        {"1.css": "@foo{} .b{color:blue} @import 'x.css';", "x.css": ".a{margin:9px}"},
        ["1.css"],
    ),
    "an import behind an invalid import and a layer statement": (
        {
            "1.css": "@import foo;@layer l, m;@import 'x.css' layer(m);@layer l{.a{color:red}}",
            "x.css": ".a{margin:9px;color:blue}",
        },
        ["1.css"],
    ),
    "a namespace behind invalid rules": (
        {
            "1.css": "@layer l; @foo{} @import 'x.css'; %%{} @namespace h 'http://www.w3.org/1999/xhtml';h|a{color:blue}",
            "x.css": ".a{margin:9px}",
        },
        ["1.css"],
    ),
    "a namespace behind a layer statement behind an import": (
        {
            "1.css": "@import 'x.css'; @layer l; @namespace h 'http://www.w3.org/1999/xhtml';h|a{color:blue}",
            "x.css": ".a{margin:9px}",
        },
        ["1.css"],
    ),
    "an import behind a layer statement behind an import": (
        {
            "1.css": "@import 'x.css';@layer l;@import 'y.css'; .b{color:blue}",
            "x.css": ".a{margin:9px}",
            "y.css": ".a{margin:1px}",
        },
        ["1.css"],
    ),
    "imports in any form": (
        {
            "1.css": "@IMPORT url(x.css);@import/**/\"y.css\"/**/;@\\69mport url('z.css')screen;"
            '@import src("w.css");.b{color:blue}',
            "x.css": ".a{margin:9px}",
            "y.css": ".a{top:1px}",
            "z.css": ".a{left:4px}",
            "w.css": ".a{right:4px}",
        },
        ["1.css"],
    ),
    "namespaces with prefixes": (
        {
            "1.css": ".b{color:red}",
            "2.css": "@namespace svg 'http://www.w3.org/2000/svg';svg|a{color:blue}",
            "3.css": "@namespace svg url(http://www.w3.org/2000/svg);@namespace h 'http://www.w3.org/1999/xhtml';"
            "h|a{margin:5px} svg|rect{fill:red}",
        },
        ["1.css", "2.css", "3.css"],
    ),
    "the same default namespace in all": (
        {
            "1.css": "@namespace 'http://www.w3.org/2000/svg';a{color:red}",
            "2.css": "@import 'x.css' screen;@namespace url(http://www.w3.org/2000/svg);*{fill:blue}",
            "x.css": "@namespace 'http://www.w3.org/2000/svg';a{top:3px}",
        },
        ["1.css", "2.css"],
    ),
    "references in other folders": (
        {
            "1.css": "@import 'deep/x.css';.b{background:url(p.png)}",
            "deep/x.css": "@import '../other/y.css';.a{background-image:url('../p.png?q#f')}",
            "other/y.css": ".c{background:image-set('q.png' 1x, \"../p.png\" type('image/png') 2x);"
            "list-style-image:url(\\71.png)}",
            "p.png": "P",
            "other/q.png": "Q",
        },
        ["1.css"],
    ),
    "keyframes, nesting, custom properties and font faces": (
        {
            "1.css": "@keyframes k{from{top:0}to{top:9px}} .a{animation:k 1s paused;--x:{a:b};--y: 3px ;& .c{color:red}}",
            "2.css": "@keyframes k{from{top:5px}} .a{margin:var(--y)} @font-face{font-family:F;src:url(f.woff2)} "
            ".b{font-family:F}",
            "f.woff2": "F",
        },
        ["1.css", "2.css"],
    ),
}


@pytest.mark.parametrize("case", HARD)
def test_a_bundle_of_style_sheets_styles_a_page_as_its_parts_do(page: Visit, project: Project, case: str) -> None:
    files, parts = HARD[case]
    project.write({f"assets/{name}": text for name, text in files.items()})
    judge_css(page, project, parts, BODY)


REAL = {
    "bootstrap": ["bootstrap/dist/css/bootstrap.css", "bootstrap/dist/css/bootstrap-utilities.css"],
    "bulma": ["bulma/css/bulma.css"],
    "katex": ["katex/dist/katex.css"],
    "fontawesome": ["@fortawesome/fontawesome-free/css/all.css", "@fortawesome/fontawesome-free/css/v4-shims.css"],
    "leaflet": ["leaflet/dist/leaflet.css"],
}
FOLDERS = {
    "katex": "katex/dist",
    "fontawesome": "@fortawesome/fontawesome-free",
    "leaflet": "leaflet/dist",
    "bootstrap": "bootstrap/dist/css",
    "bulma": "bulma/css",
}


def body_for(sheets: Sequence[str]) -> str:
    """An element for each of a hundred or so of the classes that the sheets name, and one of each common kind."""
    named = sorted({name for text in sheets for name in re.findall(r"\.(-?[A-Za-z_][\w-]*)", text)})
    classes = named[:: len(named) // 150 + 1]
    kinds = "h1 h2 p a b code pre table tr td th ul ol li input button select textarea label fieldset legend hr img small"
    return "".join(f"<{kind}></{kind}>" for kind in kinds.split()) + "".join(
        f'<div class="{c}"><a class="{c}">x</a></div>' for c in classes
    )


def vendored(project: Project, names: Sequence[str]) -> list[str]:
    """Copies the packages' folders into the sources; the style sheets' paths there."""
    parts = []
    for name in names:
        folder = packages() / FOLDERS[name]
        for file in folder.rglob("*"):
            wanted = file.suffix in (".woff2", ".woff", ".ttf", ".png") or f"{file.relative_to(packages())}" in REAL[name]
            if file.is_file() and wanted:
                target = project.folder / "assets" / file.relative_to(packages())
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        parts += REAL[name]
    return parts


@pytest.mark.parametrize(
    "names", [["bootstrap"], ["bulma"], ["katex", "leaflet"], ["fontawesome"], ["bootstrap", "katex", "fontawesome"]]
)
def test_real_style_sheets_in_a_bundle_style_a_page_as_they_do_apart(page: Visit, project: Project, names: list[str]) -> None:
    parts = vendored(project, names)
    sheets = [(packages() / part).read_text() for part in parts]
    quiet = "missing = 'ignore'\ncompress = []\n"
    judge_css(page, project, parts, body_for(sheets), quiet)


# What a script says about itself when it has run.
STATE = "() => JSON.stringify(window.state)"
START = "<script>window.state = []</script>"


def judge_js(page: Visit, project: Project, files: Mapping[str, str], parts: Sequence[str]) -> list[Any]:
    contents = f'[bundles."js/all.js"]\ncontents = {json.dumps(list(parts))}\n'
    project.write({f"assets/{name}": text for name, text in files.items()})
    project.write({"assetbuild.toml": "compress = []\n" + contents}).compile()
    apart = START + "".join(f'<script src="assets/{part}"></script>' for part in parts)
    one = START + f'<script src="dist/{project.public("js/all.js")}"></script>'
    project.write({"parts.html": document(apart, ""), "bundle.html": document(one, "")})
    states = []
    with served(project.folder) as url:
        for name in ("parts.html", "bundle.html"):
            page.goto(f"{url}/{name}")
            states.append((json.loads(page.page.evaluate(STATE)), list(page.errors)))
    assert states[0] == states[1], project.text("js/all.js")
    state: list[Any] = states[0][0]
    assert state
    return state


SCRIPTS: dict[str, Mapping[str, str]] = {
    "no line end, and a function called by mistake": {
        "1.js": "var a = function () { state.push('called') }",
        "2.js": "(function () { state.push('ran') })()",
    },
    "a line comment at the end": {"1.js": "state.push(1) // the end", "2.js": "state.push(2)"},
    "a lone carriage return behind a comment": {"1.js": "state.push(1) // the end\r", "2.js": "state.push(2)"},
    "an HTML-like comment at the end and at the beginning": {
        "1.js": "state.push(1) <!-- the end",
        "2.js": "--> the beginning\nstate.push(2)",
    },
    "an array, a template and a division behind an expression": {
        "1.js": "var b = [[1]], i = 1, g = 1; state.push(b)",
        "2.js": "var c = b\n",
        "3.js": "[0].forEach(() => state.push('each'))",
        "4.js": "var d = c",
        "5.js": "`x`.length; state.push(d)",
        "6.js": "var e = i",
        "7.js": "/x/g.test('x') && state.push(e)",
        "8.js": "var f = 1",
        "9.js": "++i; state.push(f, i)",
    },
    "a statement that wants no semicolon": {
        "1.js": "function f() { return 1 }",
        "2.js": "if (f()) { state.push(f()) }",
        "3.js": "do state.push(3); while (0)",
        "4.js": "for (;;) { break }",
        "5.js": "class A {}",
        "6.js": "(state.push(typeof A))",
    },
    "strict mode in all": {
        "1.js": "'use strict'; state.push((function () { return this === undefined })())",
        "2.js": '/* so */ "use strict"\nvar two = 2; state.push((function () { return this === undefined })(), window.two)',
    },
    "strict mode in a later part does not reach an earlier one": {
        "1.js": "undeclared = 1; state.push(undeclared)",
        "2.js": "'use strict'; var two = 2; function three() {} state.push(window.two, typeof window.three)",
        "3.js": "other = 3; state.push(other, (function () { return this === window })())",
    },
    "strict mode in the first part does not reach the others": {
        "1.js": "'use strict'; var one = 1; state.push(window.one)",
        "2.js": "undeclared = 2; state.push(undeclared, 010, (function () { return this === window })())",
    },
    "comments and directives before a directive": {
        "1.js": "// a license\n",
        "2.js": "'use strict'; state.push(typeof two)",
        "3.js": "two = 2; state.push(two)",
    },
    "a text that only looks like a directive": {
        "1.js": "'use strict' + state.push(1)",
        "2.js": "'use strict'\n.length; loose = 2; state.push(loose)",
    },
    "a hashbang and a byte order mark": {
        "1.js": "\ufeffstate.push(1)",
        "2.js": "#!/usr/bin/env node\nstate.push(2)",
        "3.js": "\ufeffstate.push(3)",
    },
    "globals of all kinds": {
        "1.js": "var one = 1; let two = 2; const three = 3; function four() { return 4 } class Five {}",
        "2.js": "state.push(one, two, three, four(), typeof Five, window.one, window.two, window.four === four)",
    },
    "nothing but comments": {"1.js": "/* a */", "2.js": "// b", "3.js": "state.push(3)"},
    "nothing": {"1.js": "", "2.js": "state.push(2)", "3.js": "\n"},
    "a form feed behind a line comment": {"1.js": "state.push(1); // the end\f", "2.js": "state.push(2)"},
    "a directive behind an HTML-like comment": {
        "1.js": "<!-- x\n'use strict'; state.push(1)",
        "2.js": "loose = 2; state.push(loose)",
        "3.js": "  --> y\n'use strict'; state.push(3)",
    },
    "strict mode in all that have a token": {
        "1.js": "/* a license */",
        "2.js": "'use strict'; state.push((function () { return this === undefined })())",
        "3.js": "// the end",
        "4.js": "<!-- old\n'use strict'\nstate.push((function () { return this === undefined })())",
    },
    "names that parts share without harm": {
        "1.js": "var one = 1, both = 1\nfunction two() { return 2 }\nif (one) { var inner = 1; let block = 1 }",
        "2.js": "var one = one || 3, two = two || 4; { let block = 2 }\nfor (let i of [1]) state.push(i)\nvar x = class A {}",
        "3.js": "class A {} var y = function two() {}; let i = 5; state.push(one, two(), both, i, typeof A)",
    },
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_bundle_of_scripts_ends_as_its_parts_do(page: Visit, project: Project, case: str) -> None:
    files = SCRIPTS[case]
    judge_js(page, project, files, list(files))


def test_real_scripts_in_a_bundle_end_as_they_do_apart(page: Visit, project: Project) -> None:
    names = ["leaflet/dist/leaflet-src.js", "htmx.org/dist/htmx.js", "chart.js/dist/chart.umd.js", "alpinejs/dist/cdn.js"]
    files = {name.replace("/", "-"): (packages() / name).read_text() for name in names if (packages() / name).exists()}
    assert len(files) > 1
    last = "state.push(...['L', 'htmx', 'Chart', 'Alpine'].map((n) => typeof window[n]), Object.keys(window).sort().join())"
    state = judge_js(page, project, {**files, "last.js": last}, [*files, "last.js"])
    assert "object" in state or "function" in state
