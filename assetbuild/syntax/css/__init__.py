r"""CSS: a style sheet's tokens by CSS Syntax Level 3; `comparison` tells whether two style sheets have the same ones.

The tokenizer is as tolerant as the specification: every text has tokens, and no error stops it. One compiled regular
expression walks the text; each of its loops is possessive, so that any input takes linear time and no input is too deep.
Offsets count characters of the text as it was given. What the specification's preprocessing (section 3.3) would replace is
met where it stands: `\r\n`, `\r` and `\f` are line ends, NUL counts as U+FFFD, and a byte order mark at the head is no token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from assetbuild.syntax import LexError, expression
from assetbuild.syntax.css.grammar import (
    BAD_STRING,
    BAD_URL,
    BLANK,
    COMMENT,
    ESCAPE,
    ESCAPED_PART,
    IDENT,
    IN_DOUBLE,
    IN_SINGLE,
    NAME,
    NAME_CHARACTER,
    NUMBER,
    STRING,
    URL,
    URL_BODY,
)

_TOKEN = expression(
    rf"(?P<whitespace>{BLANK}++)"
    r"|(?P<CDC>-->)"
    rf"|(?P<url>{URL})|(?P<bad_url>{BAD_URL})"
    rf"|(?P<ident>{IDENT})(?P<function>\()?+"
    r"|(?P<punctuation>[(){}\[\]:;,])"
    rf"|(?P<number>{NUMBER})(?:(?P<percentage>%)|(?P<dimension>{IDENT}))?+"
    rf"|(?P<hash>\#{NAME}++)"
    rf"|(?P<string>{STRING})|(?P<bad_string>{BAD_STRING})"
    rf"|(?P<comment>{COMMENT})"
    rf"|(?P<at_keyword>@{IDENT})"
    r"|(?P<CDO><!--)"
    r"|(?P<delim>[\s\S])"
)
# The same without groups: `findall` then gives the tokens' texts. The branches that most tokens take come first.
_TEXT = expression(
    rf"{BLANK}++|-->|{URL}|{BAD_URL}|{IDENT}\(?+|[(){{}}\[\]:;,]|{NUMBER}(?:%|{IDENT})?+|\#{NAME}++"
    rf"|{STRING}|{BAD_STRING}|{COMMENT}|@{IDENT}|<!--|[\s\S]"
)
_KINDS: Final = {"bad_url": "bad-url", "bad_string": "bad-string", "at_keyword": "at-keyword"}
_PUNCTUATION: Final = {":": "colon", ";": "semicolon", ",": "comma", **{c: c for c in "(){}[]"}}


class Token(NamedTuple):
    """One token: its type by the specification's name without `-token` (`ident`, `function`, `at-keyword`, `hash`, `string`,
    `bad-string`, `url`, `bad-url`, `delim`, `number`, `percentage`, `dimension`, `whitespace`, `CDO`, `CDC`, `colon`,
    `semicolon`, `comma`, and the six brackets by themselves), or `comment`; and its span."""

    type: str
    start: int
    end: int


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of a style sheet, comments among them (CSS Syntax Level 3, section 4). `start` is where a token begins."""
    for match in _TOKEN.finditer(text, start or head(text)):
        kind = match.lastgroup or ""
        if kind == "punctuation":
            kind = _PUNCTUATION[match[0]]
        yield Token(_KINDS.get(kind, kind), match.start(), match.end())


def texts(text: str) -> list[str]:
    """What stands at each token, comments among them: the cheap form."""
    return _TEXT.findall(text, head(text))


def head(text: str) -> int:
    """The offset at which the first token may begin: behind a byte order mark."""
    return 1 if text.startswith("\ufeff") else 0


_ESCAPED = expression(r"\\(?:([0-9a-fA-F]{1,6}+)(?:\r\n|[ \t\r\n\f])?+|(\r\n|[\r\n\f])|([\s\S])|\Z)")


def unescape(text: str) -> str:
    """A name, or a string or URL without its quotes, with its escapes decoded and line continuations gone (section 4.3.7)."""
    return _ESCAPED.sub(_unescaped, text) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    if digits := match[1]:
        code = int(digits, 16)
        return "\ufffd" if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)
    return match[3] or ("" if match[2] else "\ufffd")


# The tokens among which references stand. One set of characters comes first, and then a look at which it was: so the search
# for the next of them runs at full speed.
_UNCLOSED_COMMENT = r"\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)"
_LANDMARK = expression(
    r"[\"'/(\\@](?:"
    rf"(?<=/)(?P<comment>{_UNCLOSED_COMMENT})"
    rf"|(?<=\")(?:(?P<double>{IN_DOUBLE}(?:\"|\Z))|(?P<bad_double>{IN_DOUBLE}))"
    rf"|(?<=')(?:(?P<single>{IN_SINGLE}(?:'|\Z))|(?P<bad_single>{IN_SINGLE}))"
    r"|(?<=[uUsS][rR][lLcC]\()(?P<short>)|(?<=[iI][mM][aA][gG][eE]-[sS][eE][tT]\()(?P<long>)"
    rf"|(?<=\\)(?P<escaped>{ESCAPED_PART}{NAME}*+)(?P<open>\()?+"
    rf"|(?<=@)(?P<at_keyword>{IDENT})"
    r")"
)
_IS_NAME_CHARACTER = expression(NAME_CHARACTER).match
_URL_AT = expression(rf"{BLANK}*+(?:(?P<quote>[\"'])|(?P<body>{URL_BODY}){BLANK}*+(?P<closed>\)|\Z))")
_BAD_URL_REST = expression(rf"(?:[^)\\]++|{ESCAPE}|\\)*+\)?+")
_LONGEST_NAME = 64
_LANDMARK_KINDS: Final = {
    "double": "string",
    "single": "string",
    "bad_double": "bad-string",
    "bad_single": "bad-string",
    "comment": "comment",
    "at_keyword": "at-keyword",
}


def landmark(text: str, start: int) -> Token | None:
    """The first comment, string, bad string, at-keyword, URL, bad URL or function `url`, `src` or `image-set` (whatever its
    prefix) from `start` on, where a token must begin; everything else is passed over at the speed of a search."""
    position = start
    while match := _LANDMARK.search(text, position):
        kind = match.lastgroup or ""
        if known := _LANDMARK_KINDS.get(kind):
            return Token(known, match.start(), match.end())
        position = match.end()
        if kind == "escaped":
            continue
        # A name's first escape is a match of its own, so that what stands before this one has none.
        begin = match.start()
        first = max(start, begin - _LONGEST_NAME)
        while begin > first and _IS_NAME_CHARACTER(text, begin - 1):
            begin -= 1
        if begin > start and text[begin - 1] in "@#":
            continue
        if begin > start + 1 and text.startswith("<!--", begin - 2):
            begin += 2  # Hyphens of a comment delimiter of HTML are no name's.
        name = unescape(text[begin : position - 1]).lower()
        if name == "url":
            return _url(text, begin, position)
        if name in ("src", "image-set", "-webkit-image-set"):
            return Token("function", begin, position)
    return None


def _url(text: str, begin: int, position: int) -> Token:
    match = _URL_AT.match(text, position)
    if match is None:
        rest = _BAD_URL_REST.match(text, position)
        return Token("bad-url", begin, rest.end() if rest else position)
    if match["quote"]:
        return Token("function", begin, position)
    return Token("url", begin, match.end())


def inside(text: str, token: Token) -> tuple[int, int]:
    """The span of what stands within a string's quotes, or in a URL's parentheses without the blanks at its ends."""
    if token.type == "url":
        match = _URL_AT.match(text, text.index("(", token.start) + 1)
        return match.span("body") if match else (token.end, token.end)
    start, end = token.start + 1, token.end
    if _CLOSED.match(text, token.start):
        return start, end - 1
    # At the end of the text a backslash escapes nothing.
    backslashes = end - start - len(text[start:end].rstrip("\\"))
    return start, end - backslashes % 2


# What is in order, up to the first mistake, in one match.
_CLOSED_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
_CLOSED_STRING = rf"\"{IN_DOUBLE}\"|'{IN_SINGLE}'"
_SOUND = expression(
    rf"(?:[^\"'/@#\\\-0-9A-Z_a-z\0\x80-\U0010ffff]++|{URL}|{BAD_URL}|{NAME}++|[@#]{NAME}*+|{_CLOSED_STRING}"
    rf"|{_CLOSED_COMMENT}|/(?!\*)|\\)*+"
)
_CLOSED = expression(_CLOSED_STRING)
_BROKEN_STRING = expression(rf"(?:{BAD_STRING})(?=[\r\n\f])")


def check(text: str) -> None:
    """Raises LexError at the first comment or string that has no end, or string that a line end breaks. The specification
    goes on after these, but with something else than what was meant."""
    found = _SOUND.match(text)
    end = found.end() if found else 0
    if end == len(text):
        return
    if text.startswith("/*", end):
        raise LexError("this comment has no end", end)
    if _BROKEN_STRING.match(text, end):
        raise LexError("this string is broken by the end of its line", end)
    raise LexError("this string has no end", end)
