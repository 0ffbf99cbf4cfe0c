"""Every filter that webassets has, once, on real input through a whole build: it works, judged by what its output means to
node or to a CSS tokenizer, or it refuses in one sentence that says what to do. docs/filters.md is this table in words."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tinycss2
import tinycss2.color4
import webassets.bundle
import webassets.env
from webassets.filter import _FILTERS
from webassets.filter.jinja2 import Jinja2

from assetbuild import cli
from assetbuild.filters import FilterUnavailableError, Unit, names
from assetbuild.filters.webassets import load
from tests import npm
from tests.conftest import Project, toml

# webassets says that it is typed, and is not.
_Environment: Any = webassets.env.Environment
_Bundle: Any = webassets.bundle.Bundle

# What a text means


def ran(script: str) -> object:
    """The JSON that a script prints when node runs it."""
    done = subprocess.run(["node", "-"], input=script, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def printed(before: str, expression: str) -> Callable[[str], object]:
    """What an expression is behind the script."""
    return lambda script: ran(f"{before}\n{script}\nconsole.log(JSON.stringify({expression}))")


def jade_runtime(script: str) -> object:
    """What jade's runtime answers, whatever was done to its text."""
    questions = (
        "exports.escape('<a href=\"#\">&</a>'), exports.attrs({class: ['x', 'y'], id: 1, a: true}, false), "
        "exports.merge({class: 'a', b: 1}, {class: 'b'}), exports.style({color: 'red'})"
    )
    return printed("", f"[{questions}]")(f"{script}\nexports = module.exports;")


def rules(text: str) -> list[object]:
    """The rules of a style sheet, each a selector or a condition with its declarations or rules."""
    return _rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True))


def _rules(nodes: Iterable[Any]) -> list[object]:
    found: list[object] = []
    for node in nodes:
        assert node.type != "error", node.message
        if node.type == "qualified-rule":
            found.append((_value(node.prelude), _declarations(node.content)))
        elif node.content is None:
            found.append(f"@{node.lower_at_keyword} {_value(node.prelude)}")
        else:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            found.append((f"@{node.lower_at_keyword} {_value(node.prelude)}", _rules(inner)))
    return found


def _declarations(tokens: Iterable[Any]) -> dict[str, str]:
    nodes = tinycss2.parse_declaration_list(tokens, skip_comments=True, skip_whitespace=True)
    assert [node.type for node in nodes] == ["declaration"] * len(nodes)
    return {node.lower_name: _value(node.value) for node in nodes}


def _value(tokens: Iterable[Any]) -> str:
    """Tokens in one spelling: numbers by value, colours by their channels, no white space where it means nothing."""
    text = ""
    for token in tokens:
        colour = tinycss2.color4.parse_color(token)
        if token.type == "comment":
            continue
        if token.type in ("number", "dimension", "percentage"):
            unit = getattr(token, "lower_unit", "%" if token.type == "percentage" else "")
            text += f"{token.value:g}{unit if token.value else ''}"
        elif colour is not None and token.type == "hash":
            text += ",".join(f"{channel:g}" for channel in colour.coordinates)
        elif token.type in ("function", "() block", "[] block"):
            inner = _value(token.arguments if token.type == "function" else token.content)
            text += f"{getattr(token, 'lower_name', token.type[0])}({inner})"
        elif token.type in ("url", "string"):
            text += f"{token.type} {token.value}"
        elif token.type == "whitespace":
            text += " "
        else:
            text += token.serialize()
    return re.sub(r" ?([,>~:]) ?", r"\1", " ".join(text.split()))


# The filters that work


@dataclass(frozen=True)
class Works:
    """A source, and what is to come of it.

    path, text: the source; text is a path in the tools' node_modules where it is no text. made: the logical path of what
    comes of it. meaning, expected: what the result means. others: further files, those below assets/ are read by the filter.
    edit: another text for one of them, with which the result must be another. java: whether it needs Java.
    """

    path: str
    text: str | Path
    made: str
    meaning: Callable[[str], object]
    expected: object
    settings: Mapping[str, object] = field(default_factory=dict)
    others: Mapping[str, str | bytes] = field(default_factory=dict)
    edit: tuple[str, str | bytes] | None = None
    java: bool = False


#: Stands for: means what the source means.
SAME = object()

RUNTIME = Path("jade/runtime.js")
NORMALIZE = Path("normalize.css/normalize.css")
YUI = {"YUI_COMPRESSOR_PATH": "node_modules/yuicompressor/build/yuicompressor-2.4.8.jar"}

LESS = """\
// Variables are in a file of their own.
@import "vars";
.rounded(@radius: 4px) { border-radius: @radius }
.button {
  .rounded(@gap / 2);
  color: @brand;
  &:hover { color: fade(@brand, 50%) }
  @media (min-width: 40em) { padding: @gap }
}
"""
LESS_MEANS = [
    (".button", {"border-radius": "4px", "color": "0.2,0.4,0.6"}),
    (".button:hover", {"color": "rgba(51,102,153,0.5)"}),
    ("@media ((min-width:40em)", [(".button", {"padding": "8px"})]),
]
LESS_VARS = {"assets/css/vars.less": "@brand: #336699;\n@gap: 8px;\n"}

STYLUS = """\
@import "vars"
rounded(radius = 4px)
  border-radius radius
.button
  rounded(gap / 2)
  color brand
  &:hover
    color lighten(brand, 100%)
  @media (min-width: 40em)
    padding gap
"""
STYLUS_MEANS = [
    (".button", {"border-radius": "4px", "color": "0.2,0.4,0.6"}),
    (".button:hover", {"color": "1,1,1"}),
    ("@media ((min-width:40em)", [(".button", {"padding": "8px"})]),
]

SCSS = """\
@import "vars";
@mixin rounded($radius: 4px) { border-radius: $radius }
.button {
  @include rounded($gap * 2);
  color: $brand;
  &:hover { color: #ffffff }
  @media (min-width: 40em) { padding: $gap }
}
"""
SASS = """\
@import vars
=rounded($radius: 4px)
  border-radius: $radius
.button
  +rounded($gap * 2)
  color: $brand
  &:hover
    color: #ffffff
  @media (min-width: 40em)
    padding: $gap
"""
SCSS_MEANS = [
    (".button", {"border-radius": "16px", "color": "0.2,0.4,0.6"}),
    (".button:hover", {"color": "1,1,1"}),
    ("@media ((min-width:40em)", [(".button", {"padding": "8px"})]),
]
SCSS_VARS = {"assets/css/_vars.scss": "$brand: #336699;\n$gap: 8px;\n"}

COFFEE = """\
# The first of a sequence, squared.
square = (x) -> x * x
class Animal
  constructor: (@name) ->
  says: (sound = "nothing") -> "#{@name} says #{sound}"
result = [(square n for n in [1..4] when n isnt 2), new Animal("Rex").says("wuff"), window?]
"""
TYPESCRIPT = """\
interface Point { readonly x: number; y?: number }
enum Axis { X, Y = 5 }
namespace Geometry {
  export function sum(p: Point): number { return p.x + (p.y ?? 10) }
}
class Named<T extends Point> {
  constructor(public name: string, private where: T) {}
  toString(): string { return `${this.name} ${Geometry.sum(this.where)} ${Axis.Y}` }
}
var result = String(new Named<Point>("é", { x: 1 } as Point));
"""
JSX = """\
const Item = ({ name }) => <li className="item">{name}</li>;
const list = <ul>{["a", "b"].map((name) => <Item name={name} />)}</ul>;
"""
REACT = """
const React = { createElement(type, properties, ...children) {
  return typeof type === "function" ? type({ ...properties, children }) : [type, properties, ...children.flat()];
} };
"""
LIST = ["ul", None, ["li", {"className": "item"}, "a"], ["li", {"className": "item"}, "b"]]

TEMPLATE = "<b><%= name %></b>\n<% for (var i = 0; i < items.length; i++) { %><i title='x'><%= items[i] %></i><% } %>\n"
HANDLEBARS = '<b title="it\'s">{{name}}</b>\n{{#each items}}<i>{{this}}</i>{{/each}}\n'
JADE = "p.note Hello #{name}\n  each item in items\n    i= item\n"
SOY = """\
{namespace shop.page}

/**
 * Says hello.
 * @param name Whom to greet.
 */
{template .hello}
<p>Hello {$name}!</p>
{/template}
"""
AMD = 'define(["./tax", "exports"], function (tax, exports) {\n  exports.total = function (n) { return n + tax.of(n); };\n});\n'
AMD_STUB = """
var modules = {};
function define(name, wanted, make) {
  if (make === undefined) { make = wanted; wanted = []; }
  var exports = modules[name] = {};
  var given = wanted.map(function (w) { return w === "exports" ? exports : modules[w.replace("./", "js/")]; });
  var made = typeof make === "function" ? make.apply(null, given) : make;
  if (made) modules[name] = made;
}
"""

POSTCSS = 'module.exports = { plugins: [require("autoprefixer")({ overrideBrowserslist: "safari 14" })] };\n'

WORKS: dict[str, Works] = {
    "autoprefixer6": Works(
        "css/a.css",
        ".a { user-select: none }\n",
        "css/a.css",
        rules,
        [(".a", {"-webkit-user-select": "none", "user-select": "none"})],
        {"AUTOPREFIXER_BROWSERS": ["safari 14"]},
    ),
    "babel": Works("js/list.jsx", JSX, "js/list.js", printed(REACT, "list"), LIST, {"BABEL_PRESETS": "@babel/preset-react"}),
    "cleancss": Works(
        "css/a.css",
        '@import "b.css";\n.a  { color : #ffffff ; margin: 0px }\n/* gone */\n',
        "css/a.css",
        lambda text: [len(rules(text)), *rules(text)[1:]],
        [2, (".a", {"color": "1,1,1", "margin": "0"})],
        others={"assets/css/b.css": "b { color: red }\n"},
    ),
    "closure_js": Works("js/runtime.js", RUNTIME, "js/runtime.js", jade_runtime, SAME, java=True),
    "closure_tmpl": Works(
        "js/page.soy",
        SOY,
        "js/page.js",
        printed("var soy = { $$escapeHtml: function (text) { return '[' + text + ']'; } };", "shop.page.hello({ name: 'x' })"),
        "<p>Hello [x]!</p>",
        java=True,
    ),
    "coffeescript": Works("js/a.coffee", COFFEE, "js/a.js", printed("", "result"), [[1, 9, 16], "Rex says wuff", False]),
    "cssmin": Works("css/normalize.css", NORMALIZE, "css/normalize.css", rules, SAME),
    "cssutils": Works("css/normalize.css", NORMALIZE, "css/normalize.css", rules, SAME),
    "datauri": Works(
        "css/a.css",
        ".a { background: url(../img/a.svg) }\n",
        "css/a.css",
        rules,
        [(".a", {"background": "url data:image/svg+xml;base64,PHN2Zy8+"})],
        others={"assets/img/a.svg": "<svg/>"},
        edit=("assets/img/a.svg", "<svg />"),
    ),
    "handlebars": Works(
        "js/card.handlebars",
        HANDLEBARS,
        "js/card.js",
        lambda text: ran(
            f"global.Handlebars = require({str(npm.packages(npm.TOOLS) / 'handlebars/runtime')!r});\n{text}\n"
            'console.log(JSON.stringify(Handlebars.templates.card({name: "<x>", items: [1, 2]})))'
        ),
        '<b title="it\'s">&lt;x&gt;</b>\n<i>1</i><i>2</i>\n',
    ),
    "jade": Works(
        "js/note.jade",
        JADE,
        "js/note.js",
        printed(
            "var window = globalThis; exports = module = undefined;", "window.templates.note({ name: '<x>', items: [1, 2] })"
        ),
        '<p class="note">Hello &lt;x&gt;<i>1</i><i>2</i></p>',
        {"JADE_RUNTIME": "node_modules/jade/runtime.js"},
    ),
    "jinja2": Works(
        "css/a.css",
        "{% for n in [1, 2] %}.m-{{ n }} { margin: {{ n * gap }}px }{% endfor %}\n",
        "css/a.css",
        rules,
        [(".m-1", {"margin": "8px"}), (".m-2", {"margin": "16px"})],
        {"JINJA2_CONTEXT": {"gap": 8}},
    ),
    "jsmin": Works("js/runtime.js", RUNTIME, "js/runtime.js", jade_runtime, SAME),
    "jst": Works(
        "js/card.jst",
        TEMPLATE,
        "js/card.js",
        printed("var window = globalThis;", "window.JST.card({ name: 'x', items: [1, 2] })"),
        "<b>x</b>\n<i title='x'>1</i><i title='x'>2</i>\n",
    ),
    "less": Works(
        "css/a.less",
        LESS.replace("@gap / 2", "(@gap / 2)"),
        "css/a.css",
        rules,
        LESS_MEANS,
        others=LESS_VARS,
        edit=("assets/css/vars.less", "@brand: #336699;\n@gap: 9px;\n"),
    ),
    "less_ruby": Works(
        "css/a.less",
        LESS.replace("@gap / 2", "(@gap / 2)"),
        "css/a.css",
        rules,
        LESS_MEANS,
        others=LESS_VARS,
        edit=("assets/css/vars.less", "@brand: #336699;\n@gap: 9px;\n"),
    ),
    "libsass": Works(
        "css/a.scss",
        SCSS,
        "css/a.css",
        rules,
        SCSS_MEANS,
        others=SCSS_VARS,
        edit=("assets/css/_vars.scss", "$brand: #336699;\n$gap: 9px;\n"),
    ),
    "postcss": Works(
        "css/a.css",
        ".a { user-select: none }\n",
        "css/a.css",
        rules,
        [(".a", {"-webkit-user-select": "none", "user-select": "none"})],
        others={"postcss.config.js": POSTCSS},
        edit=("postcss.config.js", "module.exports = { plugins: [] }"),
    ),
    "rcssmin": Works("css/normalize.css", NORMALIZE, "css/normalize.css", rules, SAME),
    "requirejs": Works(
        "js/total.js",
        AMD,
        "js/total.js",
        printed(AMD_STUB, "modules['js/total'].total(100)"),
        119,
        others={"assets/js/tax.js": "define({ of: function (n) { return n * 19 / 100; } });\n"},
        edit=("assets/js/tax.js", "define({ of: function (n) { return n * 7 / 100; } });\n"),
    ),
    "rjsmin": Works("js/runtime.js", RUNTIME, "js/runtime.js", jade_runtime, SAME),
    "sass": Works(
        "css/a.sass",
        SASS,
        "css/a.css",
        rules,
        SCSS_MEANS,
        others=SCSS_VARS,
        edit=("assets/css/_vars.scss", "$brand: #336699;\n$gap: 9px;\n"),
    ),
    "scss": Works(
        "css/a.scss",
        SCSS,
        "css/a.css",
        rules,
        SCSS_MEANS,
        others=SCSS_VARS,
        edit=("assets/css/_vars.scss", "$brand: #336699;\n$gap: 9px;\n"),
    ),
    "stylus": Works(
        "css/a.styl",
        STYLUS,
        "css/a.css",
        rules,
        STYLUS_MEANS,
        others={"assets/css/vars.styl": "brand = #336699\ngap = 8px\n"},
        edit=("assets/css/vars.styl", "brand = #336699\ngap = 9px\n"),
    ),
    "typescript": Works("js/a.ts", TYPESCRIPT, "js/a.js", printed("", "result"), "é 11 5"),
    "uglifyjs": Works("js/runtime.js", RUNTIME, "js/runtime.js", jade_runtime, SAME),
    "yui_css": Works(
        "css/normalize.css",
        NORMALIZE,
        "css/normalize.css",
        lambda text: rules(re.sub(r"border(-bottom)?: *none", r"border\1:0", text)),
        SAME,
        YUI,
        java=True,
    ),
    "yui_js": Works("js/runtime.js", RUNTIME, "js/runtime.js", jade_runtime, SAME, YUI, java=True),
}

# The filters that refuse

_STYLESHEETS = (
    "its Java archive was not found: "
    "set CLOSURE_STYLESHEETS_PATH to the closure-stylesheets.jar of a release of google/closure-stylesheets"
)
#: With the tools of npm installed, but for node-sass, which needs a compiler for C++.
REFUSES = {
    "autoprefixer": "autoprefixer@10.7.0 compiles nothing by itself: use the filter autoprefixer6, with postcss-cli",
    "clevercss": "the Python package clevercss was written for Python 2: use the filter libsass or stylus",
    "closure_stylesheets_compiler": _STYLESHEETS,
    "closure_stylesheets_minifier": _STYLESHEETS,
    "compass": 'the program "compass" was not found: gem install compass',
    "css_slimmer": "the Python package slimmer was written for Python 2: use the filter rcssmin",
    "cssprefixer": "the Python package cssprefixer was written for Python 2: use the filter autoprefixer6",
    "cssrewrite": "cssrewrite is not needed: assetbuild rewrites references itself",
    "dustjs": "the filter dustjs compiles whole folders, and makes nothing of a file: compile the templates before the build",
    "jspacker": "the filter jspacker loses a word of the script for each number in it: use rjsmin or uglifyjs",
    "node-sass": 'the program "node-sass" was not found: npm install node-sass',
    "node-scss": 'the program "node-sass" was not found: npm install node-sass',
    "pyscss": "pyScss 1.4.0 runs on this Python only with its C extension: use the filter libsass",
    "replace": "the filter replace takes arguments, which its name cannot give: write a Filter class that does it",
    "sass_ruby": "sass@1.108.2 is not Ruby's Sass: use the filter sass",
    "scss_ruby": "sass@1.108.2 is not Ruby's Sass: use the filter scss",
    "slimit": "the Python package slimit was written for Python 2: use the filter rjsmin or uglifyjs",
    "spritemapper": "the Python package spritecss was written for Python 2: make the sprite before the build",
}

Build = Callable[..., Project]


@pytest.fixture
def tools(project: Project) -> Project:
    """A project beside whose configuration the tools of npm are installed."""
    (project.folder / "node_modules").symlink_to(npm.packages(npm.TOOLS))
    return project


def written(project: Project, name: str, case: Works, **settings: object) -> str:
    """Write the case's files; the source's text."""
    text = (npm.packages(npm.TOOLS) / case.text).read_bytes().decode() if isinstance(case.text, Path) else case.text
    chain = {"filters": [name], "suffix": Path(case.made).suffix}
    table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in chain.items())
    given = "".join(f"{key} = {_toml(value)}\n" for key, value in {**case.settings, **settings}.items())
    config = f'{toml(sources=["assets"])}[filters."{case.path}"]\n{table}\n[webassets]\n{given}'
    partials = '[filters]\n"vars.*" = []\n"_vars.*" = []\n'
    project.write({"assetbuild.toml": config.replace("[filters.", partials + "[filters.", 1), f"assets/{case.path}": text})
    project.write(case.others)
    return text


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture(autouse=True)
def _webassets_own_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests' projects and Flask-Assets have registered in this process is none of webassets'."""
    for name, one in list(_FILTERS.items()):
        if not one.__module__.startswith("webassets.filter"):
            monkeypatch.delitem(_FILTERS, name)
    monkeypatch.setitem(_FILTERS, "jinja2", Jinja2)


def test_every_filter_of_webassets_is_in_one_of_the_tables() -> None:
    assert sorted([*WORKS, *REFUSES]) == sorted(_FILTERS)


def test_the_documentation_has_every_filter_and_the_versions_that_are_tried() -> None:
    page = (Path(__file__).parent.parent / "docs/filters.md").read_text("utf-8")
    works, refuses = (set(re.findall(r"`([\w-]+)`", cell)) for cell in _first_cells(page))
    assert (works, refuses) == (set(WORKS), set(REFUSES))
    tried = json.loads((npm.TOOLS / "package.json").read_text("utf-8"))["dependencies"]
    del tried["normalize.css"]
    assert [tool for tool, version in tried.items() if f"{tool} {version}" not in page] == []


def _first_cells(page: str) -> list[str]:
    """What stands in the first column of the two tables."""
    tables = (part.split("\n## ")[0] for part in re.split(r"\n## These \w+\n", page)[1:])
    return [" ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)) for table in tables]


@pytest.mark.parametrize("name", sorted(WORKS))
def test_a_filter_works_on_real_input(tools: Project, name: str) -> None:
    case = WORKS[name]
    if case.java and shutil.which("java") is None:
        with pytest.raises(FilterUnavailableError, match=r'the program "java" was not found: .*a Java runtime'):
            load(name, case.settings, search=(str(tools.folder),))
        return
    source = written(tools, name, case)
    result = tools.compile()
    made = tools.text(case.made)
    assert case.meaning(made) == (case.meaning(source) if case.expected is SAME else case.expected)
    assert "sourceMappingURL" not in made
    refused = "cssmin would change what this means, so the file stays as it is written"
    assert [warning.message for warning in result.warnings] == ([refused] if name == "cssmin" else [])


@pytest.mark.parametrize("name", sorted(REFUSES))
def test_a_filter_refuses_in_one_sentence_and_the_status_says_configuration(
    tools: Project, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tools.folder)
    tools.write({"assetbuild.toml": f'[filters]\n"a.x" = ["{name}"]\n', "assets/a.x": "a"})
    assert cli.main(["compile"]) == 2
    said = capsys.readouterr()
    # What no installation would mend is said with the other mistakes of the configuration.
    where = f"assets/a.x: {name}" if names.fault(name) == "" else 'assetbuild.toml: filters."a.x"'
    assert (said.out, said.err.strip().splitlines()[0]) == ("", f"{where}: {REFUSES[name]}")
    assert not (tools.folder / "dist").exists()


# Nothing stale


@pytest.mark.parametrize("name", sorted(name for name, case in WORKS.items() if case.edit))
def test_an_edited_file_that_a_filter_reads_shows_in_the_next_build(tools: Project, name: str) -> None:
    case = WORKS[name]
    written(tools, name, case)
    tools.compile()
    before = tools.text(case.made)
    assert case.edit is not None
    tools.write(dict([case.edit]))
    tools.compile()
    assert case.meaning(tools.text(case.made)) != case.meaning(before)


def test_only_filters_that_read_nothing_but_their_text_are_called_pure(tools: Project) -> None:
    pure = set()
    for name, case in WORKS.items():
        if not case.java:
            pure |= {name} if load(name, case.settings, search=(str(tools.folder),)).pure else set()
    assert pure == {"cssmin", "jsmin", "rcssmin", "rjsmin"}


def test_the_runtime_that_jade_puts_in_front_is_among_the_files_read(tools: Project) -> None:
    written(tools, "jade", WORKS["jade"])
    file, roots = tools.folder / "assets/js/note.jade", (str(tools.folder / "assets"),)
    filtered = load("jade", WORKS["jade"].settings, search=(str(tools.folder),)).apply(
        JADE, Unit("js/note.jade", str(file), roots, "other")
    )
    assert filtered.read == (str(tools.folder / "node_modules/jade/runtime.js"),)


# Source maps


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("babel", {"BABEL_EXTRA_ARGS": ["--source-maps", "inline"]}),
        ("coffeescript", {"COFFEE_NO_BARE": True}),
        ("less", {"LESS_EXTRA_ARGS": ["--source-map-inline"]}),
        ("stylus", {"STYLUS_EXTRA_ARGS": ["--sourcemap-inline"]}),
        ("typescript", {"TYPESCRIPT_CONFIG": "--inlineSourceMap"}),
        ("uglifyjs", {"UGLIFYJS_EXTRA_ARGS": ["--source-map", "url=inline"]}),
        ("uglifyjs", {"UGLIFYJS_EXTRA_ARGS": ["--source-map", "url='runtime.js.map'"]}),
    ],
)
def test_a_source_map_that_a_tool_was_asked_for_leaves_no_comment(
    tools: Project, name: str, settings: Mapping[str, object]
) -> None:
    case = WORKS[name]
    written(tools, name, case, **settings)
    assert tools.compile().warnings == ()
    assert "sourceMappingURL" not in tools.text(case.made)


# As webassets itself


@pytest.mark.parametrize("name", ["coffeescript", "cssmin", "jsmin", "less", "stylus", "typescript"])
def test_a_filter_makes_what_webassets_makes_of_the_same_source(
    tools: Project, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = WORKS[name]
    settings = {"TYPESCRIPT_CONFIG": "--noCheck"} if name == "typescript" else {}
    written(tools, name, case, **settings)
    if name == "cssmin":
        # One that it does not rewrite beyond white space; what else it would change is left as it is written.
        tools.write({f"assets/{case.path}": ".a  >  .b { color : red }\n\n.c , .d { margin : 1px ; }\n"})
    tools.compile()
    monkeypatch.setenv("PATH", os.pathsep.join([str(tools.folder / "node_modules/.bin"), os.environ["PATH"]]))
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        environment = _Environment(str(tools.folder / "assets"), "/", cache=False, manifest=False)
        environment.config.update(settings)
        bundle = _Bundle(case.path, filters=name, output=str(tmp_path / "made"))
        environment.register("made", bundle)
        bundle.build(force=True)
    theirs = (tmp_path / "made").read_bytes().decode()
    ours = tools.text(case.made)
    assert ours.strip() == theirs.strip()
    assert case.meaning(ours) == case.meaning(theirs)


# What webassets alone does not get right


def test_typescript_takes_jsx(tools: Project) -> None:
    case = Works("js/list.tsx", f"declare const React: any;\n{JSX}", "js/list.js", printed(REACT, "list"), LIST)
    written(tools, "typescript", case, TYPESCRIPT_CONFIG="--jsx react --noCheck --target es2022")
    tools.compile()
    assert case.meaning(tools.text(case.made)) == LIST


def test_typescript_modules_are_compiled_one_by_one_and_linked(tools: Project) -> None:
    tools.write(
        {
            "assetbuild.toml": '[filters]\n"*.ts" = ["typescript"]\n\n[webassets]\n'
            'TYPESCRIPT_CONFIG = "--noCheck --module esnext --target es2022"\n',
            "assets/js/a.ts": 'import { one } from "./b.js";\nconsole.log(one as number);\n',
            "assets/js/b.ts": "export const one: number = 1;\n",
        }
    )
    tools.compile()
    b = Path(tools.public("js/b.js")).name
    assert tools.text("js/a.js") == f'import {{ one }} from "./{b}";\nconsole.log(one);\n'


def test_what_cleancss_would_put_in_place_stays_a_reference(tools: Project) -> None:
    written(tools, "cleancss", WORKS["cleancss"])
    tools.compile()
    b = Path(tools.public("css/b.css")).name
    assert rules(tools.text("css/a.css"))[0] == f"@import url {b}"


def test_cleancss_puts_imports_in_place_where_it_is_told_to(tools: Project) -> None:
    case = WORKS["cleancss"]
    written(tools, "cleancss", case, CLEANCSS_EXTRA_ARGS=["--inline", "local"])
    with pytest.raises(Exception, match="ERROR: Ignoring local @import"):
        tools.compile()


def test_cssutils_asks_the_network_for_nothing(tools: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *where: asked.append(where))
    tools.write(
        {
            "assetbuild.toml": '[filters]\n"*.css" = ["cssutils"]\n',
            "assets/a.css": "@import url(http://example.com/b.css) screen;\n.a { color: red }\n",
        }
    )
    tools.compile()
    assert asked == []
    assert rules(tools.text("a.css"))[1:] == [(".a", {"color": "red"})]


def test_a_build_started_elsewhere_finds_plugins_and_paths_beside_the_configuration(
    tools: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    written(tools, "babel", WORKS["babel"])
    assert cli.main(["compile", "--config", str(tools.folder / "assetbuild.toml"), "--quiet"]) == 0
    assert printed(REACT, "list")(tools.text("js/list.js")) == LIST
    assert os.getcwd() == str(elsewhere)
    assert list(elsewhere.iterdir()) == []


def test_the_text_of_a_tool_does_not_depend_on_the_locale(tools: Project) -> None:
    case = WORKS["typescript"]
    written(tools, "typescript", case, TYPESCRIPT_CONFIG="--noCheck")
    ascii_only = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONPATH": str(Path(cli.__file__).parent.parent),
    }
    done = subprocess.run(
        [sys.executable, "-m", "assetbuild", "compile", "--quiet"],
        cwd=tools.folder,
        env={"PATH": os.environ["PATH"], **ascii_only},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert case.meaning(tools.text(case.made)) == case.expected
