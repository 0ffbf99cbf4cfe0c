"""Whether two style sheets have the same tokens.

Both texts are brought into one normal form; equal forms mean equal tokens, with blanks wherever a blank can mean something.
Strings, the insides of url() and escapes are taken out first, so that what is left is plain enough for `str.replace`.
What this form can't speak for (a mistake of syntax, brackets that don't match, blanks that keep two tokens from
becoming one) has no normal form: then only identical texts are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Final, NamedTuple

from assetbuild.syntax import Difference, expression
from assetbuild.syntax.css import Token, head, tokens
from assetbuild.syntax.css.grammar import BLANK, ESCAPED_PART, IN_DOUBLE, IN_SINGLE, NAME, URL_BODY

_GAP = "\x01"  # a comment without blanks beside it
_URL_MARK = "\x02"
_ESCAPE_MARK = "\x03"
_BLANK_VALUE = "\x04"
# Control characters that would be taken for one of these marks, or that are blanks for `str.split` alone.
_RESERVED = "\x01\x02\x03\x04\x0b\x1c\x1d\x1e\x1f"
_FOREIGN_BLANK = expression(r"[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")

# One set of characters comes first, and then a look at which it was: so the search runs at full speed.
_SPECIAL = expression(
    r"[\"'/(\\](?:"
    r"(?<=/)(?P<comment>\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)"
    rf"|(?<=\")(?P<double>{IN_DOUBLE}\")|(?<=')(?P<single>{IN_SINGLE}')"
    rf"|(?<=[uU][rR][lL]\()(?<![^\x01-\"$-,./:-?\[-^`{{-\x7f][uU][rR][lL]\(){BLANK}*+(?![\"'])"
    rf"(?:(?P<url>{URL_BODY}){BLANK}*+\)|(?P<bad_url>))"
    rf"|(?<=\\)(?P<escape>{ESCAPED_PART}{NAME}*+)(?!\()"
    r"|(?<=[\"'\\])(?P<mistake>)|(?<=/)(?P<unclosed>\*))"
)
# `~ =`, `> =` and their like are two delimiters that a parser takes for one where no blank keeps them apart.
_KEPT_APART = expression(r"[<>~|^$*=][ \x01]++=")
# What would become one token, or is a token that no style sheet of today has.
_ARROWS = ("-->", "-- >", f"--{_GAP}", "> >", "= >")
_OPENINGS = ("<!", "< !", f"<{_GAP}", "< >")
_IMPORT_WITH_SELECTOR = expression(r"@[iI][mM][pP][oO][rR][tT][^{};@]*[sS][eE][lL][eE][cC][tT][oO][rR]\(")
_GAPS = expression(r"\x01[ \x01]*+")
_IDLE_GAP = expression(r"\x01(?:(?=[{};,:)\[\]#&]|\.[^0-9])|(?<=[{};,:()\[\]>]\x01))")
_IDLE_BLANK = expression(r" (?:(?=[{};,)\]>=!])|(?<=[{};,(\[>=!] ))")
_NO_BRACKETS: Final = bytes(code for code in range(128) if chr(code) not in "()[]{};")
_BLOCK = re.compile(rb"\{[;b]*+\}")
_DEEPEST = 64
_PRELUDE = expression(r"(?:[^{};]*+[;}])*+([^{};]*+)(?:\{|\Z)")
# What begins like this is never a rule (CSS Syntax Level 3, section 5.5.2), though a block follows.
_CUSTOM_PROPERTY = expression(r"^(--[-\w]*+) ?: ?")
# One whose value holds a block, or a colon with a blank beside it.
_SPOKEN = expression(r"[{};]--(?:[-\w\x03]|[^\x00-\x7f])*+ ?: ?(?=[^{};]*?(?:\{| :|: ))")
_VALUE_MARK = re.compile(r"[{};]")
_QUERIES = ("@media", "@supports", "@container")
# A feature of a media, container or supports query: here alone a prelude's colon is that of a declaration.
_FEATURE = expression(r"(?:(?<=[ (,])|(?<=^@media)|(?<=^@supports)|(?<=^@container))\(([-\w]+) ?: ?(?=[^ )])")
_ENCODING = expression(r'@charset "[^"]*";')


def first_difference(source: str, output: str) -> Difference | None:
    """Where two style sheets stop having the same tokens, comments aside; None where they have the same.

    Blanks count wherever CSS may give them a meaning: between values, selectors and the operators of `calc()`, before what
    may begin a selector, before a parenthesis, in an empty custom property. They do not beside `{ } ; , > = !`, inside
    brackets' ends, and around the colon of a declaration or of a feature in a query. The last semicolon of a block and a
    doubled one inside a block don't count either. In the value of a custom property, which scripts read as it is written,
    blanks beside colons and all semicolons count. In doubt the texts differ. A byte order mark and an `@charset` with effect
    (CSS Syntax Level 3, section 3.2) must be the same to the byte. Of a source with which nothing can be held to be the same,
    the place is the one that keeps it from that.
    """
    if source == output:
        return None
    if _encoding(source) != _encoding(output):
        return Difference((0, 0))
    left, right = _normal_form(source), _normal_form(output)
    if left is None:
        return Difference((_obstacle(source), _obstacle(output)))
    if right is None:
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
    which a blank stands beside a colon, with their numbers. values: those of custom properties that hold a block or a blank
    beside a colon, each with the count of characters before it. taken: the strings, URLs and escapes, in order."""

    text: str
    preludes: list[tuple[int, str]]
    values: list[tuple[int, str]]
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
    values = _custom_values(plain) if "--" in plain else []
    if ";;" in plain:
        plain = re.sub(";;+", ";", plain)
    plain = plain.replace(";}", "}")
    return _NormalForm(plain.replace(": ", ":").replace(" :", ":"), _preludes_with_blanks(plain), values, taken)


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


def _custom_values(plain: str) -> list[tuple[int, str]]:
    found = []
    plain = f";{plain}"
    position = counted = count = 0
    while spoken := _SPOKEN.search(plain, position):
        start = end = spoken.end()
        depth = 0
        for mark in _VALUE_MARK.finditer(plain, start):
            end = mark.start()
            if mark[0] == "{":
                depth += 1
            elif depth == 0:
                break
            elif mark[0] == "}":
                depth -= 1
        count += _counted(plain[counted:start])
        found.append((count, plain[start:end].strip(" ")))
        counted, position = start, end
    return found


def _preludes_with_blanks(plain: str) -> list[tuple[int, str]]:
    found = []
    for number, prelude in enumerate(_PRELUDE.findall(plain)):
        if ": " in prelude or " :" in prelude:
            is_query = prelude.startswith(_QUERIES)
            prelude = _FEATURE.sub(r"(\1:", prelude) if is_query else _CUSTOM_PROPERTY.sub(r"\1:", prelude)
            if ": " in prelude or " :" in prelude:
                found.append((number, prelude))
    return found


_ONE_BLANK = expression(r"(\\[0-9a-fA-F]{1,6}+)(?:\r\n|[ \t\r\n\f])")
_LINE_CONTINUATION = expression(r"(\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+|[^0-9a-fA-F\r\n\f]))|\\(?:\r\n|[\r\n\f])")
_DIGITS_BEFORE_CONTINUATION = expression(r"\\[0-9a-fA-F]{1,6}\\[\r\n\f]")


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
    count = _counted(left.text[: min(counts)])
    values = next(((x, y) for x, y in zip_longest(left.values, right.values) if x != y), None)
    if values is not None:
        count = min(count, min(filter(None, values))[0])
    return Difference((_offset(source, count), _offset(output, count)))


def _common(left: str, right: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(left, right, strict=False)) if x != y), min(len(left), len(right)))


_UNCOUNTED = f" ;{_GAP}{_BLANK_VALUE}"


def _counted(text: str) -> int:
    return len(text) - sum(text.count(character) for character in _UNCOUNTED)


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


_MARK = re.compile(r"[()\[\]{};]")
_CLOSED_BY = {")": "(", "]": "[", "}": "{"}
_HAZARD = expression(
    rf"--{BLANK}*+>|[>=]{BLANK}++>|<{BLANK}*+[!>]|[<>~|^$*=]{BLANK}++=|{_FOREIGN_BLANK.pattern}|{_IMPORT_WITH_SELECTOR.pattern}"
)


def _obstacle(text: str) -> int:
    """The first place for which a style sheet has no normal form, or 0."""
    places = [text.find(character) for character in _RESERVED]
    special = _SPECIAL.finditer(text, head(text))
    places += islice((match.start() for match in special if match.lastgroup in ("bad_url", "mistake", "unclosed")), 1)
    # Whatever has brackets of its own is put out of sight, and everything stays in its place.
    bare = _SPECIAL.sub(lambda match: (" " if match.lastgroup == "comment" else "x") * len(match[0]), text)
    if hazard := _HAZARD.search(bare):
        places.append(hazard.start())
    places.append(_odd_bracket(bare))
    return min((place for place in places if place >= 0), default=0)


def _odd_bracket(bare: str) -> int:
    """The first bracket or semicolon by which braces do not cut the text into rules and declarations, or -1."""
    open_ones: list[tuple[str, int]] = []
    last, end = "", 0
    for mark in _MARK.finditer(bare):
        kind, place = mark[0], mark.start()
        inner = open_ones[-1][0] if open_ones else ""
        if kind == last == ";" and not inner and not bare[end:place].strip(" \t\r\n\f"):
            return place
        last, end = kind, mark.end()
        if kind in "{;" and inner and inner != "{":
            return place
        if kind in "([{":
            open_ones.append((kind, place))
            if len(open_ones) > _DEEPEST:
                return place
        elif kind != ";":
            if inner != _CLOSED_BY[kind]:
                return place
            open_ones.pop()
    return open_ones[0][1] if open_ones else -1


def _first_unequal_token(source: str, output: str) -> Difference:
    pairs = zip(_significant(source), _significant(output), strict=False)
    for left, right in pairs:
        if source[left.start : left.end] != output[right.start : right.end]:
            return Difference((left.start, right.start))
    return Difference((min(len(source), len(output)),) * 2)


def _significant(text: str) -> Iterator[Token]:
    return (token for token in tokens(text) if token.type not in ("whitespace", "comment", "semicolon"))
