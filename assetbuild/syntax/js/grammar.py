"""The pieces of JavaScript's lexical grammar (ECMAScript 2025, 12) of which the expressions in this package are made."""

from __future__ import annotations

from assetbuild.syntax import expression

# 12.2 White Space and 12.3 Line Terminators. Python's \s is another set. BLANK and LINE_END stand inside a character class.
BLANK = " \t\v\f\xa0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000"
BLANKS = " \t\v\f\xa0\ufeff\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
LINE_END = "\n\r\u2028\u2029"
SPACE = BLANKS + LINE_END
# What a name is made of, escapes aside: every character that is neither a blank nor ASCII's own punctuation.
NAME_CHARACTER = r"[^\x00-#%-/:-@\[-\^`{-\x7f\xa0\ufeff\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
LINE_COMMENT = rf"//[^{LINE_END}]*+"
BLOCK_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
# Without a line end inside; the others count as one.
INLINE_COMMENT = rf"/\*[^*{LINE_END}]*+(?:\*(?!/)[^*{LINE_END}]*+)*+\*/"
STRING = r""""[^"\\\n\r]*+(?:\\(?:\r\n|[\s\S])[^"\\\n\r]*+)*+"|'[^'\\\n\r]*+(?:\\(?:\r\n|[\s\S])[^'\\\n\r]*+)*+'"""
TEMPLATE = r"`[^`\\$]*+(?:(?:\\[\s\S]|\$(?!\{))[^`\\$]*+)*+`"
# What can be read without knowing its surroundings.
OPAQUE = rf"{STRING}|{LINE_COMMENT}|{BLOCK_COMMENT}|{TEMPLATE}"
TRIVIA = rf"(?:[{BLANK}{LINE_END}]++|{LINE_COMMENT}|{BLOCK_COMMENT})*+"
NEWLINE = expression(rf"[{LINE_END}]")

# From a place that is known to be code to the next bracket, or to `class`; slashes between two hard spans are divisions.
NEXT_BRACKET = expression(
    rf"""(?:[^'"`/()\[\]{{}}c]++|c(?!lass(?![\w$\\]))|(?<=[\w$\\#])c|{OPAQUE}|/(?![/*]))*+(class|[()\[\]{{}}]|\Z)"""
)

# `1.` is a number that ends in a dot; `a1.`, `0x1.`, `01.` and `1.5.` are not.
_NUMBER_END = expression(r"(?<![\w$.\\])(?:0|[1-9][0-9_]*|0[0-9]*[89][0-9]*)\.\Z")


def takes_property(text: str, end: int) -> bool:
    """Whether a dot ends here behind which a word is a property's name: not that of a spread or of a number."""
    if not end or text[end - 1] != "." or text[max(end - 3, 0) : end] == "...":
        return False
    return not ends_number(text, end)


def ends_number(text: str, end: int) -> bool:
    """Whether the dot that ends here is a number's last character."""
    return bool(_NUMBER_END.search(text, max(end - 40, 0), end))
