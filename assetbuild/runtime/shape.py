"""Whether what was read as JSON has a manifest's shape. Apart from manifest.py because it is needed only where one is read."""

from __future__ import annotations

# What a size in bytes can be on any file system.
MAX_SIZE = 2**63 - 1


class RepeatedKeyError(Exception):
    """One object has a key twice: which of the two counts depends on the reader (RFC 8259, section 4)."""


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of these keys and values. Raises RepeatedKeyError."""
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RepeatedKeyError(repr(key))
            seen.add(key)
    return made


def refuse(constant: str) -> object:
    """For NaN and Infinity, which Python reads and JSON does not have. Raises ValueError."""
    raise ValueError(f"{constant} is no number of JSON")


def fault(manifest: object, *, version: int, most: int) -> str:
    """What is wrong with a manifest's types, or "". version: the one that can be read. most: how many assets there may be."""
    if type(manifest) is not dict:
        return "holds no JSON object"
    if "version" not in manifest or "assets" not in manifest:
        return "is no manifest of assetbuild's: `version` or `assets` is missing"
    found = manifest["version"]
    if type(found) is not int or found != version:
        return f"version {_short(found)} is not known; this assetbuild reads version {version}"
    for key in ("mode", "digest", "base_url"):
        if type(manifest.get(key)) is not str:
            return f"`{key}` is no string"
    if manifest["mode"] not in ("production", "development"):
        return f"`mode` is {_short(manifest['mode'])}, neither production nor development"
    if "checksum" in manifest and type(manifest["checksum"]) is not str:
        return "`checksum` is no string"
    if "date" in manifest and type(manifest["date"]) is not int:
        return "`date` is no integer"
    if "compressors" in manifest and not _is_strings(manifest["compressors"]):
        return "`compressors` is no array of strings"
    assets = manifest["assets"]
    if type(assets) is not dict:
        return "`assets` is no object"
    if len(assets) > most:
        return f"has more than {most:,} assets"
    for logical_path, entry in assets.items():
        if (
            type(entry) is not dict
            or type(entry.get("path")) is not str
            or not entry["path"]
            or type(entry.get("type")) is not str
            or not _is_file(entry)
            or ("group" in entry and type(entry["group"]) is not str)
            or ("missing" in entry and not _is_strings(entry["missing"]))
            or ("imports" in entry and not _is_strings(entry["imports"]))
        ):
            return f"the entry of {_short(logical_path)} is malformed"
    previous = manifest.get("previous")
    if type(previous) is not list:
        return "`previous` is no array"
    for release in previous:
        if (
            type(release) is not dict
            or type(release.get("digest")) is not str
            or type(release.get("files")) is not dict
            or ("date" in release and type(release["date"]) is not int)
            or not all(type(carried) is dict and _is_file(carried) for carried in release["files"].values())
        ):
            return "an entry of `previous` is malformed"
    return ""


def _is_file(entry: dict[str, object]) -> bool:
    """Whether integrity, size and variants have their types; numbers are compared before anything is done with them."""
    size = entry.get("size")
    if type(size) is not int or not 0 <= size <= MAX_SIZE or type(entry.get("integrity")) is not str:
        return False
    variants = entry.get("variants")
    if variants is None:
        return "variants" not in entry
    return type(variants) is dict and all(type(n) is int and 0 <= n <= MAX_SIZE for n in variants.values())


def _is_strings(value: object) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "a huge number"
    return text if len(text) <= 80 else text[:77] + "..."
