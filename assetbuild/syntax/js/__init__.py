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


#: Whether a script with this suffix is a module for sure; the others are what they look like.
_GOALS = {"mjs": True, "cjs": False}


def goal(path: str) -> bool | None:
    """Whether a file with this name is a module; None: its text tells."""
    return _GOALS.get(path.rpartition(".")[2].lower())


def scan(text: str, module: bool | None = None) -> Lexed:
    """Reads a script or a module; None: a module if it has static `import` or `export`, or `import.meta`.

    Raises LexError.
    """
    if module is not None:
        return Scanner(text, module).scan()
    if "import" not in text and "export" not in text:
        return Scanner(text, False).scan()
    try:
        lexed = Scanner(text, True).scan()
    except LexError:
        return Scanner(text, False).scan()
    if has_module_syntax(lexed):
        return lexed
    if lexed.goal_mattered or any(lexed.is_code(place) for place in places(text, "<!--", "-->")):
        return Scanner(text, False).scan()
    lexed.module = False
    return lexed


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
