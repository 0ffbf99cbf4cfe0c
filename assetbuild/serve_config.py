"""What nginx and Caddy need to be told to serve an artifact: where it is, what may be cached for ever, which variants there
are, and nothing that begins with a dot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from assetbuild.errors import ConfigError, Problem
from assetbuild.runtime import manifest as treaty
from assetbuild.runtime.media_types import media_type

#: The end of a fingerprinted name.
FINGERPRINTED: Final = r"\.[0-9a-f]{12}(\.[^/]*)?$"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_OTHER: Final = "application/octet-stream"


def serve_config(server: str, output: Path, manifest: treaty.Manifest, base_url: str) -> str:
    """The block of a server's configuration.

    server: one of SERVERS. output: the artifact's folder, absolute. base_url: what helpers put before a public path. Raises
    ConfigError where the server cannot be told of such a path.
    """
    refused = _UNSPEAKABLE[server]
    prefix = unquote(urlsplit(base_url).path) or "/"
    kept = [path for path, entry in sorted(manifest["assets"].items()) if entry["path"] == path]
    exceptions = list(filter(_is_exception, kept))
    for text in (str(output), prefix, *exceptions):
        if found := re.search(rf"[{_CONTROLS}{re.escape(refused)}]", text):
            message = f'the character "{found[0]}" in a path has another meaning for {server}, which no writing takes away'
            raise ConfigError(Problem(text, 0, 0, message, "rename it"))
    # Browsers take sheets, scripts and fonts from another host only where that allows it.
    shared = bool(urlsplit(base_url).netloc)
    return "\n".join(SERVERS[server](output, prefix, manifest, exceptions, shared)) + "\n"


_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+")
_SUFFIX = re.compile(r"[A-Za-z0-9]+")


def _is_exception(path: str) -> bool:
    """Whether a kept name looks fingerprinted, or begins with a dot: it is served all the same, and not for ever."""
    return re.search(FINGERPRINTED, path) is not None or re.search(r"(?:^|/)\.", path) is not None


def _codings(manifest: treaty.Manifest) -> set[str]:
    return {coding for entry in manifest["assets"].values() for coding in entry.get("variants", {})}


def _types(manifest: treaty.Manifest) -> Mapping[str, list[str]]:
    """The suffixes of each media type that the artifact has; those of no type aside."""
    found: dict[str, set[str]] = {media_type(treaty.NAME): {"json"}}
    for entry in manifest["assets"].values():
        kind, suffix = entry["type"], entry["path"].rpartition(".")[2].lower()
        if kind == _OTHER:
            continue
        # They go into the server's configuration, whoever wrote the manifest.
        if not _TYPE.fullmatch(kind) or not _SUFFIX.fullmatch(suffix):
            raise ConfigError(Problem(entry["path"], 0, 0, f'"{kind}" is not its media type', "run `assetbuild compile`"))
        found.setdefault(kind, set()).add(suffix)
    return {kind: sorted(suffixes) for kind, suffixes in sorted(found.items())}


# ---- nginx


def _nginx(output: Path, prefix: str, manifest: treaty.Manifest, exceptions: list[str], shared: bool) -> Iterator[str]:
    codings = _codings(manifest)
    yield "# assetbuild's artifact: to be included in a server { }."
    if "br" in codings:
        yield "# brotli_static needs a module; Debian's is libnginx-mod-http-brotli-static."
    yield f"location ^~ {_quoted(prefix)} {{"
    yield f"    alias {_quoted(f'{output}/')};"
    yield "    types {"
    yield from (f"        {kind} {' '.join(suffixes)};" for kind, suffixes in _types(manifest).items())
    yield "    }"
    yield f"    default_type {_OTHER};"
    if "gzip" in codings:
        yield "    gzip_static on;"
    if "br" in codings:
        yield "    brotli_static on;"
    if codings:
        yield "    gzip off; # What gains by it is compressed already."
        yield "    gzip_vary off; # The lines on Vary say it, of what is not compressed too."
    yield from _nginx_headers("no-cache", codings, shared, "    ")
    for path in exceptions:
        yield f"    location = {_quoted(prefix + path)} {{"
        yield from _nginx_headers("no-cache", codings, shared, "        ")
        yield "    }"
    yield r"    location ~ /\. {"
    yield "        return 404;"
    yield "    }"
    yield f'    location ~ "{FINGERPRINTED}" {{'
    yield from _nginx_headers(_FOR_EVER, codings, shared, "        ")
    yield "    }"
    yield "}"


def _nginx_headers(caching: str, codings: set[str], shared: bool, indent: str) -> Iterator[str]:
    # nginx does not hand them down into a location that has some of its own.
    yield f'{indent}add_header Cache-Control "{caching}";'
    if codings:
        yield f"{indent}add_header Vary Accept-Encoding;"
    if shared:
        yield f'{indent}add_header Access-Control-Allow-Origin "*";'


def _quoted(text: str) -> str:
    """As it is where that is plain, else in quotes."""
    if re.fullmatch(r"[\w./~@+,:-]+", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# ---- Caddy


def _caddy(output: Path, prefix: str, manifest: treaty.Manifest, exceptions: list[str], shared: bool) -> Iterator[str]:
    codings = _codings(manifest)
    # The prefix is off where these are looked at.
    excepted = "^/(" + "|".join(map(_literal, exceptions)) + ")$"
    yield "# assetbuild's artifact: to be imported in a site's block."
    yield f"handle_path {_quoted_for_caddy(prefix + '*')} {{"
    yield f"\troot * {_quoted_for_caddy(str(output))}"
    yield "\t@hidden {"
    yield r"		path_regexp /\."
    if exceptions:
        yield f"\t\tnot path_regexp {_quoted_for_caddy(excepted)}"
    yield "\t}"
    yield "\terror @hidden 404"
    yield "\t@fingerprinted {"
    yield "\t\tfile"
    yield f'\t\tpath_regexp "{FINGERPRINTED}"'
    if exceptions:
        yield f"\t\tnot path_regexp {_quoted_for_caddy(excepted)}"
    yield "\t}"
    yield f'\theader @fingerprinted Cache-Control "{_FOR_EVER}"'
    yield "\t@named {"
    yield "\t\tfile"
    yield "\t\tnot {"
    yield f'\t\t\tpath_regexp "{FINGERPRINTED}"'
    if exceptions:
        yield f"\t\t\tnot path_regexp {_quoted_for_caddy(excepted)}"
    yield "\t\t}"
    yield "\t}"
    yield "\theader @named Cache-Control no-cache"
    if shared:
        yield '\theader Access-Control-Allow-Origin "*"'
    types = _types(manifest)
    for number, (kind, suffixes) in enumerate(types.items(), 1):
        yield f"\t@type{number} path {' '.join(f'*.{suffix}' for suffix in suffixes)}"
        yield f"\theader @type{number} Content-Type {kind}"
    every = " ".join(f"*.{suffix}" for suffixes in types.values() for suffix in suffixes)
    yield f"\t@other not path {every}"
    yield f"\theader @other Content-Type {_OTHER}"
    if codings:
        yield "\theader {"
        yield "\t\tVary Accept-Encoding"
        yield "\t\tdefer"
        yield "\t}"
        yield "\tfile_server {"
        yield f"\t\tprecompressed {' '.join(coding for coding in ('br', 'zstd', 'gzip') if coding in codings)}"
        yield "\t}"
    else:
        yield "\tfile_server"
    yield "}"


def _quoted_for_caddy(text: str) -> str:
    """In quotes, where Caddy takes a backslash for itself but before a quote."""
    if re.fullmatch(r"[\w./~@+,:*-]+", text):
        return text
    return '"' + text.replace('"', '\\"') + '"'


def _literal(path: str) -> str:
    """A path as Go's regular expressions have it: only ASCII's punctuation may have a backslash before it."""
    return re.sub(r"([^\w/\-\x80-\U0010ffff])", r"\\\1", path)


SERVERS: Final[Mapping[str, Callable[[Path, str, treaty.Manifest, list[str], bool], Iterator[str]]]] = {
    "nginx": _nginx,
    "caddy": _caddy,
}
#: What the server takes for a variable, and knows no way to write.
_UNSPEAKABLE: Final = {"nginx": "$", "caddy": "{}*"}
