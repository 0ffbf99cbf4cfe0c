"""JavaScript held against independent parsers: acorn and es-module-lexer, on scripts of popular packages; on every one of
them where the environment has THOROUGH."""

from __future__ import annotations

import functools
import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from assetbuild.filters import Unit
from assetbuild.filters.rjsmin import RJSMin
from assetbuild.references import js as references
from assetbuild.syntax import LexError, js
from assetbuild.syntax.js.spans import Lexed
from tests.npm import node, packages, share, thorough

pytestmark = pytest.mark.long

CHUNKS = 24 if thorough() else 6
SHARE = 500_000  # bytes of each package

#: With these, a slash of each meaning stands behind each kind of token behind which it does so in the packages, on its line and
#: on the next, but for one that only the TypeScript compiler has: a regular expression behind a block, which is among HARD.
TELLING = (
    "katex/dist/katex.mjs",
    "mermaid/dist/chunks/mermaid.esm.min/cynefinDiagram-2OOWUY4M.mjs",
    "three/src/nodes/core/StackTrace.js",
    "tinymce/plugins/codesample/plugin.js",
)


@functools.cache
def files() -> tuple[Path, ...]:
    """The scripts below node_modules, each content once, in an order that spreads the large ones."""
    seen: set[tuple[int, str]] = set()
    found: list[Path] = []
    for path in sorted(p for p in packages().rglob("*") if p.suffix in (".js", ".mjs") and p.is_file()):
        data = path.read_bytes()
        key = (len(data), hashlib.sha1(data).hexdigest())
        if key not in seen:
            seen.add(key)
            found.append(path)
    telling = {packages() / name for name in TELLING}
    return tuple(sorted({*share(found, SHARE), *telling}, key=lambda path: (-path.stat().st_size, path)))


def chunk(number: int) -> list[Path]:
    return list(files()[number::CHUNKS])


@dataclass
class Counts:
    """files, bytes: what was judged. filtered, written: bytes that the filter was given and those that it made.
    refused: bytes that it handed back. unparsed: files that acorn takes for neither goal."""

    files: int = 0
    bytes: int = 0
    filtered: int = 0
    written: int = 0
    refused: int = 0
    refusals: list[str] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def utf16(text: str, offsets: Iterable[int]) -> list[int]:
    """Offsets in characters as offsets in UTF-16 code units."""
    if text.isascii() or max(text, default="") <= "\uffff":
        return list(offsets)
    wide = [place for place, character in enumerate(text) if character > "\uffff"]
    return [offset + bisect_right(wide, offset - 1) for offset in offsets]


def spans(text: str, lexed: Lexed) -> str:
    """Our spans in acorn's form: a template's pieces without their delimiters."""
    kinds, offsets = [], []
    for kind, start, end in lexed.spans():
        if kind == "template":
            start, end = start + 1, end - (2 if text.startswith("${", end - 2) and end - start > 2 else 1)
        kinds.append(kind)
        offsets += [start, end]
    offsets = utf16(text, offsets)
    lines = [f"{k} {offsets[2 * i]} {offsets[2 * i + 1]}" for i, k in enumerate(kinds)]
    return "\n".join(lines)


def imports(text: str, lexed: Lexed) -> list[list[Any]]:
    found = [s for s in references.specifiers(lexed) if s.kind != "url"]
    starts = utf16(text, [s.start for s in found])
    ends = utf16(text, [s.end for s in found])
    return [[s.kind, start, end] for s, start, end in zip(found, starts, ends, strict=True)]


def judge(paths: list[Path], scratch: Path) -> Counts:
    """Holds our findings in these files against the parsers'."""
    counts = Counts()
    jobs = []
    ours: list[tuple[str, list[list[Any]]] | None] = []
    for number, path in enumerate(paths):
        text = path.read_bytes().decode()
        counts.files += 1
        counts.bytes += len(text)
        minified = None
        try:
            goal = True if path.suffix == ".mjs" else None
            lexed = js.scan(text, goal)
            ours.append((spans(text, lexed), imports(text, lexed)))
        except LexError as error:
            ours.append(None)
            counts.complaints.append(f"{path}: {error}")
        if ".min." not in path.name:
            unit = Unit(path.name, str(path), (), "js")
            filtered = RJSMin().apply(text, unit)
            counts.filtered += len(text)
            if filtered.refused:
                counts.refused += len(text)
                note = filtered.notes[0]
                counts.refusals.append(f"{path}: {note.message} {text[max(note.offset - 40, 0) : note.offset + 40]!r}")
            else:
                counts.written += len(filtered.text)
                minified = scratch / f"{number}{path.suffix}"
                minified.write_bytes(filtered.text.encode())
        jobs.append({"path": str(path), "minified": minified and str(minified)})
    for path, mine, line in zip(paths, ours, node("javascript.mjs", text=json.dumps(jobs)).splitlines(), strict=True):
        theirs = json.loads(line)
        if "goal" not in theirs:
            counts.unparsed.append(f"{path}: {theirs['error']}")
            # What acorn does not parse is no JavaScript, and we need not notice.
            counts.complaints = [c for c in counts.complaints if not c.startswith(f"{path}: ")]
            continue
        if mine is None:
            continue
        if hashlib.sha1(mine[0].encode()).hexdigest() != theirs["spans"]:
            counts.complaints.append(f"{path}: spans: {_first(path, mine[0])}")
        if "imports" in theirs and mine[1] != theirs["imports"]:
            wrong = (
                [i for i in mine[1] if i not in theirs["imports"]],
                [i for i in theirs["imports"] if i not in mine[1]],
            )
            counts.complaints.append(f"{path}: imports: only ours {wrong[0][:3]}, only theirs {wrong[1][:3]}")
        if theirs.get("difference"):
            counts.complaints.append(f"{path}: tree: {theirs['difference']}")
    return counts


def _first(path: Path, mine: str) -> str:
    job = json.dumps([{"path": str(path), "minified": None}])
    theirs = json.loads(node("javascript.mjs", "full", text=job))["spans"].split("\n")
    for left, right in zip([*mine.split("\n"), "end"], [*theirs, "end"], strict=False):
        if left != right:
            return f"ours {left}, theirs {right}"
    return "none"


@pytest.mark.parametrize("number", range(CHUNKS))
def test_no_file_is_read_otherwise_than_by_the_judges_and_no_minified_one_means_something_else(
    number: int, tmp_path: Path
) -> None:
    counts = judge(chunk(number), tmp_path)
    print(counts)  # noqa: T201 - `pytest -rP` shows it
    assert counts.files
    assert not counts.complaints
    assert counts.refused <= counts.filtered * 0.05


HARD = (
    "let m\n/a  b/.test(s)",
    "var m, n\n/  \\// .test(x)",
    "let m //c\n/'/.test(s)",
    "let m /*\n*/ /'/.test(s)",
    'import "./a.js"\n/a  b/.test(s)',
    'import a\nfrom\n"./a.js"\n/a  b/.test(s)',
    'export*from"./a.js"\n/a  b/.test(s)',
    "export let m\n/'/.test(s)",
    "export let\nm\n/'/.test(s)",
    "a:for(;;){break a\n/a  b/.test(s)}",
    "a:for(;;){continue a\n/a  b/.test(s)}",
    "let {a}=b, c\n/a  b/.test(s)",
    "let m\n/'/.test(s); import('./a.js'); let q = /'/\n;q.x(1)",
    "var a = function(){}\nb, c\n/d/ e",
    "var a = function()\n{}, b\n/'/.c",
    "var a = b\nin c, d\n/'/.e",
    "var a = b, c = d\n/d/ e",
    "x = {a, b: function()\n{}}\n/d/ e",
    "for(var using of /'/.x);",
    "if(a){}/a  b/.test(s)",
    "function f(){}/'/.test(s)",
    "async function\xa0f(){await /a  b/.x}",
    "await f()\nlet m = await /a  b/.test(s)",
    "for await(let m of f()){}\nawait /[//  ]/.test(s)",
    "let m = await import(m)\nawait /'/.test(s)",
    "import defer, {x} from './a.js'",
    "import source, * as y from './a.js'",
)


def test_what_is_hard_to_read_is_read_as_acorn_does_and_keeps_its_tree(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate(HARD):
        file = tmp_path / f"hard{number}.js"
        file.write_bytes(text.encode())
        files.append(file)
    counts = judge(files, tmp_path)
    assert counts.complaints == []
    assert counts.unparsed == []
    assert counts.refused == 0
