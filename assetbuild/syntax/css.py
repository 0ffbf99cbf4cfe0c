r"""CSS: a style sheet's tokens by CSS Syntax Level 3, and whether two style sheets have the same ones.

The tokenizer is as tolerant as the specification: every text has tokens, and no error stops it. One compiled regular
expression walks the text; each of its loops is possessive, so that any input takes linear time and no input is too deep.
Offsets count characters of the text as it was given. What the specification's preprocessing (section 3.3) would replace is
met where it stands: `\r\n`, `\r` and `\f` are line ends, NUL counts as U+FFFD, and a byte order mark at the head is no token.
Every character from U+0080 on may stand in a name, as all browsers have it (the draft has since taken some of them out).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Final, NamedTuple

from assetbuild.syntax import Difference, LexError

_BLANK = r"[ \t\r\n\f]"
_ESCAPED_PART = r"(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+|[^0-9a-fA-F\r\n\f]|\Z)"
_ESCAPE = rf"\\{_ESCAPED_PART}"
_NAME_START = r"[^\x01-@\[-^`{-\x7f]"
_NAME_CHARACTER = r"[^\x01-,./:-@\[-^`{-\x7f]"
_NAME = rf"(?:{_NAME_CHARACTER}++|{_ESCAPE})"
_IDENT = rf"(?:--|-?(?:{_NAME_START}|{_ESCAPE})){_NAME}*+"
_NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+"
_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)"
# Here a line end may follow a backslash; and it may end an escape in digits, as any blank does.
_IN_ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+|\r\n|[\s\S]|\Z)"
_IN_DOUBLE = rf"(?:[^\"\\\r\n\f]++|{_IN_ESCAPE})*+"
_IN_SINGLE = rf"(?:[^'\\\r\n\f]++|{_IN_ESCAPE})*+"
_STRING = rf"\"{_IN_DOUBLE}(?:\"|\Z)|'{_IN_SINGLE}(?:'|\Z)"
_BAD_STRING = rf"\"{_IN_DOUBLE}|'{_IN_SINGLE}"


def _letter(plain: str, codes: str) -> str:
    # A letter of a keyword, or an escape that means it.
    return rf"(?:[{plain}]|\\(?:[{plain}]|0{{0,4}}{codes}(?:\r\n|{_BLANK})?+))"


# "url" with its parenthesis, in any letter case, each letter plain or escaped.
_URL_OPEN = _letter("uU", "[57]5") + _letter("rR", "[57]2") + _letter("lL", "[46][cC]") + r"\("
_URL_BODY = rf"(?:[^\"'()\\ \t\r\n\f\x01-\x08\x0b\x0e-\x1f\x7f]++|{_ESCAPE})*+"
_URL = rf"{_URL_OPEN}{_BLANK}*+(?![\"']){_URL_BODY}{_BLANK}*+(?:\)|\Z)"
_BAD_URL = rf"{_URL_OPEN}(?!{_BLANK}*+[\"'])(?:[^)\\]++|{_ESCAPE}|\\)*+\)?+"

_TOKEN = re.compile(
    rf"(?P<whitespace>{_BLANK}++)"
    r"|(?P<CDC>-->)"
    rf"|(?P<url>{_URL})|(?P<bad_url>{_BAD_URL})"
    rf"|(?P<ident>{_IDENT})(?P<function>\()?+"
    r"|(?P<punctuation>[(){}\[\]:;,])"
    rf"|(?P<number>{_NUMBER})(?:(?P<percentage>%)|(?P<dimension>{_IDENT}))?+"
    rf"|(?P<hash>\#{_NAME}++)"
    rf"|(?P<string>{_STRING})|(?P<bad_string>{_BAD_STRING})"
    rf"|(?P<comment>{_COMMENT})"
    rf"|(?P<at_keyword>@{_IDENT})"
    r"|(?P<CDO><!--)"
    r"|(?P<delim>[\s\S])"
)
# The same without groups: `findall` then gives the tokens' texts. The branches that most tokens take come first.
_TEXT = re.compile(
    rf"{_BLANK}++|-->|{_URL}|{_BAD_URL}|{_IDENT}\(?+|[(){{}}\[\]:;,]|{_NUMBER}(?:%|{_IDENT})?+|\#{_NAME}++"
    rf"|{_STRING}|{_BAD_STRING}|{_COMMENT}|@{_IDENT}|<!--|[\s\S]"
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


_ESCAPED = re.compile(r"\\(?:([0-9a-fA-F]{1,6}+)(?:\r\n|[ \t\r\n\f])?+|(\r\n|[\r\n\f])|([\s\S])|\Z)")


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
_LANDMARK = re.compile(
    r"[\"'/(\\@](?:"
    rf"(?<=/)(?P<comment>{_UNCLOSED_COMMENT})"
    rf"|(?<=\")(?:(?P<double>{_IN_DOUBLE}(?:\"|\Z))|(?P<bad_double>{_IN_DOUBLE}))"
    rf"|(?<=')(?:(?P<single>{_IN_SINGLE}(?:'|\Z))|(?P<bad_single>{_IN_SINGLE}))"
    r"|(?<=[uUsS][rR][lLcC]\()(?P<short>)|(?<=[iI][mM][aA][gG][eE]-[sS][eE][tT]\()(?P<long>)"
    rf"|(?<=\\)(?P<escaped>{_ESCAPED_PART}{_NAME}*+)(?P<open>\()?+"
    rf"|(?<=@)(?P<at_keyword>{_IDENT})"
    r")"
)
_IS_NAME_CHARACTER = re.compile(_NAME_CHARACTER).match
_URL_AT = re.compile(rf"{_BLANK}*+(?:(?P<quote>[\"'])|(?P<body>{_URL_BODY}){_BLANK}*+(?P<closed>\)|\Z))")
_BAD_URL_REST = re.compile(rf"(?:[^)\\]++|{_ESCAPE}|\\)*+\)?+")
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
_CLOSED_STRING = rf"\"{_IN_DOUBLE}\"|'{_IN_SINGLE}'"
_SOUND = re.compile(
    rf"(?:[^\"'/@#\\\-0-9A-Z_a-z\0\x80-\U0010ffff]++|{_URL}|{_BAD_URL}|{_NAME}++|[@#]{_NAME}*+|{_CLOSED_STRING}"
    rf"|{_CLOSED_COMMENT}|/(?!\*)|\\)*+"
)
_CLOSED = re.compile(_CLOSED_STRING)
_BROKEN_STRING = re.compile(rf"(?:{_BAD_STRING})(?=[\r\n\f])")


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


# The proof that two style sheets have the same tokens
#
# Both texts are brought into one normal form; equal forms mean equal tokens, with blanks wherever a blank can mean something.
# Strings, the insides of url() and escapes are taken out first, so that what is left is plain enough for `str.replace`.
# What this form can't speak for (a mistake of syntax, brackets that don't match, blanks that keep two tokens from
# becoming one) has no normal form: then only identical texts are the same.
_GAP = "\x01"  # a comment without blanks beside it
_URL_MARK = "\x02"
_ESCAPE_MARK = "\x03"
_BLANK_VALUE = "\x04"
# Control characters that would be taken for one of these marks, or that are blanks for `str.split` alone.
_RESERVED = "\x01\x02\x03\x04\x0b\x1c\x1d\x1e\x1f"
_FOREIGN_BLANK = re.compile(r"[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")

# One set of characters comes first, and then a look at which it was: so the search runs at full speed.
_SPECIAL = re.compile(
    r"[\"'/(\\](?:"
    r"(?<=/)(?P<comment>\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)"
    rf"|(?<=\")(?P<double>{_IN_DOUBLE}\")|(?<=')(?P<single>{_IN_SINGLE}')"
    rf"|(?<=[uU][rR][lL]\()(?<![^\x01-\"$-,./:-?\[-^`{{-\x7f][uU][rR][lL]\(){_BLANK}*+(?![\"'])"
    rf"(?:(?P<url>{_URL_BODY}){_BLANK}*+\)|(?P<bad_url>))"
    rf"|(?<=\\)(?P<escape>{_ESCAPED_PART}{_NAME}*+)(?!\()"
    r"|(?<=[\"'\\])(?P<mistake>)|(?<=/)(?P<unclosed>\*))"
)
# `~ =`, `> =` and their like are two delimiters that a parser takes for one where no blank keeps them apart.
_KEPT_APART = re.compile(r"[<>~|^$*=][ \x01]++=")
# What would become one token, or is a token that no style sheet of today has.
_ARROWS = ("-->", "-- >", f"--{_GAP}", "> >", "= >")
_OPENINGS = ("<!", "< !", f"<{_GAP}", "< >")
_IMPORT_WITH_SELECTOR = re.compile(r"@[iI][mM][pP][oO][rR][tT][^{};@]*[sS][eE][lL][eE][cC][tT][oO][rR]\(")
_GAPS = re.compile(r"\x01[ \x01]*+")
_IDLE_GAP = re.compile(r"\x01(?:(?=[{};,:)\[\]#&]|\.[^0-9])|(?<=[{};,:()\[\]>]\x01))")
_IDLE_BLANK = re.compile(r" (?:(?=[{};,)\]>=!])|(?<=[{};,(\[>=!] ))")
_NO_BRACKETS: Final = bytes(code for code in range(128) if chr(code) not in "()[]{};")
_BLOCK = re.compile(rb"\{[;b]*+\}")
_DEEPEST = 64
_PRELUDE = re.compile(r"(?:[^{};]*+[;}])*+([^{};]*+)(?:\{|\Z)")
# What begins like this is never a rule (CSS Syntax Level 3, section 5.5.2), though a block follows.
_CUSTOM_PROPERTY = re.compile(r"^(--[-\w]*+) ?: ?")
_QUERIES = ("@media", "@supports", "@container")
# A feature of a media, container or supports query: here alone a prelude's colon is that of a declaration.
_FEATURE = re.compile(r"(?:(?<=[ (,])|(?<=^@media)|(?<=^@supports)|(?<=^@container))\(([-\w]+) ?: ?(?=[^ )])")
_ENCODING = re.compile(r'@charset "[^"]*";')


def first_difference(source: str, output: str) -> Difference | None:
    """Where two style sheets stop having the same tokens, comments aside; None where they have the same.

    Blanks count wherever CSS may give them a meaning: between values, selectors and the operators of `calc()`, before what
    may begin a selector, before a parenthesis, in an empty custom property. They do not beside `{ } ; , > = !`, inside
    brackets' ends, and around the colon of a declaration or of a feature in a query. The last semicolon of a block and a
    doubled one inside a block don't count either. In doubt the texts differ. A byte order mark and an `@charset` with effect
    (CSS Syntax Level 3, section 3.2) must be the same to the byte.
    """
    if source == output:
        return None
    if _encoding(source) != _encoding(output):
        return Difference((0, 0))
    left, right = _normal_form(source), _normal_form(output)
    if left is None or right is None:
        return _first_unequal_token(source, output)
    if left == right:
        return None
    return _place(source, output, left, right)


def _encoding(text: str) -> tuple[bool, str]:
    first = head(text)
    declared = _ENCODING.match(text, first)
    # Every published text is UTF-8: a declaration that says so changes nothing, wherever it stands.
    if declared is None or declared[0].lower() == '@charset "utf-8";':
        return bool(first), ""
    return bool(first), declared[0]


class _NoNormalFormError(Exception):
    pass


class _NormalForm(NamedTuple):
    """text: the style sheet without its strings, URLs, escapes, comments, and blanks that mean nothing. preludes: those in
    which a blank stands beside a colon, with their numbers. taken: the strings, URLs and escapes, in order."""

    text: str
    preludes: list[tuple[int, str]]
    taken: list[str]


def _normal_form(text: str) -> _NormalForm | None:
    taken: list[str] = []

    def take(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind == "comment":
            return _GAP
        if kind == "double" or kind == "single":
            taken.append(_joined_lines(match[0]))
            return '"'
        if kind == "escape":
            taken.append(_ONE_BLANK.sub(r"\1 ", match[0]))
            return _ESCAPE_MARK
        if kind == "url":
            taken.append(match["url"])
            return "(" + _URL_MARK + ")"
        raise _NoNormalFormError

    if any(character in text for character in _RESERVED):
        return None
    try:
        plain = _SPECIAL.sub(take, text[head(text) :])
    except _NoNormalFormError:
        return None
    if not plain.isascii() and _FOREIGN_BLANK.search(plain):
        return None
    plain = " ".join(plain.split())
    if any(hazard in plain for hazard in _ARROWS) or ("<" in plain and any(hazard in plain for hazard in _OPENINGS)):
        return None
    if _KEPT_APART.search(plain) or _IMPORT_WITH_SELECTOR.search(plain):
        return None
    if _GAP in plain:
        plain = _GAPS.sub(lambda gap: " " if " " in gap[0] else _GAP, plain.replace(f" {_GAP}", f"{_GAP} "))
        plain = _IDLE_GAP.sub("", plain).strip(_GAP + " ")
    for end in ";}!":
        plain = plain.replace(f": {end}", f":{_BLANK_VALUE}{end}")
    plain = _IDLE_BLANK.sub("", plain)
    if not _is_cut_by_its_braces(plain):
        return None
    if ";;" in plain:
        plain = re.sub(";;+", ";", plain)
    plain = plain.replace(";}", "}")
    return _NormalForm(plain.replace(": ", ":").replace(" :", ":"), _preludes_with_blanks(plain), taken)


def _is_cut_by_its_braces(plain: str) -> bool:
    """Whether all brackets match, none of `{ } ;` stands in parentheses, and no semicolons follow one another outside blocks
    (there an idle one spoils the next rule): then braces and semicolons cut the text into preludes and declarations."""
    brackets = plain.encode("ascii", "ignore").translate(None, _NO_BRACKETS)
    for _ in range(_DEEPEST):
        if b"(" not in brackets and b"[" not in brackets:
            break
        brackets = brackets.replace(b"()", b"").replace(b"[]", b"")
    if any(bracket in brackets for bracket in b"()[]"):
        return False
    for _ in range(_DEEPEST):
        if b"{" not in brackets:
            break
        brackets = _BLOCK.sub(b"b", brackets)
    return b"{" not in brackets and b"}" not in brackets and (b";;" not in brackets or ";;" not in plain)


def _preludes_with_blanks(plain: str) -> list[tuple[int, str]]:
    found = []
    for number, prelude in enumerate(_PRELUDE.findall(plain)):
        if ": " in prelude or " :" in prelude:
            is_query = prelude.startswith(_QUERIES)
            prelude = _FEATURE.sub(r"(\1:", prelude) if is_query else _CUSTOM_PROPERTY.sub(r"\1:", prelude)
            if ": " in prelude or " :" in prelude:
                found.append((number, prelude))
    return found


_ONE_BLANK = re.compile(r"(\\[0-9a-fA-F]{1,6}+)(?:\r\n|[ \t\r\n\f])")
_LINE_CONTINUATION = re.compile(r"(\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+|[^0-9a-fA-F\r\n\f]))|\\(?:\r\n|[\r\n\f])")
_DIGITS_BEFORE_CONTINUATION = re.compile(r"\\[0-9a-fA-F]{1,6}\\[\r\n\f]")


def _joined_lines(string: str) -> str:
    if "\\\n" not in string and "\\\r" not in string and "\\\f" not in string:
        return string
    if _DIGITS_BEFORE_CONTINUATION.search(string):
        return string  # taking the line end out could lengthen the escape before it
    return _LINE_CONTINUATION.sub(lambda match: match[1] or "", string)


def _place(source: str, output: str, left: _NormalForm, right: _NormalForm) -> Difference:
    counts = [_common(left.text, right.text)]
    changed = next((i for i, (x, y) in enumerate(zip(left.taken, right.taken, strict=False)) if x != y), None)
    if changed is not None:
        marks = re.finditer(f'["{_URL_MARK}{_ESCAPE_MARK}]', left.text)
        counts += [mark.start() for number, mark in enumerate(marks) if number == changed]
    preludes = next(((x, y) for x, y in zip_longest(left.preludes, right.preludes) if x != y), None)
    if preludes is not None:
        number, _ = min(filter(None, preludes))
        starts = (match.start(1) for match in _PRELUDE.finditer(left.text))
        counts += islice(starts, number, number + 1)
    count = sum(c not in _UNCOUNTED for c in left.text[: min(counts)])
    return Difference((_offset(source, count), _offset(output, count)))


def _common(left: str, right: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(left, right, strict=False)) if x != y), min(len(left), len(right)))


_UNCOUNTED = f" ;{_GAP}{_BLANK_VALUE}"


def _offset(text: str, count: int) -> int:
    """Where the text goes on after `count` characters of its normal form, those in `_UNCOUNTED` not counted."""
    position = head(text)
    for match in [*_SPECIAL.finditer(text, position), None]:
        stop = match.start() if match else len(text)
        for i in range(position, stop):
            if text[i] not in " \t\r\n\f;":
                if not count:
                    return i
                count -= 1
        if match is None:
            break
        width = {"comment": 0, "url": 3}.get(match.lastgroup or "", 1)
        if width > count:
            return match.start()
        count -= width
        position = match.end()
    return len(text)


def _first_unequal_token(source: str, output: str) -> Difference:
    for left, right in zip(tokens(source), tokens(output), strict=False):
        a, b = source[left.start : left.end], output[right.start : right.end]
        if a != b:
            return Difference((left.start, right.start))
    return Difference((min(len(source), len(output)),) * 2)
