"""One HTTP request, judged: what may be answered, and with which status the rest is refused. Knows no socket."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

MAX_HEAD = 8 * 1024
MAX_TARGET = 2 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)(?::([0-9]{1,5}))?")


class RefusedError(Exception):
    """status: of HTTP. message: for the log; holds what was sent, unescaped."""

    def __init__(self, status: int, message: str, origin: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.origin = origin


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may ask: host names without ports, whole origins besides those of these hosts, and the token."""

    hosts: frozenset[str]
    origins: frozenset[str]
    token: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be answered: method GET or HEAD, a path of the table, the origin to be named in the answer."""

    method: str
    path: str
    origin: str | None


def judge(head: bytes, gate: Gate, paths: Collection[str]) -> Asked:
    """Reads a request's head, its empty line included. Raises RefusedError.

    Host and Origin come first: whoever fails there learns nothing else.
    """
    method, target, headers = _read(head)
    host = _host(headers)
    if host not in gate.hosts:
        raise RefusedError(403, f'the host "{host}" is not allowed')
    origin = _origin(headers, gate)
    if method not in ("GET", "HEAD"):
        raise RefusedError(405, f"{method} is not answered", origin)
    if headers.get("content-length", ["0"]) != ["0"] or "transfer-encoding" in headers:
        raise RefusedError(400, "a request with a body", origin)
    path, token = _target(target, origin)
    if not hmac.compare_digest(token.encode(), gate.token.encode()):
        raise RefusedError(403, "the token is missing or another process's; load the page again", origin)
    if path not in paths:
        raise RefusedError(404, f'there is no "{path}"', origin)
    return Asked(method, path, origin)


def is_host(text: str) -> bool:
    """Whether it is a host name or address as Host has it, in lower case and without a port."""
    found = _HOST.fullmatch(text)
    return found is not None and found[2] is None and text == text.lower()


def is_origin(text: str) -> bool:
    return _ORIGIN.fullmatch(text) is not None and text == text.lower()


def _read(head: bytes) -> tuple[str, str, dict[str, list[str]]]:
    try:
        text = head.decode("ascii")
    except UnicodeError:
        raise RefusedError(400, "bytes beyond ASCII in the head") from None
    lines = text.removesuffix("\r\n\r\n").split("\r\n")
    if any(not line or any((c < " " and c != "\t") or c == "\x7f" for c in line) for line in lines):
        raise RefusedError(400, "a control character in the head")
    parts = lines[0].split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.0", "HTTP/1.1") or not _TOKEN.fullmatch(parts[0]):
        raise RefusedError(400, "no request line of HTTP/1.1")
    headers: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        # A blank before the colon or a folded line is read in two ways by two readers (RFC 9112, 5.1 and 5.2).
        if not colon or not _TOKEN.fullmatch(name):
            raise RefusedError(400, "a malformed header")
        headers.setdefault(name.lower(), []).append(value.strip(" \t"))
    return parts[0], parts[1], headers


def _host(headers: dict[str, list[str]]) -> str:
    found = headers.get("host", [])
    if len(found) != 1:
        raise RefusedError(403, "the header Host is missing" if not found else "there is more than one Host")
    match = _HOST.fullmatch(found[0])
    if match is None or int(match[2] or 0) > 65535:
        raise RefusedError(403, f'the host "{found[0]}" is malformed')
    return match[1].lower()


def _origin(headers: dict[str, list[str]], gate: Gate) -> str | None:
    found = headers.get("origin")
    if found is None:
        return None
    if len(found) != 1:
        raise RefusedError(403, "there is more than one Origin")
    match = _ORIGIN.fullmatch(found[0])
    if match is None or int(match[3] or 0) > 65535:
        raise RefusedError(403, f'the origin "{found[0]}" is malformed')
    if match[2].lower() not in gate.hosts and found[0] not in gate.origins:
        raise RefusedError(403, f'the origin "{found[0]}" is not allowed')
    return found[0]


def _target(target: str, origin: str | None) -> tuple[str, str]:
    if len(target) > MAX_TARGET:
        raise RefusedError(414, "the target is too long", origin)
    path, _, query = target.partition("?")
    lowered = target.lower()
    if not target.startswith("/") or any(bad in lowered for bad in ("//", "..", "\\", "%2f", "%5c", "%00", "#")):
        raise RefusedError(400, f'the target "{path}" is refused', origin)
    try:
        # Decoded once: what is still encoded then is a character of the name.
        decoded = unquote_to_bytes(path).decode()
        fields = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=4)
    except ValueError:
        raise RefusedError(400, f'the target "{path}" is malformed', origin) from None
    if ".." in decoded or "//" in decoded or "\\" in decoded:
        raise RefusedError(400, f'the target "{path}" is refused', origin)
    tokens = [value for name, value in fields if name == "token"]
    return decoded, tokens[0] if len(tokens) == 1 else ""


def token_of(url: str) -> str:
    """The token in a script's URL, or "" where there is none that this version makes."""
    try:
        found = [value for name, value in parse_qsl(urlsplit(url).query) if name == "token"]
    except ValueError:
        return ""
    return found[0] if len(found) == 1 and re.fullmatch(r"[0-9A-Za-z_-]{32,64}", found[0]) else ""
