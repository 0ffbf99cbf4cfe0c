"""The tokens of a JavaScript text whose hard spans are masked (see Lexed.masked), and the gaps between them."""

from __future__ import annotations

from assetbuild.syntax import expression
from assetbuild.syntax.js.grammar import (
    BLANK,
    BLOCK_COMMENT,
    INLINE_COMMENT,
    LINE_COMMENT,
    LINE_END,
    NAME_CHARACTER,
    STRING,
    TEMPLATE,
    TRIVIA,
)

# A line end before these ends no statement: nothing that begins with them can follow one, so that a semicolon is not
# inserted (12.10.1), and they are in no restricted production but as listed: => ++ -- are left out. A star is too: it
# begins a generator behind a class field. So is a slash, which might begin a regular expression: were it taken for a
# division, nothing else here would notice.
_CONTINUES = r"[)\]},;?:<>&|^%]|\.(?![0-9])|=(?!>)|!=|[+\-]=|\*[*=]|\Z"
TOKEN = expression(
    rf"(?:[{BLANK}]++|{LINE_COMMENT}|{INLINE_COMMENT})*+"
    rf"(?:(?=[{LINE_END}/])(?:[{LINE_END}]|{BLOCK_COMMENT}){TRIVIA}(?={_CONTINUES}))?+"
    r"(?:("
    r"[()\[\]{};,:~]"
    r"|0[xXoObB]" + NAME_CHARACTER + r"*+"
    r"|[0-9][0-9_]*+\.?+[0-9_]*+(?:[eE][+\-]?+[0-9_]++)?+" + NAME_CHARACTER + r"*+"
    r"|\.[0-9][0-9_]*+(?:[eE][+\-]?+[0-9_]++)?+" + NAME_CHARACTER + r"*+"
    rf"|#?+(?:{NAME_CHARACTER}++|\\(?:u\{{[0-9a-fA-F]*+\}})?+)++"
    r"|\.(?:\.\.)?+"
    rf"|{STRING}|{TEMPLATE}"
    r"|=(?:==?+|>)?+|\+[+=]?+|-[\-=]?+|!(?:==?+)?+|&&?+=?+|\|\|?+=?+|\?(?:\.(?![0-9])|\?=?+)?+|\*\*?+=?+|<<?+=?+"
    rf"|>(?:>>?+)?+=?+|[%^]=?+|/(?![/*])=?+|[^{BLANK}{LINE_END}/]"
    r")"
    # Behind a token that ends no statement: the rest of the gap.
    rf"(?:(?<=[{{(\[;,=:?!~&|^%*<>/]){TRIVIA}"
    rf"|(?:(?<=[^0-9_]\.)|(?<=[^+]\+)|(?<=[^\-]-)){TRIVIA})?+"
    # A gap with a line end that may matter: an empty token.
    rf"|(?:[{LINE_END}]|{BLOCK_COMMENT}){TRIVIA}|\Z)"
)
LEADING = expression(TRIVIA)
_BANG = expression(rf"{LINE_COMMENT}|(/\*![^*]*+(?:\*(?!/)[^*]*+)*+\*/)|{BLOCK_COMMENT}")
# What rjsmin would join, or part from what it needs: a number and a dot, a slash and a regular expression, <!-- and -->.
_MERGES = expression(r"[0-9_]\.|/\"|<!|->")


def tokens(masked: str) -> list[str]:
    """The tokens of a masked text, with an empty one between two where a line end might matter."""
    if "\r" in masked:
        masked = masked.replace("\r\n", "\n").replace("\r", "\n")
    start = LEADING.match(masked)
    assert start is not None
    tokens = TOKEN.findall(masked, start.end())
    while tokens and not tokens[-1]:
        tokens.pop()
    return tokens


def guarded(masked: str, guard: str) -> str:
    """A masked text in which comments are gone but for those that begin with /*!, line ends that may matter and blanks that
    part two tokens have a guard behind them (a character that counts as a name's and that the text does not have), and
    other gaps are closed or one blank."""
    normal = masked.replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = []
    position = 0
    fresh = True
    for found in TOKEN.finditer(normal):
        token = found.group(1)
        if not token:
            parts += [comment for comment in _BANG.findall(found.group()) if comment]
            if not fresh and found.end() < len(normal):
                parts.append("\n" + guard)
            fresh = True
            position = found.end()
            continue
        start, end = found.span(1)
        gap = normal[position:start]
        if "/*!" in gap:
            parts += [comment for comment in _BANG.findall(gap) if comment]
        if gap and not fresh and _MERGES.match(normal[position - 1] + token[:1]):
            parts.append(" " + guard)
        elif gap and not fresh:
            parts.append(" ")
        parts.append(token)
        fresh = False
        position = end
    return "".join(parts)
