"""The skeleton of a JavaScript text: its code alone, a stand-in for each string and template, comments gone, so that what is
left is plain enough for the fastest means there are. What this form can't speak for (blanks beyond ASCII, escapes in names that
end in a brace) has no skeleton."""

from __future__ import annotations

from dataclasses import dataclass

from assetbuild.syntax import expression
from assetbuild.syntax.js.grammar import OPAQUE

#: What stands for a string or a template, and for a comment that is kept, without and with a line end in it.
STRING = '""'
COMMENT = "/*!*/"
LINES = "/*!n*/"

_OPAQUE = expression(f"({OPAQUE})")
_STAND_IN = expression(r'""|/\*!n?\*/')
# Blanks and line ends, by Python or by ECMAScript, that are not the same to both or beyond ASCII.
_ODD = "\v\f\x1c\x1d\x1e\x1f"
_FOREIGN = expression(r"[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")
_WIDE = expression(r"  ++")
_NEWLINE = expression(r"[\n\r\u2028\u2029]")
# A line end that ends no statement: behind a token that can't end one, and before one that can't follow one (see tokens).
_IDLE_LINE_END = expression(
    r"\n(?:(?<=[{(\[;,=:?!~&|^%*<>/]\n)|(?=[)\]},;:?<>&|^%]|\.(?![0-9])|=(?!>)|!=|[+\-]=|\*[*=])"
    r"|(?<=[^0-9_]\.\n)|(?<=[^+]\+\n)|(?<=[^\-]-\n))"
)
# A blank between two characters that can't become one token, nor parts of others. Behind a slash that divides a stand-in may be
# a regular expression: see `merges`.
_MARKS = r"()\[\]{};,:~\""
_OPERATORS = r"=&|^%*<>?!/+\-"
_NAME = r"[^\x00-\"%-/:-?\[\]^`{-~]"
_IDLE_BLANK = expression(
    rf" (?:(?<=[{_MARKS}] )|(?=[{_MARKS}])"
    rf"|(?<=[{_OPERATORS}] )(?={_NAME})|(?<=[\w$] )(?=[{_OPERATORS}#])"
    r"|(?<=[=&|^%*>?!/] )(?=[!+\-])|(?<=[<+] )(?=-)|(?<=[<\-] )(?=\+)|(?<=[+\-] )(?=!)"
    rf"|(?:(?<=[^+]\+\+ )|(?<=[^\-]-- ))(?=[<>&|^%?*=!])|(?<=[=&|^%*<>!/+\-] )(?=\.[0-9])"
    # A name, or what stands for a regular expression; a number may take the dot.
    r"|(?:(?<=[A-Za-z$] )|(?<=[A-Za-z$][0-9_] )|(?<=[A-Za-z$][0-9_][0-9_] )|(?<=\"_ ))(?=\.)"
    r"|(?:(?<=[^0-9_.]\. )|(?<=\.\.\. ))(?=[A-Za-z$_#]))"
)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """text: the code, no blank at a line's ends, no empty line. taken: what stand-ins stand for, in order. comments: how many
    of these are comments."""

    text: str
    taken: list[str]
    comments: int

    def filled(self, text: str) -> str | None:
        """A text with this one's stand-ins, in which what they stand for is put back; None where they are not the same."""
        if self.comments:
            if _STAND_IN.findall(text) != [_stand_in(one) for one in self.taken]:
                return None
            pieces = _STAND_IN.split(text)
        else:
            pieces = text.split(STRING)
            if len(pieces) != len(self.taken) + 1:
                return None
        parts = [""] * (2 * len(pieces) - 1)
        parts[::2] = pieces
        parts[1::2] = self.taken
        return "".join(parts)


def skeleton(masked: str) -> Skeleton | None:
    """The skeleton of a text whose hard spans are masked (see spans.Lexed.masked); comments that begin with `/*!` stay."""
    parts = _OPAQUE.split(masked)
    opaque = parts[1::2]
    parts[1::2] = [STRING if one[0] != "/" else _stand_in(one) for one in opaque]
    taken = [one for one in opaque if one[0] != "/" or one.startswith("/*!")]
    text = "".join(parts)
    if any(odd in text for odd in _ODD) or "\\u{" in text or (not text.isascii() and _FOREIGN.search(text)):
        return None
    text = _lines(text)
    if "\t" in text:
        text = text.replace("\t", " ")
    if "  " in text:
        text = _WIDE.sub(" ", text)
    return Skeleton(text, taken, sum(one[0] == "/" for one in taken))


def _stand_in(opaque: str) -> str:
    if opaque[0] != "/":
        return STRING
    if opaque[1] == "/":
        return " "
    lines = _NEWLINE.search(opaque)
    if opaque[2] == "!":
        return LINES if lines else COMMENT
    return "\n" if lines else " "


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(str.strip, text.splitlines())))


def canonical(text: str) -> str:
    """A skeleton's text without the blanks and line ends that mean nothing. Where two are equal, both texts have the same
    tokens, and the same line ends that may end a statement; they may differ all the same where a blank is in doubt."""
    if "/*!" in text:
        text = _lines(text.replace(COMMENT, " ").replace(LINES, "\n"))
        text = _WIDE.sub(" ", text)
    return _IDLE_BLANK.sub("", _IDLE_LINE_END.sub(" ", text))


def merges(text: str, module: bool) -> bool:
    """Whether a skeleton's text may hold a comment where its tokens have none: a slash before a regular expression or before a
    comment, or what a script takes for `<!--`, or for `-->` at a line's beginning."""
    if '/""_' in text or "//" in text:
        return True
    if module or ("<!--" not in text and "-->" not in text):
        return False
    return "<!--" in text or text.startswith("-->") or "\n-->" in text or "/*!" in text
