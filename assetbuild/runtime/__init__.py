"""What production imports: Assets, which knows the URL of every asset from the manifest. It reads one file, when it is made,
and never writes; after a fork, in threads and under asyncio it needs no lock, since what it knows is replaced as a whole."""

# Every web process imports this: pathlib, typing, dataclasses, re and json are too slow to load for what they would do.
from __future__ import annotations

import os

from assetbuild.runtime import manifest as _manifest
from assetbuild.runtime.manifest import ManifestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

__all__ = ["Asset", "AssetNotFound", "Assets", "ManifestError"]


class Asset:
    """What the manifest says of one asset; cannot be changed.

    path: the public path below the artifact's folder. url: its URL. integrity: for the HTML attribute of that name.
    size: in bytes, uncompressed. type: its media type.
    """

    __slots__ = ("integrity", "path", "size", "type", "url")

    path: str
    url: str
    integrity: str
    size: int
    type: str

    def __init__(self, path: str, url: str, integrity: str, size: int, type: str) -> None:  # noqa: A002
        for name, value in zip(_FIELDS, (path, url, integrity, size, type), strict=True):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an Asset cannot be changed ({name})")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an Asset cannot be changed ({name})")

    def _values(self) -> tuple[str, str, str, int, str]:
        return self.path, self.url, self.integrity, self.size, self.type

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Asset) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"Asset({', '.join(f'{name}={getattr(self, name)!r}' for name in _FIELDS)})"

    def __reduce__(self) -> tuple[object, ...]:
        return Asset, self._values()


_FIELDS = ("path", "url", "integrity", "size", "type")


class AssetNotFound(LookupError):  # noqa: N818 - the name is promised
    """The manifest has no asset of this name.

    path: what was asked for. closest: logical paths that may have been meant, the likeliest first. manifest: the file.
    """

    def __init__(self, path: str, closest: tuple[str, ...], manifest: str) -> None:
        super().__init__(path, closest, manifest)
        self.path = path
        self.closest = closest
        self.manifest = manifest

    def __str__(self) -> str:
        path = self.path if len(self.path) <= 200 else self.path[:197] + "..."
        text = f'"{path}" is not in {self.manifest}'
        if self.closest:
            text += f"; did you mean {' or '.join(f'{chr(34)}{path}{chr(34)}' for path in self.closest)}?"
        return _manifest.printable(text)


class Assets:
    """Logical paths → URLs, from an artifact's manifest.

    path: the artifact's folder, or its manifest; without one $ASSETBUILD_OUTPUT, else `dist`.
    base_url: what stands before a public path, a `/` is added at its end; without one $ASSETBUILD_BASE_URL, else the
        manifest's. An environment variable that is empty counts as not set.
    auto_reload: for development. Every look-up asks for the manifest's stat, and reads it again where that changed. While
        it is absent or cannot be read, the last good one answers.
    wait: seconds, with auto_reload: how long to wait for the first manifest, while the first build still runs; without one
        $ASSETBUILD_WAIT, else 0.

    Raises ManifestError where there is no manifest that can be read, ValueError for a base URL that is none.
    """

    __slots__ = ("__weakref__", "_auto_reload", "_base_url", "_file", "_fixed", "_shown", "_state")

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        base_url: str | None = None,
        auto_reload: bool = False,
        wait: float | None = None,
    ) -> None:
        shown = os.fspath(os.environ.get("ASSETBUILD_OUTPUT") or "dist" if path is None else path)
        if not isinstance(shown, str):
            raise TypeError("the path of an artifact is a str or a path of str, not bytes")
        if not shown.endswith(".json") or os.path.isdir(shown):
            shown = os.path.join(shown, _manifest.NAME)
        self._shown = shown
        # A process that changes its working folder later still finds the file.
        self._file = os.path.abspath(shown) if auto_reload else shown
        self._base_url = _given_base_url(base_url)
        self._auto_reload = auto_reload
        named = path is not None
        seconds = _given_wait(wait) if auto_reload else 0.0
        if seconds:
            self._state = _awaited(shown, self._file, self._base_url, seconds, named=named)
        else:
            # The stat comes first: a manifest that is replaced in between is noticed at the next look-up.
            seen = _stamp(self._file) if auto_reload else None
            self._state = _read(shown, self._base_url, seen, named=named)
        # What every page asks for most is one step away, where no look at the disk comes first.
        self._fixed = {} if auto_reload else self._state.urls

    @property
    def base_url(self) -> str:
        """What stands before every public path; ends in `/`."""
        return self._current().base_url

    @property
    def digest(self) -> str:
        """The artifact's digest: equal for two artifacts that hold the same files."""
        return self._current().manifest["digest"]

    @property
    def mode(self) -> str:
        """Who wrote the artifact: "production", or "development" for `assetbuild watch`."""
        return self._current().manifest["mode"]

    @property
    def live_reload(self) -> str | None:
        """The URL of the script that `assetbuild watch --live-reload` serves; None unless a development build names one."""
        return _live_reload(self._current().manifest)

    def live_reload_tag(self, **attributes: object) -> str:
        """The `script` element for live reload, or "" unless `assetbuild watch --live-reload` runs.

        attributes: as tag() has them: `nonce`, for instance. Raises ValueError for an illegal name.
        """
        state = self._current()
        url = _live_reload(state.manifest)
        if url is None:
            return ""
        from assetbuild.runtime import tags

        return tags.live_reload(url, state.manifest["digest"], state.base_url, attributes)

    @property
    def folder(self) -> str:
        """The artifact's folder, as it was asked for."""
        return os.path.dirname(self._shown) or "."

    def url(self, path: str) -> str:
        """The URL of an asset. A ?query and a #fragment behind the path stay behind it. Raises AssetNotFound."""
        try:
            return self._fixed[path]
        except KeyError:
            state = self._current()
            name, rest = self._find(state, path)
            return "".join((state.urls[name], rest))

    def integrity(self, path: str) -> str:
        """What goes into the HTML attribute `integrity`: "sha256-…=". Raises AssetNotFound."""
        state = self._current()
        return state.manifest["assets"][self._find(state, path)[0]]["integrity"]

    def __getitem__(self, path: str) -> Asset:
        """Everything about an asset. Raises AssetNotFound."""
        state = self._current()
        name, rest = self._find(state, path)
        entry = state.manifest["assets"][name]
        return Asset(entry["path"], "".join((state.urls[name], rest)), entry["integrity"], entry["size"], entry["type"])

    def tag(self, path: str, /, **attributes: object) -> str:
        """The HTML element that loads an asset, its attributes escaped.

        CSS: `link rel="stylesheet"`. JavaScript: `script`, a module where the name ends in .mjs. Images: `img`. Fonts:
        `link rel="preload"`. With an attribute `rel` whatever it is becomes a `link` (`preload`, `modulepreload`, `icon`,
        `manifest` …). The attribute integrity, with crossorigin, stands where HTML gives it a meaning: scripts and
        stylesheets, and links that preload them (https://html.spec.whatwg.org/multipage/semantics.html#attr-link-integrity).

        attributes: win over the ones above. True is a bare attribute, None and False leave it out; `class_` is `class`,
        `data_x` is `data-x`. Raises AssetNotFound; ValueError for a type that has no element and an illegal name.
        """
        from assetbuild.runtime import tags

        asset = self[path]
        return tags.element(asset.path, asset.url, asset.integrity, asset.type, attributes)

    def __contains__(self, path: object) -> bool:
        """Whether url() has an answer."""
        state = self._current()
        return isinstance(path, str) and _known(state, path) is not None

    def __iter__(self) -> Iterator[str]:
        """The logical paths, sorted."""
        return iter(sorted(self._current().urls))

    def __len__(self) -> int:
        return len(self._current().urls)

    def __bool__(self) -> bool:
        # An artifact without assets is still one: `assets or Assets()` must not pass it by.
        return True

    def __repr__(self) -> str:
        return f"<Assets {self._shown}: {len(self._state.urls)} assets>"

    def _current(self) -> _State:
        state = self._state
        if self._auto_reload:
            seen = _stamp(self._file)
            if seen is not None and seen != state.seen:
                try:
                    state = _read(self._file, self._base_url, seen)
                except ManifestError:
                    # What is broken is not parsed again before it changes.
                    state = _State(state.manifest, state.base_url, state.urls, seen)
                self._state = state
        return state

    def _find(self, state: _State, path: str) -> tuple[str, str]:
        """The logical path that a text names, and the ?query and #fragment behind it."""
        if not isinstance(path, str):
            raise TypeError(f"an asset's path is a str, not {type(path).__name__}")
        found = _known(state, path)
        if found is None:
            from assetbuild.runtime import closest

            raise AssetNotFound(path, closest.find(path, state.manifest["assets"], state.base_url), self._shown)
        return found


class _State:
    """All that a look-up needs; never changed, only replaced, so that a look-up in another thread sees one build."""

    __slots__ = ("base_url", "longest", "manifest", "seen", "urls")

    def __init__(self, manifest: _manifest.Manifest, base_url: str, urls: dict[str, str], seen: tuple[int, ...] | None) -> None:
        self.manifest = manifest
        self.base_url = base_url
        self.urls = urls
        self.seen = seen
        self.longest = max(map(len, urls), default=0)


def _read(file: str, base_url: str | None, seen: tuple[int, ...] | None, *, named: bool = True) -> _State:
    """named: whether the user said where the manifest is, and not the environment or nobody."""
    manifest = _manifest.load(file, or_else="" if named else "set ASSETBUILD_OUTPUT to the artifact's folder")
    base = base_url
    if base is None:
        base = manifest["base_url"]
        fault = _base_url_fault(base)
        if fault:
            raise ManifestError(file, f"`base_url`: {fault}", _manifest.ANEW)
    if not base.endswith("/"):
        base += "/"
    urls = {logical_path: base + _quote(entry["path"]) for logical_path, entry in manifest["assets"].items()}
    return _State(manifest, base, urls, seen)


def _live_reload(manifest: _manifest.Manifest) -> str | None:
    # A production build never has the key, and one that was put there is not obeyed.
    if manifest["mode"] != "development":
        return None
    found = manifest.get("live_reload")
    return found if type(found) is str and found.startswith(("http://", "https://")) else None


def _awaited(shown: str, file: str, base_url: str | None, seconds: float, *, named: bool) -> _State:
    """The first state, as soon as there is one. Raises ManifestError where there is none after so many seconds."""
    import time

    end = time.monotonic() + seconds
    while True:
        seen = _stamp(file)
        try:
            return _read(shown, base_url, seen, named=named)
        except ManifestError as error:
            left = end - time.monotonic()
            if left <= 0:
                message = f"{error.message}, after {seconds:g} seconds"
                raise ManifestError(error.file, message, f"run `assetbuild watch` beside this, or {error.hint}") from None
        time.sleep(min(0.05, left))


def _given_wait(argument: float | None) -> float:
    """What the argument, else the environment says, in seconds. Raises ValueError."""
    name, value = "wait", argument
    if value is None:
        name = "ASSETBUILD_WAIT"
        text = os.environ.get(name) or "0"
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{name}: {text!r} is no number of seconds") from None
    # An hour is above what a build takes; nan is in no range.
    if not 0 <= value <= 3600:
        raise ValueError(f"{name}: {value!r} is not between 0 and 3600 seconds")
    return float(value)


def _given_base_url(argument: str | None) -> str | None:
    """What the argument, else the environment says; None where neither does. Raises TypeError and ValueError."""
    name, text = "base_url", argument
    if text is None:
        name, text = "ASSETBUILD_BASE_URL", os.environ.get("ASSETBUILD_BASE_URL") or None
    elif not isinstance(text, str):
        raise TypeError(f"base_url is a str, not {type(text).__name__}")
    fault = _base_url_fault(text) if text else ""
    if fault:
        raise ValueError(_manifest.printable(f"{name}: {fault}"))
    return text


def _base_url_fault(text: str) -> str:
    """What is wrong with a base URL, or "". An empty one is the top of the host. Whatever it is, it goes into every page."""
    if not text:
        return ""
    shown = text if len(text) <= 200 else text[:197] + "..."
    if not _IN_URLS.issuperset(text):
        return f'"{shown}" holds a character that no base URL has; percent-encode it, and leave out ?query and #fragment'
    if text[0] == "/" != text[1:2]:
        return ""
    scheme, slashes, host = text.partition("//")
    if not slashes or scheme.lower() not in ("", "http:", "https:"):
        return f'"{shown}" begins with neither "/" nor "http://" nor "https://"'
    return "" if host and host[0] != "/" else f'"{shown}" names no host'


def _known(state: _State, path: str) -> tuple[str, str] | None:
    """The longest beginning of a text that is a logical path and is followed by ?, # or nothing; and the rest."""
    if path in state.urls:
        return path, ""
    # What is longer than every name is none: a long query costs no more than a short one.
    for position in range(min(len(path) - 1, state.longest), 0, -1):
        if path[position] in "?#" and path[:position] in state.urls:
            return path[:position], path[position:]
    return None


def _stamp(file: str) -> tuple[int, ...] | None:
    """What tells one version of a file from another, or None where there is no file.

    The change time is there because SOURCE_DATE_EPOCH can fix the modification time, and inodes are used again.
    """
    try:
        seen = os.stat(file)
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


# The unreserved characters of RFC 3986, 2.3, and those that a path may hold as they are (3.3) and that mean nothing in
# HTML, CSS and JavaScript. References inside the artifact keep the same ones, so that a module has one URL however a page
# comes to it: browsers run a module once for each URL.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/@+,=!$")

# What a base URL may hold besides: the rest of what RFC 3986 has before a query, less the quote.
_IN_URLS = _PLAIN | frozenset("%:;&()*[]")


def _quote(path: str) -> str:
    """A public path as it stands in a URL, percent-encoded."""
    if _PLAIN.issuperset(path):
        return path
    return "".join(c if c in _PLAIN else "".join(f"%{byte:02X}" for byte in c.encode()) for c in path)
