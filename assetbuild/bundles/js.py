"""Scripts joined into one, so that the end of one can neither swallow nor continue into the next.

A script ends in a line end and a semicolon, where it has none: `var a = function () {}` before `(function () {})()` calls
nothing. A directive is one only at the head of a whole script (ECMAScript 2025, 11.2.1). Where every part begins with
`"use strict"`, the joined script does too; where only some do, the bundle begins with an empty statement, behind which none
is a directive, and a warning tells. ES modules cannot be joined by putting one behind the other: each has a scope and a URL.

What is declared at the top of a script is there before the first line of it runs, and in a bundle before the first line of
all: of two functions of a name the later one holds for both, which a warning tells, and a name of `let`, `const` or `class`
that is declared twice keeps the whole bundle from running, as does a `return` outside of functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from assetbuild.bundles import Builder, Fault, Joined
from assetbuild.syntax import LexError, expression, js
from assetbuild.syntax.js.grammar import BLOCK_COMMENT, LINE_COMMENT, LINE_END, NEWLINE, NEXT_BRACKET, STRING, TEMPLATE, TRIVIA
from assetbuild.syntax.js.spans import Lexed, places

_DIRECTIVE = expression(rf"({TRIVIA})({STRING})")
# Behind a string: a semicolon or the end of the text ends the directive; so does a line end, unless the next token continues
# the expression (12.10.1).
_ENDED = expression(
    rf"(?:[^\S{LINE_END}]++|/\*[^*{LINE_END}]*+(?:\*(?!/)[^*{LINE_END}]*+)*+\*/)*+(?:;|\}}|\Z"
    rf"|(?=[{LINE_END}]|{LINE_COMMENT}|{BLOCK_COMMENT}){TRIVIA}(?:\Z|;|\+\+|--|!(?!=)|(?!(?:in|instanceof)(?![\w$]))[\w$\"'{{\\#@~\x80-\U0010ffff]))"
)
_STRICT = ('"use strict"', "'use strict'")


@dataclass(frozen=True, slots=True)
class Script:
    """A part: its path and text, and new text for spans of it. module: whether its name says that it is one."""

    path: str
    text: str
    edits: tuple[tuple[int, int, str], ...] = ()
    module: bool = False


class _Name(NamedTuple):
    """A name that is declared at the top level. lexical: by `let`, `const` or `class`."""

    kind: Literal["function", "var", "lexical"]
    offset: int


@dataclass(slots=True)
class _Outline:
    """What is known of a script from its top level. first: its first token, "" where it has none; unmatched: the first bracket
    that closes nothing or is not closed, and returns: the first `return` outside of brackets, or -1."""

    first: str = ""
    first_at: int = -1
    names: dict[str, _Name] = field(default_factory=dict)
    unmatched: int = -1
    returns: int = -1

    def declare(self, name: str, kind: Literal["function", "var", "lexical"], offset: int) -> None:
        before = self.names.get(name)
        if before is None or (before.kind == "var" and kind != "var"):
            self.names[name] = _Name(kind, offset)


def join(scripts: Sequence[Script]) -> Joined:
    """The scripts as one. The faults say what cannot be joined, and what changes."""
    faults: list[Fault] = []
    read: list[tuple[Script, Lexed, _Outline]] = []
    for script in scripts:
        try:
            lexed = js.scan(script.text, True if script.module else None)
        except LexError as error:
            faults.append(Fault(script.path, error.offset, error.message, _TAKES_DOWN))
            continue
        outline = _outline(lexed)
        read.append((script, lexed, outline))
        faults += _refusals(script, lexed, outline)
    faults += _clashes([(script.path, outline) for script, _, outline in read])
    strict = [_directive(lexed) for _, lexed, _ in read]
    # What has no token is in no mode.
    modes = {at >= 0 for (_, _, outline), at in zip(read, strict, strict=True) if outline.first}
    mixed = len(modes) == 2
    builder = Builder()
    if mixed:
        builder.write(";\n")
    for (script, lexed, _), at in zip(read, strict, strict=True):
        if mixed and at >= 0:
            message = 'this "use strict" is without effect in the bundle, whose other parts are not in strict mode'
            hint = "bundle strict scripts apart from others, or put the directive into a function"
            faults.append(Fault(script.path, at, message, hint, "warning"))
        if not builder.ends_line("\n\r"):
            builder.write("\n")
        text = script.text
        start = len(lexed.hashbang()) or text.startswith("\ufeff")
        builder.copy(script.path, text, start, len(text), script.edits)
        if script is not read[-1][0] and not _ends_statement(text, lexed):
            builder.write(";\n" if builder.ends_line("\n\r") else "\n;\n")
    return builder.joined(faults)


_TAKES_DOWN = "mend it: in a bundle it would take the other parts down with it"


def _refusals(script: Script, lexed: Lexed, outline: _Outline) -> list[Fault]:
    if lexed.module:
        offset = next((place for place in places(script.text, "import", "export") if lexed.is_code(place)), 0)
        message = "this is an ES module, and a bundle joins classic scripts"
        hint = 'take it out and load it with <script type="module">: its imports are linked as they are'
        return [Fault(script.path, offset, message, hint)]
    if outline.unmatched >= 0:
        return [Fault(script.path, outline.unmatched, "the brackets of this script do not match", _TAKES_DOWN)]
    faults = []
    if outline.returns >= 0:
        faults.append(Fault(script.path, outline.returns, "this return is in no function", _TAKES_DOWN))
    if outline.first in ("else", "catch", "finally"):
        message = f'this begins with "{outline.first}", and one part of a bundle cannot continue into the next'
        faults.append(Fault(script.path, outline.first_at, message, "make one file of the two"))
    return faults


def _clashes(read: Sequence[tuple[str, _Outline]]) -> list[Fault]:
    """Names that two parts declare, where they do not come to what they were apart."""
    faults: list[Fault] = []
    known: dict[str, tuple[str, str]] = {}
    for path, outline in read:
        for name, (kind, offset) in outline.names.items():
            other, before = known.setdefault(name, (path, kind))
            if other == path:
                continue
            if "lexical" in (kind, before):
                message = f'"{name}" is declared in {other} too: with let, const or class a name can be declared only once'
                faults.append(Fault(path, offset, message, _APART))
            elif kind == "function":
                message = (
                    f'"{name}" is declared in {other} too: in a bundle the last one holds from the start, for {other} as well'
                )
                faults.append(Fault(path, offset, message, _APART, "warning"))
                known[name] = (other, kind)
    return faults


_APART = "put each part into (function () { … })()"

_SKIP = expression(TRIVIA)
_TOKEN = expression(
    rf"(?P<literal>{STRING}|{TEMPLATE})|(?P<word>[\w$\\\x80-\U0010ffff]++)|[()\[\]{{}}]|=>|\+\+|--|\?\.(?![0-9])|[\s\S]"
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
# Behind these a word goes on with what they begin, whatever lines are between.
_UNFINISHED = frozenset(
    {"typeof", "void", "new", "delete", "in", "of", "instanceof", "throw", "await", "yield", "case", "else", "do", "extends"}
    | {"default", "async"}
)
# Names in a pattern that has neither defaults nor computed keys: what is no key with a colon.
_PATTERN = expression(r"[\w$\s,:.{}\[\]\x80-\U0010ffff]*+")
_PATTERN_NAME = expression(r"(?<![\w$])[A-Za-z_$\x80-\U0010ffff][\w$]*+(?!\s*:)")


def _outline(lexed: Lexed) -> _Outline:
    """Reads the tokens outside of brackets; over what is in brackets it goes from one bracket to the next."""
    outline = _Outline()
    walk = _Walk(lexed.text, outline)
    kinds: list[str] = [*lexed.kinds, ""]
    for kind, (start, end) in zip(kinds, lexed.runs(), strict=True):
        walk.run(start, end)
        if kind == "head":
            walk.open("${", end)
        elif kind == "tail":
            walk.close("${", end)
            walk.token("literal", "`", end)
        elif kind == "regexp":
            walk.token("literal", "/", end)
        elif kind in ("html", "hashbang"):
            walk.newline = True
        if outline.unmatched >= 0:
            return outline
    if walk.stack:
        outline.unmatched = walk.stack[0][1]
    return outline


class _Walk:
    """A walk over the top level. last: the last token; newline: whether a line ended behind it; wanted: what kind of name may
    come next; kind: what the open declaration declares."""

    def __init__(self, text: str, outline: _Outline) -> None:
        self.text = text
        self.outline = outline
        self.stack: list[tuple[str, int]] = []
        self.last = ""
        self.operand = False
        self.newline = False
        self.wanted = False
        self.kind: Literal["function", "var", "lexical"] | None = None

    def run(self, position: int, end: int) -> None:
        text = self.text
        while position < end and self.outline.unmatched < 0:
            if self.stack:
                found = NEXT_BRACKET.match(text, position, end)
                if found is None:
                    return
                bracket = found[1]
                position = found.end()
                if bracket and bracket in "([{":
                    self.open(bracket, found.start(1))
                elif bracket and bracket != "class":
                    self.close(bracket, found.start(1))
                continue
            skipped = _SKIP.match(text, position, end)
            if skipped and skipped.end() > position:
                self.newline = self.newline or NEWLINE.search(text, position, skipped.end()) is not None
                position = skipped.end()
                continue
            found = _TOKEN.match(text, position, end)
            if found is None:
                return
            self.token(found.lastgroup or "", found[0], position)
            position = found.end()

    def open(self, bracket: str, offset: int) -> None:
        if not self.stack:
            self.token("open", bracket, offset)
        else:
            self.stack.append((bracket, offset))

    def close(self, bracket: str, offset: int) -> None:
        if not self.stack or _CLOSING.get(self.stack[-1][0], "${") != bracket:
            self.outline.unmatched = offset
            return
        opened, start = self.stack.pop()
        if self.stack:
            return
        if self.wanted and self.kind and opened in "[{":
            pattern = _PATTERN.fullmatch(self.text, start, offset)
            for name in _PATTERN_NAME.finditer(self.text, start, offset) if pattern else ():
                self.outline.declare(name[0], self.kind, name.start())
        elif opened == "(" and self.last == "for(":
            self.loop(start + 1, offset)
        self.wanted = False
        self.last, self.operand, self.newline = bracket, True, False

    def loop(self, start: int, end: int) -> None:
        """`for (var i …)`: its names are the script's."""
        found = _LOOP_NAME.match(self.text, start, end)
        if found:
            self.outline.declare(found[1], "var", found.start(1))

    def token(self, group: str, token: str, offset: int) -> None:
        if self.stack:
            return
        outline = self.outline
        if not outline.first:
            outline.first, outline.first_at = token, offset
        word = group == "word"
        # A statement begins here; or behind a line end, where what stood before it can end.
        fresh = self.last in ("", ";", "}") or (self.newline and self.operand and not self.wanted)
        if (word and token not in ("in", "of", "instanceof") and fresh) or token == ";":
            self.kind, self.wanted = None, False
        if token in _CLOSING or token == "${":
            self.stack.append((token, offset))
            self.last = "for(" if self.last in ("for", "for await") and token == "(" else self.last
            return
        if token in (")", "]", "}"):
            outline.unmatched = offset
            return
        last = token
        if word and self.wanted and self.kind:
            outline.declare(token, self.kind, offset)
            self.wanted = False
        elif word and self.last not in (".", "?.", "#"):
            if token == "return" and outline.returns < 0:
                outline.returns = offset
            elif token == "await" and self.last == "for":
                last = "for await"
            elif token == "async" and fresh:
                last = "fresh async"
            elif fresh or (token == "function" and self.last == "fresh async" and not self.newline):
                self.kind = _DECLARING.get(token)
                self.wanted = self.kind is not None
        elif token == "," and self.kind in ("var", "lexical"):
            self.wanted = True
        elif token != "*":
            self.wanted = False
        self.last = last
        self.operand = (
            group == "literal" or (word and (token not in _UNFINISHED or last == "fresh async")) or token in ("++", "--")
        )
        self.newline = False


_DECLARING: dict[str, Literal["function", "var", "lexical"]] = {
    "function": "function",
    "var": "var",
    "let": "lexical",
    "const": "lexical",
    "class": "lexical",
}
_LOOP_NAME = expression(rf"{TRIVIA}var(?![\w$\\]){TRIVIA}([\w$\\\x80-\U0010ffff]++)")


def _directive(lexed: Lexed) -> int:
    """Where the directive `"use strict"` of a script stands, or -1."""
    text = lexed.text
    if "html" in lexed.kinds:  # A line end follows on such a comment, or the text's.
        pieces, position = list[str](), 0
        for kind, start, end in zip(lexed.kinds, lexed.starts, lexed.ends, strict=True):
            if kind == "html":
                pieces += (text[position:start], " " * (end - start))
                position = end
        text = "".join((*pieces, text[position:]))
    position = len(lexed.hashbang()) or int(text.startswith("\ufeff"))
    while found := _DIRECTIVE.match(text, position):
        ended = _ENDED.match(text, found.end())
        if ended is None:
            return -1
        if found[2] in _STRICT:
            return found.start(2)
        position = found.end()
        semicolon = expression(rf"{TRIVIA};").match(text, position)
        if semicolon:
            position = semicolon.end()
    return -1


def _ends_statement(text: str, lexed: Lexed) -> bool:
    """Whether the last token is a semicolon, or there is none."""
    end = lexed.token_end(len(text))
    return end == 0 or (text[end - 1] == ";" and lexed.is_code(end - 1))
