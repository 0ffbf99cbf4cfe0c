"""The HTML element that loads an asset."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape, unescape

# What no attribute's name may hold (https://html.spec.whatwg.org/multipage/syntax.html#attributes-2): controls, blanks, what
# ends a name, and noncharacters, besides which half a surrogate pair is no character at all.
_ILLEGAL = frozenset("\"'<>/=") | {chr(n) for n in (*range(33), *range(0x7F, 0xA0), *range(0xFDD0, 0xFDF0))}

_DESTINATIONS = {"text/css": "style", "text/javascript": "script", "application/javascript": "script"}
_FAMILIES = ("image", "font", "audio", "video")


def element(path: str, url: str, integrity: str, media_type: str, attributes: Mapping[str, object]) -> str:
    """The element with its attributes, those given by the caller in place of its own. integrity: "" for none. Raises
    ValueError."""
    given = _given(attributes)
    # Where the caller names another file, the integrity is not that file's.
    other = "href" in given or "src" in given
    checked = {} if other or not integrity else {"integrity": integrity, "crossorigin": "anonymous"}
    destination = _destination(media_type)
    rel = given.get("rel")
    own: dict[str, str]
    if rel is True:
        raise ValueError('rel says what the link is for, like rel="preload"; True says nothing')
    if rel is not None and rel is not False:
        kind, own = "link", _link(_text(rel).lower().split(), url, checked, media_type, _text(given.get("as") or destination))
    elif destination == "style":
        kind, own = "link", {"rel": "stylesheet", "href": url, **checked}
    elif destination == "script":
        kind, own = "script", {"src": url, **checked}
        if path.endswith(".mjs"):
            own["type"] = "module"
    elif destination == "image":
        kind, own = "img", {"src": url}
    elif destination == "font":
        kind, own = "link", {"rel": "preload", **_link(["preload"], url, checked, media_type, destination)}
    else:
        raise ValueError(f'no element loads "{path}" ({media_type}) by itself: give rel=…, or use url()')
    written = "".join(_attribute(name, value) for name, value in {**own, **given}.items())
    return f"<{kind}{written}></script>" if kind == "script" else f"<{kind}{written}>"


def live_reload(url: str, digest: str, base_url: str, attributes: Mapping[str, object]) -> str:
    """The `script` that connects a page with `assetbuild watch`; it says what the page was made with. Raises ValueError."""
    own = {"src": url, "async": True, "crossorigin": "anonymous", "data-digest": digest, "data-base": base_url}
    return f"<script{''.join(_attribute(name, value) for name, value in {**own, **_given(attributes)}.items())}></script>"


def _link(rel: list[str], url: str, checked: dict[str, str], media_type: str, destination: str) -> dict[str, str]:
    """The attributes of a `link` besides rel.

    A preloaded file is used only where the later request has the same mode, so fonts always need crossorigin, and the
    same integrity: https://html.spec.whatwg.org/multipage/links.html#link-type-preload
    """
    own = {"href": url}
    if "preload" in rel:
        own["as"] = destination = destination or "fetch"
        if destination in _FAMILIES:
            own["type"] = media_type
        if destination in ("font", "fetch"):
            own["crossorigin"] = "anonymous"
    # Browsers know integrity for scripts and styles only; Chromium warns of every other one (crbug.com/981419).
    if ("preload" in rel and destination in ("style", "script")) or "stylesheet" in rel or "modulepreload" in rel:
        own.update(checked)
    return own


def _destination(media_type: str) -> str:
    """What a request for the asset is for, as in the attribute `as`; "" where its type alone does not tell."""
    if media_type == "application/vnd.ms-fontobject":
        return "font"
    family = media_type.partition("/")[0]
    return _DESTINATIONS.get(media_type, family if family in _FAMILIES else "")


def _given(attributes: Mapping[str, object]) -> dict[str, object]:
    """The caller's attributes by the names that they have in HTML. Raises ValueError."""
    given: dict[str, object] = {}
    for name, value in attributes.items():
        written = _name(name)
        if written in given:
            raise ValueError(f"the attribute {written} is given twice, once as {name!r}")
        given[written] = value
    return given


def _name(name: str) -> str:
    """`class_` → class, `data_x` → data-x."""
    written = name.removesuffix("_").replace("_", "-").lower()
    if not written.strip("-") or not _ILLEGAL.isdisjoint(written) or any(_is_no_character(ord(c)) for c in written):
        raise ValueError(f"{name!r} is no name of an HTML attribute")
    return written


def _is_no_character(code: int) -> bool:
    return 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE


def _text(value: object) -> str:
    """A value as text. What is markup already says so by `__html__`, as markupsafe and Django have it."""
    markup = getattr(value, "__html__", None)
    return unescape(str(markup())) if callable(markup) else str(value)


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(_text(value))}"'
