"""JavaScript (ECMAScript 2025): where its comments, strings, templates and regular expressions are, and whether two texts
have the same tokens. `scan` reads a text, `spans` says what comes of it, `comparison` holds two texts against each other.
"""

from __future__ import annotations

from assetbuild.syntax import LexError, expression
from assetbuild.syntax.js.grammar import TRIVIA
from assetbuild.syntax.js.scanner import Scanner
from assetbuild.syntax.js.spans import Lexed, places

_MODULE_SYNTAX = expression(
    rf"import{TRIVIA}(?:[\"'{{*]|(?:(?<![\w$])|(?<=import))(?!as\b)[\w$\\]|[^\x00-\x7f]|\.{TRIVIA}meta(?![\w$]))"
    rf"|export{TRIVIA}(?:[{{*]|(?:default|const|let|var|function|class|async)(?![\w$\\]))"
)
_MODULE_WORD = expression(r"(?<![\w$\\#])(?:im|ex)port(?![\w$\\:])")


# What no name can have behind it on its line.
_AWAIT = expression(
    r"(?<![\w$\\#])(?:(?<=for )await[ \t]*+\(|await(?:[ \t]*+(?:[\"'~{]|!(?!=))"
    r"|[ \t]++(?!(?:in|of|instanceof)(?![\w$]))[\w$\\\x80-\U0010ffff]))"
)

# How far before an `await` the arrow of a function without braces is looked for, in characters.
_NEAR = 500

#: Whether a script with this suffix is a module for sure; the others are what they look like.
_GOALS = {"mjs": True, "cjs": False}


def goal(path: str) -> bool | None:
    """Whether a file with this name is a module; None: its text tells."""
    return _GOALS.get(path.rpartition(".")[2].lower())


def scan(text: str, module: bool | None = None) -> Lexed:
    """Reads a script or a module; None: a module if it has static `import` or `export`, or `import.meta`, or if it awaits
    outside of functions and that decides how it reads.

    Raises LexError.
    """
    if module is not None:
        return Scanner(text, module).scan()
    if "import" not in text and "export" not in text:
        return _scanned(text)
    try:
        lexed = Scanner(text, True).scan()
    except LexError:
        return _scanned(text)
    if has_module_syntax(lexed):
        return lexed
    if lexed.unsure >= 0 or any(lexed.is_code(place) for place in places(text, "<!--", "-->")):
        return _scanned(text)
    lexed.module = False
    return lexed


def _scanned(text: str) -> Lexed:
    """Reads what has nothing of a module but, it may be, an `await`: before a slash that is a name in a script, which is
    divided, and an operator in a module, whose operand is a regular expression."""
    script: Lexed | LexError
    try:
        script = Scanner(text, False).scan()
        if script.unsure < 0:
            return script
    except LexError as error:
        if "await" not in text:
            raise
        script = error
    try:
        module = Scanner(text, True).scan()
    except LexError:
        module = None
    if module and module.unsure >= 0 and (isinstance(script, LexError) or _awaits(module)):
        return module
    if isinstance(script, LexError):
        raise script
    if module:
        raise LexError("nothing tells whether this is a module, where await is no name", script.unsure)
    return script


def _awaits(lexed: Lexed) -> bool:
    """Whether a text awaits outside of functions, and of all brackets, as no script can."""
    text = lexed.text
    for found in _AWAIT.finditer(text):
        place = found.start()
        low = max(place - _NEAR, 0)
        statement = text[max(low, text.rfind(";", low, place), text.rfind("}", low, place)) : place]
        if "=>" not in statement and lexed.is_code(place) and not lexed.is_property(place) and not lexed.depth(place):
            return True
    return False


def has_module_syntax(lexed: Lexed) -> bool:
    """Whether the text has static `import` or `export`, or `import.meta`."""
    text = lexed.text
    for start in lexed.module_words():
        shaped = _MODULE_WORD.match(text, start) and _MODULE_SYNTAX.match(text, start)
        if shaped and lexed.is_code(start) and not lexed.is_property(start):
            return True
    return False


def is_module(text: str) -> bool:
    """Whether a text is a module: it has static `import` or `export`, or `import.meta`. Raises LexError."""
    return scan(text).module
