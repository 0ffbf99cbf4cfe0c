"""Whether a rule is one that every browser of today takes: selectors, and the preludes of at-rules. What is not surely valid
counts as not valid.

Texts are those of tokens, without comments and without blanks at their ends.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from assetbuild.syntax import expression
from assetbuild.syntax.css import unescape
from assetbuild.syntax.css.grammar import BLANK, IDENT, IN_DOUBLE, IN_SINGLE, NAME, NAME_CHARACTER

_BLANKS: Final = " \t\r\n\f"
_W = rf"{BLANK}*+"
_STRING = rf"(?:\"{IN_DOUBLE}\"|'{IN_SINGLE}')"
# Brackets of a few levels; deeper ones are no one's daily bread.
_FLAT = rf"(?:[^()\"'\\{{}}\[\];\x01]++|{_STRING})"
_BRACKETS = rf"\((?:{_FLAT}|\((?:{_FLAT}|\({_FLAT}*+\))*+\))*+\)"

# ---- selectors (Selectors 4)

_PIECE = expression(
    rf"(?P<type>(?:\*?\|)?+(?:{IDENT}|\*))"
    rf"|(?P<part>[#.]{IDENT}|&|\[{_W}(?:\*?\|)?+{IDENT}{_W}(?:[~|^$*]?={_W}(?:{IDENT}|{_STRING}){_W}(?:[iI]{_W})?+)?+\])"
    rf"|(?P<pseudo>::?{IDENT})(?P<arguments>{_BRACKETS}|(?!\())"
    rf"|(?P<comma>{_W},{_W})|(?P<combinator>{_W}[>+~]{_W}|{BLANK}++)"
)
# What begins like a custom property is never a rule (CSS Syntax 3, section 5.5.2).
_DECLARES = expression(rf"--{NAME}*+{_W}:")
_RELATIVE = expression(rf"[>+~]{_W}")
_IS_IDENT = expression(IDENT)
_NTH = expression(
    rf"(?:even|odd|[+-]?(?:[0-9]++)?n(?:{_W}[+-]{_W}[0-9]++)?+|[+-]?[0-9]++)(?:{BLANK}++of{BLANK}++(?P<of>[\s\S]++))?+",
    re.IGNORECASE,
)
_PSEUDO_CLASSES = frozenset(
    (
        *("active", "any-link", "autofill", "checked", "default", "defined", "disabled", "empty", "enabled", "first-child"),
        *("first-of-type", "focus", "focus-visible", "focus-within", "fullscreen", "host", "hover", "in-range"),
        *("indeterminate", "invalid", "last-child", "last-of-type", "link", "modal", "only-child", "only-of-type", "optional"),
        *("out-of-range", "placeholder-shown", "popover-open", "read-only", "read-write", "required", "root", "scope"),
        *("target", "user-invalid", "user-valid", "valid", "visited"),
        *("-webkit-any-link", "-webkit-autofill", "-webkit-full-screen"),
    )
)
_OLD_PSEUDO_ELEMENTS = frozenset(("before", "after", "first-line", "first-letter"))
_PSEUDO_ELEMENTS = _OLD_PSEUDO_ELEMENTS | {
    *("selection", "placeholder", "marker", "backdrop", "cue", "file-selector-button", "target-text"),
}
_DEEPEST = 3


def are_selectors(text: str, depth: int = 0) -> bool:
    """Whether a text is a list of selectors. depth: of how many functions they are the argument."""
    if depth > _DEEPEST or (depth == 0 and _DECLARES.match(text)):
        return False
    position = 0
    before = ""  # the kind of piece before: "" at a selector's beginning, "element" behind a pseudo-element
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            return False
        position = piece.end()
        kind = piece.lastgroup or ""
        if kind == "arguments":
            kind = _pseudo(piece["pseudo"].lower(), piece["arguments"], depth)
        if kind == "type":
            allowed = before in ("", "combinator")
        elif kind in ("comma", "combinator"):
            allowed = before in ("type", "part", "class") or (kind == "comma" and before == "element")
        else:
            allowed = bool(kind) and before != "element" and not (kind == "element" and depth)
        if not allowed:
            return False
        before = "" if kind == "comma" else kind
    return before not in ("", "combinator")


def _pseudo(name: str, arguments: str, depth: int) -> str:
    """What it is, "class" or "element", or "" for one that some browser may not take."""
    bare = name.lstrip(":")
    inner = arguments[1:-1].strip(_BLANKS)
    if name.startswith("::"):
        if arguments:
            known = bare == "part" and _IS_IDENT.fullmatch(inner) is not None
        else:
            known = bare in _PSEUDO_ELEMENTS or bare.startswith("-webkit-")
        return "element" if known else ""
    if not arguments:
        return "element" if bare in _OLD_PSEUDO_ELEMENTS else "class" if bare in _PSEUDO_CLASSES else ""
    valid = False
    if bare in ("is", "where", "-webkit-any"):
        valid = True  # They forgive whatever is in them.
    elif bare == "not":
        valid = are_selectors(inner, depth + 1)
    elif bare == "has":
        valid = not depth and ":has(" not in inner.lower() and are_selectors(_RELATIVE.sub("", inner, 1), depth + 1)
    elif bare in ("nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"):
        nth = _NTH.fullmatch(inner)
        valid = nth is not None and (not nth["of"] or (bare.endswith("child") and are_selectors(nth["of"], depth + 1)))
    elif bare == "lang":
        valid = _IS_IDENT.fullmatch(inner) is not None
    elif bare == "dir":
        valid = inner.lower() in ("ltr", "rtl")
    return "class" if valid else ""


# ---- preludes of at-rules with a block

# What every browser takes for a name of one's own.
_OWN_IDENT = rf"(?!(?:none|auto|default|initial|inherit|unset|revert|revert-layer)(?!{NAME_CHARACTER}|\\)){IDENT}"
_LAYER = rf"{_OWN_IDENT}(?:\.{_OWN_IDENT})*+"
_LAYERS = rf"{_LAYER}(?:{_W},{_W}{_LAYER})*+"
_CONDITION = rf"(?:{IDENT})?+{_BRACKETS}"
_CONDITIONS = (
    rf"(?:not{BLANK}++{_CONDITION}"
    rf"|{_CONDITION}(?:(?:{_W}and{BLANK}++{_CONDITION})++|(?:{_W}or{BLANK}++{_CONDITION})++)?+)"
)
_FAMILY = rf"(?:{_STRING}|{_OWN_IDENT}(?:{BLANK}++{_OWN_IDENT})*+)"
_CUSTOM_NAME = rf"--{NAME}++"
_SCOPE = rf"(?P<root>{_BRACKETS})?+(?:{_W}to{BLANK}++(?P<limit>{_BRACKETS}))?+"
_PRELUDES: Final = {
    "media": r"[\s\S]*+",  # A query that is none means `not all`.
    "supports": _CONDITIONS,
    "container": rf"(?:(?!(?:and|or|not){BLANK}){_OWN_IDENT}{BLANK}++)?+{_CONDITIONS}",
    "font-face": "",
    "starting-style": "",
    "view-transition": "",
    "keyframes": rf"{_STRING}|{_OWN_IDENT}",
    "-webkit-keyframes": rf"{_STRING}|{_OWN_IDENT}",
    "layer": rf"(?:{_LAYER})?+",
    "page": rf"(?:{_OWN_IDENT})?+(?::(?:first|left|right))?+",
    "counter-style": r"(?!(?:decimal|disc|square|circle|disclosure-open|disclosure-closed)\Z)" + _OWN_IDENT,
    "font-feature-values": rf"{_FAMILY}(?:{_W},{_W}{_FAMILY})*+",
    "font-palette-values": _CUSTOM_NAME,
    "position-try": _CUSTOM_NAME,
}

# What of the values of @property is surely of its syntax (CSS Properties and Values 1, section 3).
_NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)"
_LENGTH = rf"0|{_NUMBER}(?:px|cm|mm|in|pt|pc|q)"
_INITIAL: Final = {
    "<color>": r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|(?:rgb|hsl)a?\([0-9., %/]++\)|transparent|black|white|red",
    "<length>": _LENGTH,
    "<percentage>": rf"{_NUMBER}%",
    "<length-percentage>": rf"{_LENGTH}|{_NUMBER}%",
    "<number>": _NUMBER,
    "<integer>": r"[+-]?[0-9]++",
    "<angle>": rf"{_NUMBER}(?:deg|grad|rad|turn)",
    "<time>": rf"{_NUMBER}m?s",
}


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Few sheets need one of these.
    return expression(pattern, re.IGNORECASE)


def _matched(pattern: str, text: str) -> re.Match[str] | None:
    return _compiled(pattern).fullmatch(text)


def are_layers(prelude: str) -> bool:
    """Whether these are names of cascade layers."""
    return _matched(_LAYERS, prelude) is not None


def opens_rule(name: str, prelude: str, block: str) -> bool:
    """Whether an at-rule with a block is valid. block: what is in it, where the rule is `@property`."""
    if name == "scope":
        scope = _matched(_SCOPE, prelude)
        ends = [scope["root"], scope["limit"]] if scope else [""]
        return all(are_selectors(end[1:-1].strip(_BLANKS)) for end in ends if end is not None)
    if name == "property":
        return _matched(_CUSTOM_NAME, prelude) is not None and _registers(block)
    return name in _PRELUDES and _matched(_PRELUDES[name], prelude) is not None


def _registers(block: str) -> bool:
    """Whether the descriptors of an `@property` make it valid."""
    said = {}
    for declaration in block.split(";"):
        name, _, value = declaration.partition(":")
        said[name.strip().lower()] = value.strip()
    syntax, value = said.get("syntax", ""), said.get("initial-value", "")
    if said.get("inherits", "").lower() not in ("true", "false") or not _matched(_STRING, syntax):
        return False
    syntax = unescape(syntax[1:-1]).strip()
    return syntax == "*" or (syntax in _INITIAL and _matched(_INITIAL[syntax], value) is not None)
