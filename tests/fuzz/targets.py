"""What must hold for any bytes, one function for each thing that reads what others wrote; each raises where it does not."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import subprocess
import tempfile
import tomllib
import xml.parsers.expat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import brotli
import tinycss2

from assetbuild import config, fingerprint
from assetbuild.bundles import Joined
from assetbuild.bundles import css as css_bundle
from assetbuild.bundles import js as js_bundle
from assetbuild.errors import ConfigError, printable
from assetbuild.filters import Unit
from assetbuild.filters.rcssmin import RCSSMin
from assetbuild.filters.rjsmin import RJSMin
from assetbuild.link import aim, relative
from assetbuild.references import Reference, Scan, css, is_local, js, sourcemap, substitute, svg, webmanifest
from assetbuild.runtime import manifest as treaty
from assetbuild.syntax import LexError
from assetbuild.syntax import css as css_syntax
from assetbuild.syntax import js as js_syntax
from assetbuild.syntax.css import comparison as css_comparison
from assetbuild.syntax.css.rules import head_rules
from assetbuild.syntax.js import comparison as js_comparison
from assetbuild.syntax.js.spans import Lexed, unused_mark
from assetbuild.syntax.js.tokens import tokens as js_tokens
from assetbuild.verify import verify

Target = Callable[[bytes], None]

#: Called with what a text was read as, where that is not to be seen from the lines of code that ran: the lexers are regular
#: expressions. A fuzzer takes a new one for news.
see: Callable[[object], object] = id

#: What parts the two texts of a bundle in a seed.
BETWEEN = "\n=====\n"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _seen(kinds: Iterable[str]) -> None:
    before = ""
    for kind in kinds:
        see((before, kind))
        before = kind


# ---- style sheets


def style_sheet(data: bytes) -> None:
    text = _text(data)
    found = list(css_syntax.tokens(text))
    _seen(token.type for token in found)
    assert [text[token.start : token.end] for token in found] == css_syntax.texts(text)
    assert "".join(css_syntax.texts(text)) == text[css_syntax.head(text) :]
    head_rules(text)
    landmarks(text, found)
    sound = _sound(text)
    assert sound == (not any(token.type == "bad-string" or _is_open(text, token) for token in found))
    scan = css.find(text)
    _in_order(text, scan)
    assert css_comparison.first_difference(text, text) is None
    filtered = RCSSMin().apply(text, Unit("a.css", "", (), "css"))
    if filtered.refused:
        assert filtered.text == text
        return
    assert len(filtered.text) <= len(text)
    assert _significant(filtered.text) == _significant(text)
    assert _named(css.find(filtered.text), but="sourcemap") == _named(scan, but="sourcemap")
    assert not sound or _sound(filtered.text)


def landmarks(text: str, found: list[css_syntax.Token]) -> None:
    """What the quick search finds is what the tokens say, up to the first name with an escape, which it passes over in part."""
    place, seen = css_syntax.head(text), set(found)
    while token := css_syntax.landmark(text, place):
        assert token.end > place
        place = token.end
        assert token in seen or "\\" in text[: token.end], token


def _sound(text: str) -> bool:
    try:
        css_syntax.check(text)
    except LexError:
        return False
    return True


def _is_open(text: str, token: css_syntax.Token) -> bool:
    whole = text[token.start : token.end]
    if token.type == "comment":
        return len(whole) < 4 or not whole.endswith("*/")
    if token.type != "string":
        return False
    body = re.fullmatch(r"""(["'])(?:\\[\s\S]|(?!\1)[^\\])*\1""", whole)
    return body is None


def _significant(text: str) -> list[str]:
    """The tokens without comments, blanks and the semicolons that stand before a brace, a semicolon or the end."""
    said: list[str] = []
    for token in css_syntax.tokens(text):
        if token.type in ("whitespace", "comment", "CDO", "CDC"):
            continue
        if token.type in ("semicolon", "}"):
            while said[-1:] == [";"]:
                said.pop()
        if token.type in ("string", "url"):
            start, end = css_syntax.inside(text, token)
            said.append(f"{token.type} {css_syntax.unescape(text[start:end])}")
        else:
            said.append(text[token.start : token.end])
    while said[-1:] == [";"]:
        said.pop()
    return said


# ---- scripts


def script(data: bytes) -> None:
    text = _text(data)
    for path in ("a.js", ("a.mjs", "a.cjs")[len(text) % 2]):
        try:
            _script(text, path)
        except (AssertionError, LexError):
            # What no engine takes means nothing that could be kept.
            if _is_script(text) or _is_script(text, module=True):
                raise


def _script(text: str, path: str) -> None:
    filtered = RJSMin().apply(text, Unit(path, "", (), "js"))
    try:
        lexed = js_syntax.scan(text, js_syntax.goal(path))
    except LexError as error:
        see(error.message)
        assert 0 <= error.offset <= len(text)
        assert filtered.refused
        assert filtered.text == text
        return
    _read(lexed)
    assert js_comparison.difference(lexed, text) is None
    scan = js.find_in(lexed)
    _in_order(text, scan)
    if filtered.refused:
        assert filtered.text == text
        return
    again = js_syntax.scan(filtered.text, lexed.module)
    assert _script_tokens(again, lexed) == _script_tokens(lexed, again)
    assert _named(js.find_in(again), but="sourcemap") == _named(scan, but="sourcemap")
    if filtered.lexed:
        proven = filtered.lexed
        assert (proven.text, proven.kinds) == (again.text, again.kinds)
        assert (proven.starts, proven.ends) == (again.starts, again.ends)
    if lexed.module:
        assert js_syntax.scan(filtered.text, js_syntax.goal(path)).module


def _is_script(text: str, module: bool = False) -> bool:
    """Whether an engine takes a text for a script, or for a module."""
    kind = "SourceTextModule" if module else "Script"
    program = f"new (require('vm').{kind})(require('fs').readFileSync(0, 'utf8'))"
    command = ["node", "--experimental-vm-modules", "-e", program]
    return not subprocess.run(command, input=text.encode(), stderr=subprocess.DEVNULL, check=False).returncode


def _read(lexed: Lexed) -> None:
    """A text that was read, in one piece."""
    text = lexed.text
    spans = list(lexed.spans())
    _seen(span.kind for span in spans)
    _seen(lexed.kinds)
    position = 0
    code = []
    for kind, start, end in spans:
        assert position <= start < end <= len(text), (kind, start, end)
        code.append((position, start))
        position = end
    code.append((position, len(text)))
    for start, end in code:
        assert not re.search("[\"'`]", text[start:end])
        if start + 1 < end:  # A line comment's own line end is no question.
            assert lexed.is_code(end - 1)
    for _, start, end in spans:
        if end - start > 2:
            assert not lexed.is_code(start + 2)
    comments = [(span.start, span.end) for span in spans if span.kind == "comment"]
    assert list(lexed.comments()) == comments
    mark = unused_mark(text)
    if mark:
        masked = lexed.masked(mark)
        hashbang = lexed.hashbang()
        if "html" not in lexed.kinds and not hashbang:
            restored = lexed.restored(masked, mark, "")
            assert restored is not None
            assert (restored.text, restored.starts, restored.ends) == (text, lexed.starts, lexed.ends)


def _script_tokens(lexed: Lexed, other: Lexed) -> tuple[list[str], list[tuple[Any, str]]]:
    mark = unused_mark(lexed.text, other.text)
    return js_tokens(lexed.masked(mark)), lexed.marked()


# ---- drawings and web manifests


def drawing(data: bytes) -> None:
    text = _text(data)
    scan = svg.find(text)
    assert scan == svg._found(text), "what has been told by its signs alone"
    _in_order(text, scan)
    see((len(scan.references), bool(scan.notes)))
    for note in scan.notes:
        assert 0 <= note.offset <= len(text)
        see(note.message)
    # Another encoding, entities and namespaces of its own are beyond this judge.
    if re.search("encoding|<!DOCTYPE|xmlns", text):
        return
    try:
        wanted = list(_hrefs(text))
    except xml.parsers.expat.ExpatError:
        return
    assert not scan.notes
    missing = Counter(wanted) - Counter(_blanks(one.path) for one in scan.references)
    assert not missing, missing


def _hrefs(text: str) -> Iterator[str]:
    values: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name in ("use", "image", "feImage"):
            values.extend(value for key, value in attributes.items() if key in ("href", "xlink:href"))

    parser = xml.parsers.expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    parser.Parse(text.encode(), True)
    for value in values:
        path = re.split("[?#]", value.strip(" \t\r\n\f"), maxsplit=1)[0]
        if is_local(path):
            yield _blanks(path)


def _blanks(path: str) -> str:
    return re.sub(r"\r\n|[\t\r\n]", " ", path)


def web_manifest(data: bytes) -> None:
    text = _text(data)
    try:
        scan = webmanifest.find(text)
    except LexError as error:
        see(error.message)
        assert 0 <= error.offset <= len(text)
        scan = None
    if scan:
        _in_order(text, scan)
        see(len(scan.references))
    try:
        said = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_Pairs, parse_constant=_refused, parse_int=len)
    except (ValueError, RecursionError) as error:
        assert scan is None or isinstance(error, RecursionError), error
        return
    assert scan is not None
    wanted = [one for one in _sources(said, ()) if one]
    assert sorted(wanted) == sorted(one.path for one in scan.references)


class _Pairs(list[tuple[str, object]]):
    """An object with every member that it has, one of a name that stands twice too."""


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _sources(value: object, place: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, _Pairs):
        for name, inner in value:
            yield from _sources(inner, (*place, "" if name == "*" else name))
    elif isinstance(value, list):
        for inner in value:
            yield from _sources(inner, (*place, "*"))
    elif isinstance(value, str) and place in (
        ("icons", "*", "src"),
        ("screenshots", "*", "src"),
        ("shortcuts", "*", "icons", "*", "src"),
    ):
        controls = "".join(map(chr, range(33)))
        path = re.split("[?#]", value.strip(controls), maxsplit=1)[0]
        path = path.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if is_local(path):
            yield path


# ---- references and what is put in their place


def _in_order(text: str, scan: Scan) -> None:
    position = 0
    for one in scan.references:
        see(one.kind)
        assert position <= one.start < one.end <= len(text), one
        assert 0 <= one.whole[0] <= one.start < one.end <= one.whole[1] <= len(text), one
        assert is_local(one.path)
        position = one.end
    for note in scan.notes:
        assert 0 <= note.offset <= len(text)


def _named(scan: Scan, but: str = "") -> list[tuple[str, str]]:
    return [(one.kind, one.path) for one in scan.references if one.kind != but]


_SCANNERS: Mapping[str, Callable[[str], Scan]] = {
    "css": css.find,
    "js": js.find,
    "svg": svg.find,
    "webmanifest": webmanifest.find,
}


def rewritten(data: bytes) -> None:
    """New names in a text: the text is as it was everywhere else, and what is read in it is the new names."""
    text = _text(data[1:])
    for number, (language, find) in enumerate(_SCANNERS.items()):
        if data[:1] and data[0] % len(_SCANNERS) != number:
            continue
        try:
            scan = find(text)
        except LexError:
            continue
        references = scan.references
        names = [f"d ir/\u00e9'\")(*{index}#?.png" for index in range(len(references))]
        new = [relative("here/a." + language, name, one.kind) for one, name in zip(references, names, strict=True)]
        made = substitute(text, [(one.start, one.end, name) for one, name in zip(references, new, strict=True)])
        pieces = _pieces(text, references)
        assert made == "".join(a + b for a, b in zip(pieces, [*new, ""], strict=True))
        again = find(made)
        assert len(again.references) == len(references), again
        for one, before, name in zip(again.references, references, names, strict=True):
            assert one.kind == before.kind
            assert aim("here/a." + language, one, "/") == name, one
        # Read once more, nothing moves.
        assert _pieces(made, again.references) == pieces
        _dropped(language, text, scan, find)


def _pieces(text: str, references: Iterable[Reference]) -> list[str]:
    """What stands between references."""
    pieces, position = [], 0
    for one in references:
        pieces.append(text[position : one.start])
        position = one.end
    return [*pieces, text[position:]]


def _dropped(language: str, text: str, scan: Scan, find: Callable[[str], Scan]) -> None:
    """Without the comment that names the source map, the text means what it meant."""
    if scan.map_comment is None or (language == "css" and not _sound(text)):
        return
    made = substitute(text, [(*scan.map_comment, scan.map_instead)])
    if language == "css":
        assert _significant(made) == _significant(text)
        assert _sound(made)
    else:
        assert js_comparison.first_difference(text, made) is None
    assert _named(find(made), but="sourcemap") == _named(scan, but="sourcemap")


def map_comment(data: bytes) -> None:
    text = _text(data)
    for line_comments in (True, False):
        comment = sourcemap.find(text, lambda _offset: True, line_comments)
        if comment is not None:
            see(comment.instead)
            start, end = comment.whole
            assert "sourceMappingURL=" in text[start:end]
            if comment.reference:
                assert start < comment.reference.start < comment.reference.end <= end
                assert text[comment.reference.start : comment.reference.end] == comment.reference.path


def names(data: bytes) -> None:
    """A file with any name, referred to from a file with any name: each language's reader finds the one that was meant."""
    here, there = (_path(part) for part in _two(_text(data)))
    if not (here and there):
        return
    for language, (kind, opening, closing) in _QUOTED.items():
        wanted = relative(here, there, kind)
        for found in (_SCANNERS[language](opening + wanted + closing).references, [Reference(0, 0, wanted, kind, (0, 0))]):
            (one,) = found
            assert aim(here, one, "/static/") == there
    assert printable(here + there).isprintable()


def _path(text: str) -> str:
    parts = [part for part in text.split("/") if part not in ("", ".", "..") and part.isprintable() and "\\" not in part]
    return "/".join(parts)


_QUOTED: Mapping[str, tuple[Any, str, str]] = {
    "css": ("url", "a{b:url(", ")}"),
    "js": ("module", 'import "', '"'),
    "svg": ("url", '<svg><use href="', '"/></svg>'),
    "webmanifest": ("url", '{"icons":[{"src":"', '"}]}'),
}


# ---- bundles


def _two(text: str) -> tuple[str, str]:
    first, between, second = text.partition(BETWEEN)
    if not between:
        first, second = text[: len(text) // 2], text[len(text) // 2 :]
    return first, second


def sheets_joined(data: bytes) -> None:
    first, second = _two(_text(data))
    texts = {"1.css": first, "2.css": second}
    joined = css_bundle.join(["1.css", "2.css"], {path: css_bundle.Sheet(path, text) for path, text in texts.items()})
    for fault in joined.faults:
        see(fault.message)
    if any(fault.severity == "error" for fault in joined.faults):
        return
    _copied(joined, texts)
    if not all(map(_sound, texts.values())):
        return  # Such a sheet is refused before it is joined.
    assert _sound(joined.text)
    urls = Counter(one for text in texts.values() for one in _named(css.find(text)) if one[0] == "url")
    made = Counter(one for one in _named(css.find(joined.text)) if one[0] == "url")
    if "charset" not in css_syntax.unescape(first + second).lower():  # It goes, with whatever may stand in it.
        assert urls == made, (urls, made)
    assert _rules(first) + _rules(second) == _rules(joined.text)


def _rules(text: str) -> list[object]:
    """The rules with something in them, as another reader of CSS has them."""
    parsed = tinycss2.parse_stylesheet(text.removeprefix("\ufeff"), skip_comments=True, skip_whitespace=True)
    return [_form(rule) for rule in parsed if rule.type in ("qualified-rule", "at-rule") and rule.content]


def _form(node: Any) -> object:
    said = [getattr(node, name, "") for name in ("type", "name", "at_keyword", "value", "unit", "is_identifier", "message")]
    inner = [getattr(node, name, None) for name in ("prelude", "content", "arguments")]
    return [*said, *([_form(one) for one in part if one.type not in ("comment", "error")] for part in inner if part)]


def scripts_joined(data: bytes) -> None:
    first, second = _two(_text(data))
    texts = {"1.js": first, "2.js": second}
    joined = js_bundle.join([js_bundle.Script(path, text) for path, text in texts.items()])
    for fault in joined.faults:
        see(fault.message)
    if any(fault.severity == "error" for fault in joined.faults):
        return
    _copied(joined, texts)
    spans = [span for text in texts.values() for span in _spans(js_syntax.scan(text, False))]
    try:
        assert list(_spans(js_syntax.scan(joined.text, False))) == spans
    except (AssertionError, LexError):
        if all(map(_is_script, texts.values())):
            raise


def _spans(lexed: Lexed) -> Iterator[tuple[str, str]]:
    hashbang = len(lexed.hashbang())
    for kind, start, end in lexed.spans():
        if start >= hashbang:
            yield kind, lexed.text[start:end]


def _copied(joined: Joined, texts: Mapping[str, str]) -> None:
    ends = [*joined.starts[1:], len(joined.text)][: len(joined.starts)]
    for (part, offset), start, end in zip(joined.pieces, joined.starts, ends, strict=True):
        if part:
            assert joined.text[start:end] == texts[part][offset : offset + end - start]
            assert joined.origin(start) == (part, offset)


# ---- configuration, manifest, artifact


def _folder() -> Path:
    """A folder that goes with the process; in memory, where there is such a place."""
    memory = Path("/dev/shm")
    made = tempfile.TemporaryDirectory(prefix="assetbuild-fuzz-", dir=memory if memory.is_dir() else None)
    _FOLDERS.append(made)
    return Path(made.name)


_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []
_PLACES: dict[str, Path] = {}


def configuration(data: bytes) -> None:
    if "configuration" not in _PLACES:
        _PLACES["configuration"] = _folder()
        (_PLACES["configuration"] / "assets").mkdir()
    folder = _PLACES["configuration"]
    file = folder / "assetbuild.toml"
    file.write_bytes(data)
    try:
        loaded = config.load(cwd=folder, environ={})
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            see(re.sub(r'".*"|[0-9]+', "", problem.message)[:40])
            assert str(problem).isprintable()
        return
    tomllib.loads(data.decode("utf-8-sig"))
    see(len(loaded.bundles))


def manifest(data: bytes) -> None:
    try:
        read = treaty.parse(data, "manifest.json")
    except treaty.ManifestError as error:
        see(error.message[:30])
        assert str(error).isprintable()
        return
    assert read == json.loads(data)
    written = treaty.dump(read)
    if b"Infinity" not in written:  # What is no number of ours: 1e400.
        assert treaty.parse(written, "manifest.json") == read


def artifact(data: bytes) -> None:
    """Any change to a file of an artifact is found; none is where there was none."""
    if "artifact" not in _PLACES:
        _PLACES["artifact"] = _folder()
        _make(_PLACES["artifact"])
    folder = _PLACES["artifact"]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    first, second, place, payload = (*data[:1], 0)[0], (*data[1:2], 0)[0], int.from_bytes(data[2:4]), data[4:]
    file = files[first % len(files)]
    before = file.read_bytes()
    place %= len(before) + 1
    changes = [payload, before[:place] + payload + before[place:], before[:place] + payload + before[place + len(payload) :]]
    changes += [before[:place], before[: len(before) - place] + payload, _patched(before, payload)]
    after = changes[second % len(changes)]
    file.write_bytes(after)
    try:
        found = verify(folder)
        for problem in found.findings:
            see(re.sub(r'".*"|[0-9]+', "", problem.message)[:40])
            assert str(problem).isprintable()
        if after == before:
            assert found.ok
        elif file.name != "manifest.json":
            assert not found.ok, (file, before, after)
        elif second % len(changes) == len(changes) - 1:
            assert not found.ok, after
    finally:
        file.write_bytes(before)


def _make(folder: Path) -> None:
    """An artifact with something of everything: text and pictures, references, variants, a file of an earlier release."""
    star = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9H0z"/></svg>'
    entries: dict[str, Any] = {}
    rows = []

    def add(logical_path: str, data: bytes, variants: bool = False) -> tuple[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        path = fingerprint.public_path(logical_path, digest)
        entry: Any = {"integrity": fingerprint.integrity(digest), "size": len(data)}
        files = {"": data, **({".br": brotli.compress(data), ".gz": gzip.compress(data, mtime=0)} if variants else {})}
        for suffix, content in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / (path + suffix)).write_bytes(content)
            rows.append((hashlib.sha256(content).hexdigest(), path + suffix))
        if variants:
            entry["variants"] = {"br": len(files[".br"]), "gzip": len(files[".gz"])}
        return path, entry

    for name, data in (("img/star.svg", star), ("img/a.png", bytes(range(256)))):
        path, entry = add(name, data, variants=name.endswith("svg"))
        entries[name] = {**entry, "path": path, "type": "x/y"}
    path, entry = add("css/a.css", f"a{{b:url(../{entries['img/star.svg']['path']})}}".encode(), variants=True)
    entries["css/a.css"] = {**entry, "path": path, "type": "text/css"}
    old, carried = add("css/a.css", b"a{b:c}")
    manifest: Any = {"version": 1, "mode": "production", "base_url": "/static/", "assets": entries}
    manifest["previous"] = [{"digest": "sha256-" + "0" * 64, "files": {old: carried}}]
    manifest["digest"] = treaty.digest(rows)
    (folder / treaty.NAME).write_bytes(treaty.dump(manifest))
    assert verify(folder).ok


def _patched(before: bytes, payload: bytes) -> bytes:
    """A manifest in its one form with other values for what is told of a file: path, integrity, size or variants."""
    with contextlib.suppress(ValueError, RecursionError):
        said, patch = json.loads(before), json.loads(payload)
        if isinstance(patch, dict) and "assets" in said:
            entry = said["assets"]["img/star.svg"]
            entry |= {key: patch[key] for key in ("path", "integrity", "size") if key in patch}
            with contextlib.suppress(TypeError):
                return treaty.dump(said)
    return before


TARGETS: Mapping[str, Target] = {
    "css": style_sheet,
    "js": script,
    "svg": drawing,
    "webmanifest": web_manifest,
    "sourcemap": map_comment,
    "rewriting": rewritten,
    "names": names,
    "bundle-css": sheets_joined,
    "bundle-js": scripts_joined,
    "configuration": configuration,
    "manifest": manifest,
    "verify": artifact,
}
