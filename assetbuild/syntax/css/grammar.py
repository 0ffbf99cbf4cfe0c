"""The pieces of the grammar of CSS tokens (CSS Syntax Level 3, section 4) of which the expressions in this package are made."""

from __future__ import annotations

BLANK = r"[ \t\r\n\f]"
ESCAPED_PART = r"(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+|[^0-9a-fA-F\r\n\f]|\Z)"
ESCAPE = rf"\\{ESCAPED_PART}"
# Every character from U+0080 on may stand in a name, as all browsers have it (the draft has since taken some of them out).
_NAME_START = r"[^\x01-@\[-^`{-\x7f]"
NAME_CHARACTER = r"[^\x01-,./:-@\[-^`{-\x7f]"
NAME = rf"(?:{NAME_CHARACTER}++|{ESCAPE})"
IDENT = rf"(?:--|-?(?:{_NAME_START}|{ESCAPE})){NAME}*+"
NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+"
COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)"
# Here a line end may follow a backslash; and it may end an escape in digits, as any blank does.
_IN_ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+|\r\n|[\s\S]|\Z)"
IN_DOUBLE = rf"(?:[^\"\\\r\n\f]++|{_IN_ESCAPE})*+"
IN_SINGLE = rf"(?:[^'\\\r\n\f]++|{_IN_ESCAPE})*+"
STRING = rf"\"{IN_DOUBLE}(?:\"|\Z)|'{IN_SINGLE}(?:'|\Z)"
BAD_STRING = rf"\"{IN_DOUBLE}|'{IN_SINGLE}"


def _letter(plain: str, codes: str) -> str:
    # A letter of a keyword, or an escape that means it.
    return rf"(?:[{plain}]|\\(?:[{plain}]|0{{0,4}}{codes}(?:\r\n|{BLANK})?+))"


# "url" with its parenthesis, in any letter case, each letter plain or escaped.
_URL_OPEN = _letter("uU", "[57]5") + _letter("rR", "[57]2") + _letter("lL", "[46][cC]") + r"\("
URL_BODY = rf"(?:[^\"'()\\ \t\r\n\f\x01-\x08\x0b\x0e-\x1f\x7f]++|{ESCAPE})*+"
URL = rf"{_URL_OPEN}{BLANK}*+(?![\"']){URL_BODY}{BLANK}*+(?:\)|\Z)"
BAD_URL = rf"{_URL_OPEN}(?!{BLANK}*+[\"'])(?:[^)\\]++|{ESCAPE}|\\)*+\)?+"
