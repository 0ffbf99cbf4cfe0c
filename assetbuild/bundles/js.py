"""Scripts joined into one, so that the end of one can neither swallow nor continue into the next.

A script ends in a line end and a semicolon, where it has none: `var a = function () {}` before `(function () {})()` calls
nothing. A directive is one only at the head of a whole script (ECMAScript 2025, 11.2.1). Where every part begins with
`"use strict"`, the joined script does too; where only some do, the bundle begins with an empty statement, behind which none
is a directive, and a warning tells. ES modules cannot be joined by putting one behind the other: each has a scope and a URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assetbuild.bundles import Builder, Fault, Joined
from assetbuild.syntax import LexError, expression, js
from assetbuild.syntax.js.grammar import BLOCK_COMMENT, LINE_COMMENT, LINE_END, STRING, TRIVIA
from assetbuild.syntax.js.spans import Lexed

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


def join(scripts: Sequence[Script]) -> Joined:
    """The scripts as one. The faults say what cannot be joined, and what changes."""
    faults: list[Fault] = []
    read: list[tuple[Script, Lexed]] = []
    for script in scripts:
        try:
            lexed = js.scan(script.text, True if script.module else None)
        except LexError as error:
            hint = "mend it: in a bundle it would take the other parts down with it"
            faults.append(Fault(script.path, error.offset, error.message, hint))
            continue
        read.append((script, lexed))
        faults += _refusals(script, lexed)
    strict = [_directive(script.text, lexed) for script, lexed in read]
    mixed = any(at >= 0 for at in strict) and not all(at >= 0 for at in strict)
    builder = Builder()
    if mixed:
        builder.write(";\n")
    for (script, lexed), at in zip(read, strict, strict=True):
        if mixed and at >= 0:
            message = 'this "use strict" is without effect in the bundle, whose other parts are not in strict mode'
            hint = "bundle strict scripts apart from others, or put the directive into a function"
            faults.append(Fault(script.path, at, message, hint, "warning"))
        if not builder.ends_line():
            builder.write("\n")
        text = script.text
        start = len(lexed.hashbang()) or text.startswith("\ufeff")
        builder.copy(script.path, text, start, len(text), script.edits)
        if script is not read[-1][0] and not _ends_statement(text, lexed):
            builder.write(";\n" if builder.ends_line() else "\n;\n")
    return builder.joined(faults)


def _refusals(script: Script, lexed: Lexed) -> list[Fault]:
    if lexed.module:
        offset = next((place for place in js.places(script.text, "import", "export") if lexed.is_code(place)), 0)
        message = "this is an ES module, and a bundle joins classic scripts"
        hint = 'take it out and load it with <script type="module">: its imports are linked as they are'
        return [Fault(script.path, offset, message, hint)]
    if lexed.depth(len(script.text)) != 0:
        hint = "mend it: in a bundle it would take the other parts down with it"
        return [Fault(script.path, -1, "the brackets of this script do not match", hint)]
    return []


def _directive(text: str, lexed: Lexed) -> int:
    """Where the directive `"use strict"` of a script stands, or -1."""
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
    end = len(text)
    comments = {stop: start for start, stop in lexed.comments()}
    while end:
        stripped = len(text[:end].rstrip())
        if stripped in comments:
            end = comments[stripped]
        elif end in comments:  # A line comment that ends in blanks.
            end = comments[end]
        elif stripped == end:
            break
        else:
            end = stripped
    return end == 0 or (text[end - 1] == ";" and lexed.is_code(end - 1))
