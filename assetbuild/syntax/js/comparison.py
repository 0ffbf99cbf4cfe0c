"""Whether two JavaScript texts have the same tokens, and where they begin to differ."""

from __future__ import annotations

from assetbuild.syntax import Difference, LexError, expression
from assetbuild.syntax.js import scan
from assetbuild.syntax.js.grammar import (
    BLANK,
    BLANKS,
    BLOCK_COMMENT,
    INLINE_COMMENT,
    LINE_COMMENT,
    LINE_END,
    NEWLINE,
    STRING,
    TEMPLATE,
    TRIVIA,
)
from assetbuild.syntax.js.spans import STAND_INS, Hard, Lexed, unused_mark
from assetbuild.syntax.js.tokens import LEADING, TOKEN, tokens

# The quick comparison joins everything between the gaps (blanks, comments, line ends) and drops the gaps in which nothing
# can merge and no line end can matter (before a slash each may: see tokens); equal results mean equal tokens. It may miss
# equal texts, never the reverse.
_INLINE = rf"(?:[{BLANK}]++|{INLINE_COMMENT})++"
_GAP = rf"(?:[{BLANK}{LINE_END}]++|{LINE_COMMENT}|{BLOCK_COMMENT})++"
_NO_NAME = r"""[!"#%-\-:-?\[\]\^`{|}~]"""
_PIECE = expression(
    rf"(?:(?=[{BLANK}{LINE_END}/])(?:"
    # The common ones first.
    r"[ \t]++(?=[()\[\]{};,:])"
    r"|(?<=[()\[\]{};,:=&|?])[ \t]++(?=[\w$\"'`(\[{!])"
    r"|(?<=[\w$])[ \t]++(?=[=+\-*<>&|?!\"'`])"
    r"|"
    rf"(?<=[{{(\[;,:~]){_GAP}"
    rf"|{_GAP}(?=[)\]}},;:]|\Z)"
    rf"|(?<=[=&|^%*>?!/]){_GAP}(?=[^=<>&|*/?.])"
    rf"|(?<=[\w$]){_INLINE}(?={_NO_NAME})"
    rf"|(?<=[)\]}}\"'`]){_INLINE}(?=[^{LINE_END}/])"
    rf"|(?<=[A-Za-z$]){_INLINE}(?=\.)|(?<=\.\.\.){_GAP}(?=[^0-9.])|(?<=[^0-9_.]\.){_GAP}(?=[^0-9.])"
    rf"|(?<=[^+]\+){_GAP}(?=[^+=])|(?<=[^\-]-){_GAP}(?=[^\-=>])|(?<=<){_GAP}(?=[^=<>&|*/?.])"
    rf"|(?:(?<=\+\+)|(?<=--)){_INLINE}(?=[^+\-=>.{LINE_END}/])"
    rf"|(?<=[\w$)\]}}\"'`]){_GAP}(?=[?<>&|^%]|=(?!>)|!=|[+\-]=|\*[*=])"
    rf"|(?:(?<=[\w$)\]}}\"'`])|(?<=\+\+)|(?<=--)){_INLINE}(?=/(?![/*]))"
    rf"|(?<=[A-Za-z$)\]}}\"'`]){_GAP}(?=\.(?![0-9]))|(?:(?<=[A-Za-z$][0-9])|(?<=[A-Za-z$][0-9][0-9])){_GAP}(?=\.(?![0-9]))"
    rf"|(?<=\+\+){_GAP}(?=[<>&|^%?*]|==|!=)|(?<=--){_GAP}(?=[<>&|^%?*]|==|!=)"
    rf"))?+"
    rf"(?:(?=[{BLANK}/])(?:[{BLANK}]++|{INLINE_COMMENT}|{LINE_COMMENT})++(?=[{LINE_END}]|/\*))?+"
    # A comment that begins a gap stays as it is: then the texts differ here, and the slow comparison decides.
    rf"((?:[^{BLANK}{LINE_END}'\"`/]++|{STRING}|{TEMPLATE}|/(?![/*]))++|[{BLANK}{LINE_END}]|{BLOCK_COMMENT}|\Z)"
    rf"(?:(?<=[{BLANK}{LINE_END}]){TRIVIA})?+"
)
_SEPARATORS = dict.fromkeys(BLANKS, " ") | dict.fromkeys(LINE_END, "\n")


def _canonical(masked: str) -> str:
    start = LEADING.match(masked)
    assert start is not None
    separator = _SEPARATORS.get
    return "".join([separator(piece, piece) for piece in _PIECE.findall(masked, start.end())])


def first_difference(source: str, output: str, module: bool | None = None) -> Difference | None:
    """Where two texts begin to differ in their tokens or in the line ends that could matter to automatic semicolon
    insertion (ECMAScript 2025, 12.10); None where they do not. White space, comments and other line ends do not count.

    Raises LexError for a source that does not lex; an output that does not is a difference at the place.
    """
    return difference(scan(source, module), output)


def difference(source: Lexed, output: str) -> Difference | None:
    """first_difference for a source that was read already."""
    try:
        other = scan(output, source.module)
    except LexError as error:
        return Difference((min(error.offset, len(source.text)), error.offset))
    if source.hashbang() != other.hashbang():
        return Difference((0, 0))
    mark = unused_mark(source.text, output)
    if not mark:
        return Difference((0, 0))
    masked_left = source.masked(mark)
    masked_right = other.masked(mark)
    hard_left = source.marked()
    hard_right = other.marked()
    if (
        hard_left == hard_right
        # A name can end in a brace where it has \u{61}.
        and "\\u{" not in masked_left
        and "\\u{" not in masked_right
        and _canonical(masked_left) == _canonical(masked_right)
    ):
        return None
    left = tokens(masked_left)
    right = tokens(masked_right)
    if left == right and hard_left == hard_right:
        return None
    return Difference(
        (
            _place(source, mark, left, right, hard_left, hard_right),
            _place(other, mark, right, left, hard_right, hard_left),
        )
    )


def _place(
    lexed: Lexed,
    mark: str,
    mine: list[str],
    other: list[str],
    hard_mine: list[tuple[Hard, str]],
    hard_other: list[tuple[Hard, str]],
) -> int:
    """The offset, in the text as written, of the first token or hard span that the other text has otherwise."""
    starts = [s for s, k in zip(lexed.starts, lexed.kinds, strict=True) if STAND_INS[k][0]]
    index = next((i for i, (a, b) in enumerate(zip(hard_mine, hard_other, strict=False)) if a != b), -1)
    by_hard = len(lexed.text)
    if index >= 0:
        by_hard = starts[index]
    if mine == other:
        return by_hard
    count = next((i for i, (a, b) in enumerate(zip(mine, other, strict=False)) if a != b), min(len(mine), len(other)))
    return min(by_hard, _token_offset(lexed, mark, count))


def _token_offset(lexed: Lexed, mark: str, count: int) -> int:
    masked = lexed.masked(mark)
    normal = masked.replace("\r\n", " \n").replace("\r", "\n")
    leading = LEADING.match(normal)
    assert leading is not None
    offset = len(normal)
    for number, found in enumerate(TOKEN.finditer(normal, leading.end())):
        if number == count:
            offset = found.start(1)
            if offset < 0:
                gap = NEWLINE.search(normal, found.start())
                offset = gap.start() if gap else found.start()
            break
    # From the masked text back to the text: the growth of every stand-in before the place.
    shift = 0
    for kind, start, end in zip(lexed.kinds, lexed.starts, lexed.ends, strict=True):
        before, after = STAND_INS[kind]
        size = len(before) + len(after) + (1 if before else 0)
        if start - shift >= offset:
            break
        if start - shift + size > offset:
            return start
        shift += (end - start) - size
    return min(offset + shift, len(lexed.text))
