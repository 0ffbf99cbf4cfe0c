"""What steps.py does with a size and with four times that size: hostile texts for everything that reads one, and as many files,
names and entries as that for everything that goes over them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from assetbuild import config, fingerprint, graph, index, missing, names, sources
from assetbuild.bundles import css as css_bundle
from assetbuild.bundles import js as js_bundle
from assetbuild.errors import ConfigError, Lines
from assetbuild.filters import Unit
from assetbuild.filters.rcssmin import RCSSMin
from assetbuild.filters.rjsmin import RJSMin
from assetbuild.link import Linker, Text, resolve
from assetbuild.missing import Missing, Report
from assetbuild.patterns import Pattern
from assetbuild.records import NONE, Asset, File
from assetbuild.references import css, js, sourcemap, svg, webmanifest
from assetbuild.runtime import closest
from assetbuild.runtime import manifest as treaty
from assetbuild.syntax import LexError
from assetbuild.syntax import css as css_syntax
from assetbuild.syntax import js as js_syntax
from assetbuild.syntax.css import comparison as css_comparison
from assetbuild.syntax.js import comparison as js_comparison
from assetbuild.verify import verify
from tests.tools.steps import Case, Work

# What is written again and again. A bar parts what stands before, again and again, and behind.
CSS = (
    *("/*", "/**/", "'", '"', "'\\\n", "\\", "url(", "url('", "\\75rl(", "src(", "image-set(", "image-set('a'", "("),
    *("[", "{", "}"),
    *("@", "@import ", "@import 'a';", "@import url(a);", "@namespace 'a';", "@layer a;", "@layer a{", "@media a{"),
    *("@import(", "<"),
    *("<!--", "-->", "-", "--a:", "--a: ;", "--a:{b :c;", "#", "1e", "+.", "a:", " :", "a :b{", ";", ";;", "!", "~="),
    *("\\0 ", "\ufeff"),
    *("a{b:url(c.png)}", "a{b:url( 'c.png' )}", "/*# sourceMappingURL=a */", "/*# sourceMappingURL="),
    *("sourceMappingURL=", "\r", "é"),
    *(":not(", ":is(a,", "a,", "a>", "[b='c']", "a{&:hover{", "@supports (", "@property --a{", "@scope ("),
    *("a{}|@import 'b';", "/*!"),
    *("/*!*/", "a/**/", "/", "*", "*/", "url(a b", "url(a\\", "@x", "a{b:c}@import 'd';", "\x01", "\x00", "a{b:c;}"),
    *("calc(1px + ",),
)
JS = (
    *("/*", "/**/", "//", "//\n", "/*\n*/", "'", '"', "'\\\n", "`", "`a`", "${", "`${", "`${`", "{", "}", "(", ")"),
    *("[", "]", "/", "/[", "/a/"),
    *("=/[", "=/a/;", "a/b/c ", "<!--", "<!--\n", "-->", "\n-->", "/**/-->\n", "\\", "\\u{", "#a", "#!", "import "),
    *("import(", "import('"),
    *("import './a.js';", "import('./a.js');", "import{", "import{a,", "import a,", "import\n", "import.meta "),
    *("export ", "export{"),
    *("export*from", "export{a}from'./a.js';", "new URL(", "new URL('./a',import.meta.url);", "URL('"),
    *("sourceMappingURL=", "++", "--"),
    *("//# sourceMappingURL=a\n", "/*# sourceMappingURL=a */", "//# sourceMappingURL=", "a?", "a?b:", "a=>"),
    *("a=>{}\n/b/;", "class a{"),
    *("class a extends(", "function*a(){", "yield/", "await/", "async ", "of/", "for(a of", "case ", "a:", "a:{"),
    *("x={a:", "var a,", ",a\n"),
    *("return\n", "a\n++", "do ", "if(a)", "else ", ")/a/", "}/a/", "]/a/", "\n", "\n\n#a", "\n`a`", "\r\n"),
    *("\u2028", "0x", "1.", ".5"),
    *("a.import", "/*!*/", "/*!", "/*!\n*/\n", "'use strict';", "'use strict'\n", "=", "<", "a b ", "import."),
    *("importimport", "é"),
)
SVG = (
    *("<", "<a", "<a>", "<a/>", "</a>", "<!--", "<!---->", "<!", "<?", "<?a?>", "<![CDATA[", "<![CDATA[]]>"),
    *("<!DOCTYPE a [", "]]>", "&"),
    *("&a;", "&#x", "&#x61;", "<a b='", "<a b='c' ", "<use href='a.svg'/>", "<use href='&#x61;.svg'/>", "<style>"),
    *("<style>a{b:url(c)}</style>",),
    *("<a xmlns:b='c'>", "<a xmlns='b'>", "<a style='b:url(c)'/>", "<g fill='url(", "'", '"', "=", "/", ">"),
    *("<style><![CDATA[a]]>", " "),
    *("<svg>|<a b='c'/>", "<svg><style>|url(a)", "<svg><style>|<!---->", "<svg><style>|&amp;", "<svg b='|&amp;"),
    *("<svg style='url(a|&#97;",),
)
JSON = (
    *("[", "]", "{", '{"', '{"a":', '{"a":[', "[1,", '"', '"\\', '"\\u0061', "1", "-", "1e", " "),
    *('{"icons":[|{"src":"a"},', "tru", ","),
    *('{"icons":[{"src":"|\\u0061', '{"icons":[{"src":"|?', '{"a":1,"b":[|"c",'),
)
# A dotted key of many parts is not among these: with it the standard library's reader takes quadratic time.
TOML = (
    "[",
    "[a]\n",
    "[[a]]\n",
    "a=1\n",
    "sources=[",
    "'",
    '"',
    '"""',
    "#",
    "a={",
    "exclude=['",
    "[filters]\n|'*.a'=[]\n",
    "\n",
)


def _said(text: str, size: int) -> str:
    before, bar, unit = text.partition("|")
    return before + unit * size if bar else before * size


def _reading(language: str, unit: str, read: Callable[[str], object]) -> Iterator[tuple[str, tuple[int, Case]]]:
    def case(size: int) -> Work:
        text = _said(unit, size)

        def work() -> None:
            with contextlib.suppress(LexError):
                read(text)

        return work

    yield f"{language} {unit!r}", (_size(unit), case)


def _size(unit: str) -> int:
    """Enough that work which is done again for each of the others is a good part of it."""
    if unit == "/*!\n*/\n":
        return 600  # Up to 500 of them each is looked at from each: that is the bound in the filter rjsmin.
    return 40 if len(unit) > 8 else 100


def _css(text: str) -> None:
    for _ in css_syntax.tokens(text):
        pass
    css.find(text)
    css_syntax.check(text)


def _css_compared(text: str) -> None:
    css_comparison.first_difference(text, text + "a")


def _rcssmin(text: str) -> None:
    RCSSMin().apply(text, Unit("a.css", "", (), "css"))


def _js(text: str) -> None:
    lexed = js_syntax.scan(text)
    js.find_in(lexed)
    for _ in lexed.spans():
        pass


def _js_compared(text: str) -> None:
    js_comparison.first_difference(text, text + " a")


def _rjsmin(text: str) -> None:
    RJSMin().apply(text, Unit("a.js", "", (), "js"))


def _sheets(text: str) -> None:
    texts = {"1.css": text, "2.css": "a{b:c}" + text}
    css_bundle.join(tuple(texts), {path: css_bundle.Sheet(path, one) for path, one in texts.items()})


def _scripts(text: str) -> None:
    js_bundle.join([js_bundle.Script("1.js", text), js_bundle.Script("2.js", text)])


def _sourcemap(text: str) -> None:
    sourcemap.find(text, lambda _offset: False, line_comments=True)


# ---- many


def _toml(unit: str) -> Case:
    def case(size: int) -> Work:
        folder = Path(tempfile.mkdtemp(dir=_folder()))
        (folder / "assets").mkdir()
        (folder / "assetbuild.toml").write_text(_said(unit, size))

        def work() -> None:
            with contextlib.suppress(ConfigError):
                config.load(cwd=folder, environ={})

        return work

    return case


_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def _folder() -> str:
    if not _FOLDERS:
        _FOLDERS.append(tempfile.TemporaryDirectory(prefix="assetbuild-steps-"))
    return _FOLDERS[0].name


def _tables(size: int) -> str:
    lines = ["exclude = [", *(f'"**/*{n}*.x",' for n in range(size)), "]\n[filters]\n"]
    lines += [f'"a{n}/**/*.css" = ["rcssmin"]\n' for n in range(size)]
    lines += [f'[bundles."b{n}.js"]\ncontents = ["a.js", "c{n}/*.js"]\n' for n in range(size)]
    return "".join(lines)


def _configuration(size: int) -> Work:
    return _toml("|" + _tables(size))(1)


def _unknown_keys(size: int) -> Work:
    return _toml("|" + "".join(f"sorces{n} = 1\n" for n in range(size)))(1)


def _matching(size: int) -> Work:
    patterns = [
        Pattern(text) for text in ("**/*a*a*a*b", "*a*a*a*b*", "**/a/**/a/**/b", "**a**a**a**b", "*[ab]*[ab]*c", "a/**/*?b")
    ]
    paths = ["a" * size, "a/" * size + "a", "ab" * size, "a" * size + "/" + "a" * size]

    def work() -> None:
        for pattern in patterns:
            for path in paths:
                pattern.matches(path)

    return work


def _long_pattern(size: int) -> Work:
    texts = ("*a" * size, "**/" * size + "a", "?" * size, "[a]" * size, "[!a" * size, "a/" * size + "b", "**a" * size)

    def work() -> None:
        for text in texts:
            with contextlib.suppress(ValueError):
                Pattern(text).matches("a" * 9)

    return work


def _references(size: int) -> Work:
    """One file with many references to many files, linked."""
    text = "".join(f"a{{b:url(img/{n}.png)}}\n" for n in range(size))
    found = css.find(text).references
    tree = {"a.css", *(f"img/{n}.png" for n in range(size))}
    digest = hashlib.sha256(b"").hexdigest()

    def work() -> None:
        targets = tuple(resolve("a.css", one, tree, "/static/") for one in found)
        texts = {path: Text(path, digest, 0, (), ()) for path in tree if path != "a.css"}
        texts["a.css"] = Text("a.css", digest, len(text), found, targets)
        Linker(texts, {"a.css": text.encode()}.__getitem__, lambda _path, _data: None).link(lambda _done: None)

    return work


def _linked(edges: Callable[[int, int], list[int]]) -> Case:
    """Files that name one another."""

    def case(size: int) -> Work:
        digest = hashlib.sha256(b"").hexdigest()
        data, texts = {}, {}
        for number in range(size):
            path = f"{number}.js"
            data[path] = "".join(f"import './{other}.js';\n" for other in edges(number, size)).encode()
            found = js.find(data[path].decode()).references
            targets = tuple(f"{other}.js" for other in edges(number, size))
            texts[path] = Text(path, digest, len(data[path]), found, targets)
        return lambda: Linker(texts, data.__getitem__, lambda _path, _data: None).link(lambda _done: None)

    return case


def _groups(size: int) -> Work:
    edges = {str(n): {str((n * 7 + 1) % size), str((n + 1) % size)} for n in range(size)}
    return lambda: graph.groups(edges)


def _missing(size: int) -> Work:
    """Many references that name nothing, among as many files in one folder. What each of the searches for a like name takes is
    no matter here, and neither is a lower number of them."""
    missing.SEARCHES, missing.CANDIDATES = 2, 5
    tree = {f"img/picture-{n}.png" for n in range(size)}
    text = "".join(f"a{{b:url(img/pictures-{n}.png)}}" for n in range(size))
    found = css.find(text).references

    def work() -> None:
        report = Report(tree, ())
        lines = Lines(text)
        for one in found:
            report.problem(Missing("a.css", "a.css", *lines.place(one.start), one), "error")

    return work


def _closest(size: int) -> Work:
    closest._COMPARED = 5
    entries = {f"img/picture-{n}.png": {"path": f"img/picture-{n}.png"} for n in range(size)}
    return lambda: closest.find("img/pictures-1.png", entries, "/static/")  # type: ignore[arg-type]


def _paths(size: int) -> list[str]:
    return [f"a/b{n % 9}/C{n}.css" for n in range(size)]


def _names(size: int) -> Work:
    paths = [*_paths(size), *(path + "/é" for path in _paths(size))]

    def work() -> None:
        names.taken(paths)
        names.obstructed(paths, paths)

    return work


def _manifest(size: int) -> Work:
    entry = {"path": "a", "integrity": "sha256-" + "A" * 43 + "=", "size": 1, "type": "text/css", "variants": {"br": 1}}
    head = {"version": 1, "mode": "production", "digest": "", "base_url": "/", "previous": []}
    data = json.dumps({**head, "assets": {path: {**entry, "path": path} for path in _paths(size)}}).encode()
    return lambda: treaty.dump(treaty.parse(data, "m"))


def _manifest_text(unit: str) -> Case:
    def case(size: int) -> Work:
        data = _said(unit, size).encode()

        def work() -> None:
            with contextlib.suppress(treaty.ManifestError):
                treaty.parse(data, "m")

        return work

    return case


def _walk(size: int) -> Work:
    folder = Path(tempfile.mkdtemp(dir=_folder()))
    for number in range(size):
        (folder / f"{number % 16}").mkdir(exist_ok=True)
        (folder / f"{number % 16}/{number}.txt").touch()
    patterns = [Pattern("**/*.psd"), Pattern("*.bak")]
    return lambda: sources.glance([folder], exclude=patterns).tree()


def _artifact(size: int) -> Work:
    """An artifact of many files, one of which names all others."""
    folder = Path(tempfile.mkdtemp(dir=_folder()))
    entries, rows = {}, []

    def add(logical_path: str, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = fingerprint.public_path(logical_path, digest)
        (folder / path).write_bytes(data)
        entries[logical_path] = {"path": path, "integrity": fingerprint.integrity(digest), "size": len(data), "type": "x/y"}
        rows.append((digest, path))
        return path

    others = [add(f"{number}.txt", b"%d" % number) for number in range(size)]
    add("a.css", "".join(f"a{{b:url({path})}}" for path in others).encode())
    made = {
        "version": 1,
        "mode": "production",
        "digest": treaty.digest(rows),
        "base_url": "/",
        "assets": entries,
        "previous": [],
    }
    (folder / treaty.NAME).write_bytes(treaty.dump(made))  # type: ignore[arg-type]

    def work() -> None:
        found = verify(folder)
        assert found.ok, found.findings

    return work


def _strange(size: int) -> Work:
    """Of an artifact's files nothing is there, and as many others are."""
    folder = Path(tempfile.mkdtemp(dir=_folder()))
    entry = {"integrity": "sha256-" + "A" * 43 + "=", "size": 1, "type": "x/y"}
    entries = {path: {**entry, "path": path} for path in _paths(size)}
    made = {"version": 1, "mode": "production", "digest": "", "base_url": "/", "assets": entries, "previous": []}
    (folder / treaty.NAME).write_bytes(treaty.dump(made))  # type: ignore[arg-type]
    for number in range(size):
        (folder / f"{number}.txt").touch()
    return lambda: verify(folder)


def _index(size: int) -> Work:
    """What is known of assets that name one the next: written, changed here and there, followed from one end to the other."""
    digest = hashlib.sha256(b"").hexdigest()
    paths = _paths(size)
    made = {
        path: Asset((File(f"{path}.x", digest, 1),), ((f"0/{path}", digest),), (paths[number - 1],))
        for number, path in enumerate(paths)
    }
    looks = {f"0/{path}": "1 2 3 4" for path in paths}

    def work() -> None:
        records = NONE.changed((), made).changed(paths[::2], {path: made[path] for path in paths[::4]})
        assert len(records.owners([f"0/{path}" for path in paths])) == size
        assert len(NONE.changed((), made).leading_to(paths[:1])) == size
        assert index._uncolumned(*index._column(looks)) == looks

    return work


def _many_parts(size: int) -> Work:
    sheets = {f"{n}.css": css_bundle.Sheet(f"{n}.css", f"@layer a{n};@import 'x{n}.css' screen;b{{c:d}}") for n in range(size)}
    scripts = [js_bundle.Script(f"{n}.js", f"var a{n} = function () {{}}") for n in range(size)]

    def work() -> None:
        css_bundle.join(tuple(sheets), sheets)
        js_bundle.join(scripts)

    return work


def _imports(size: int) -> Work:
    """Sheets that import one the next."""
    sheets = {}
    for number in range(size):
        path, text = f"{number}.css", f"@import '{number + 1}.css';a{{b:c}}"
        imports = {0: f"{number + 1}.css"} if number + 1 < size else {}
        sheets[path] = css_bundle.Sheet(path, text if imports else "a{b:c}", (), imports)
    return lambda: css_bundle.join(["0.css"], sheets)


def _control(size: int) -> Work:
    """What is quadratic: each looks for an end that is not there."""
    text, comment = "<!--" * size, re.compile(r"<!--[^>]*>")
    return lambda: [comment.match(text, 4 * number) for number in range(size)]


MANY: Mapping[str, tuple[int, Case]] = {
    "control": (100, _control),
    "configuration: many patterns, filters and bundles": (12, _configuration),
    "configuration: many unknown keys": (5, _unknown_keys),
    "patterns: long paths": (40, _matching),
    "patterns: long patterns": (25, _long_pattern),
    "linking: one file names many": (25, _references),
    "linking: each file names the next": (25, _linked(lambda n, size: [n + 1] if n + 1 < size else [])),
    "linking: a circle": (25, _linked(lambda n, size: [(n + 1) % size])),
    "linking: all name one": (25, _linked(lambda n, _size: [0] if n else [])),
    "graph: one large group": (40, _groups),
    "references that name nothing": (25, _missing),
    "a name that is no asset's": (60, _closest),
    "names: many": (25, _names),
    "manifest: many entries": (40, _manifest),
    "sources: many files": (25, _walk),
    "verify: many files": (6, _artifact),
    "verify: many strange files": (12, _strange),
    "index: many entries": (60, _index),
    "bundle: many parts": (5, _many_parts),
    "bundle: a chain of imports": (25, _imports),
}


def _all() -> Iterator[tuple[str, tuple[int, Case]]]:
    for unit in CSS:
        yield from _reading("css", unit, _css)
        yield from _reading("css compared", unit, _css_compared)
        yield from _reading("rcssmin", unit, _rcssmin)
        yield from _reading("bundle css", unit, _sheets)
    for unit in JS:
        yield from _reading("js", unit, _js)
        yield from _reading("js compared", unit, _js_compared)
        yield from _reading("rjsmin", unit, _rjsmin)
        yield from _reading("bundle js", unit, _scripts)
    for unit in SVG:
        yield from _reading("svg", unit, svg.find)
    for unit in JSON:
        yield from _reading("webmanifest", unit, webmanifest.find)
        yield f"manifest {unit!r}", (1000, _manifest_text(unit))
    for unit in (
        "sourceMappingURL=",
        "/*",
        "//",
        "/*# sourceMappingURL=a",
        "//# sourceMappingURL=a\n",
        "/*# sourceMappingURL=a */",
    ):
        yield from _reading("sourcemap", unit, _sourcemap)
    for unit in TOML:
        yield f"configuration {unit!r}", (300, _toml(unit))
    yield from MANY.items()


CASES: Mapping[str, tuple[int, Case]] = dict(_all())
#: What every run of the suite counts: of the texts those that look for an end that is not there, or back to a beginning.
SOME = frozenset(
    (
        *(f"css {unit!r}" for unit in ("/*", "url(", "(", "sourceMappingURL=")),
        *("css compared '{'", "bundle css '}'"),
        *(f"js {unit!r}" for unit in ("//", "`${", "(", "=/[", "<!--", "import{", "sourceMappingURL=")),
        *(f"js compared {unit!r}" for unit in ("\\u{",)),
        *("rjsmin '/*!*/'", "svg '<!--'", "svg '<a>'", "webmanifest '['"),
        *("control", "linking: a circle", "graph: one large group", "names: many", "sources: many files", "verify: many files"),
        *("index: many entries", "bundle: a chain of imports"),
    )
)
