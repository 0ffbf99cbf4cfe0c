"""Which libraries an artifact is made of, as far as their own comments say so for certain: a bill of materials that tools for
licences and vulnerabilities read.

CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from assetbuild.banners import IDENTIFIERS, Banner, banners
from assetbuild.config import Config
from assetbuild.errors import BuildError, Lines, Problem
from assetbuild.index import Index
from assetbuild.materials import Material, materials
from assetbuild.reading import content

#: What may have such comments, by suffix.
_TEXTS = (".css", ".js", ".mjs", ".cjs", ".scss", ".sass", ".less")
_ARTIFACT = "artifact"


class _Place(NamedTuple):
    """Where a library was found. alone: whether the file has nothing else in it that is known."""

    material: Material
    line: int
    alone: bool


def bill(config: Config, index: Index, version: str) -> bytes:
    """The bill for an artifact that was just built: UTF-8, keys sorted, the same for the same artifact; no serial number.

    config: with its bundles adopted. version: assetbuild's. Raises BuildError where a source can no longer be read.
    """
    found: dict[tuple[str, str, tuple[str, ...], str], list[_Place]] = {}
    for material in materials(config, index):
        for banner, place in _found(config, material):
            found.setdefault((banner.name, banner.version, banner.licences, banner.package), []).append(place)
    components = list(_components(found))
    metadata: dict[str, Any] = {
        "component": {
            "bom-ref": _ARTIFACT,
            "type": "application",
            "name": "static assets",
            "version": index.surface.summary["digest"],
        },
        "tools": {"components": [{"type": "application", "name": "assetbuild", "version": version}]},
    }
    if config.source_date_epoch is not None:
        metadata["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(config.source_date_epoch))
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": [{"ref": _ARTIFACT, "dependsOn": sorted(component["bom-ref"] for component in components)}],
        # What has no such comment is in it too, and is not listed.
        "compositions": [{"aggregate": "incomplete", "assemblies": [_ARTIFACT]}],
    }
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _found(config: Config, material: Material) -> Iterator[tuple[Banner, _Place]]:
    suffix = Path(material.file).suffix.lower()
    if suffix not in _TEXTS:
        return
    try:
        data = content(material.file)
    except OSError as error:
        what = f"this file could not be read again after the build: {error.strerror}"
        raise BuildError(Problem(config.shown(material.file), 0, 0, what, "run it again")) from error
    if hashlib.sha256(data).hexdigest() != material.digest:
        raise BuildError(Problem(config.shown(material.file), 0, 0, "this changed after the build", "run it again"))
    text = data.decode("utf-8", "replace")
    said = banners(text, suffix)
    lines = Lines(text)
    for banner in said:
        yield banner, _Place(material, lines.place(banner.offset)[0], len(said) == 1)


def _components(found: dict[tuple[str, str, tuple[str, ...], str], list[_Place]]) -> Iterator[dict[str, Any]]:
    """Libraries by name and version, each with the files that it was found in."""
    taken = {_ARTIFACT}
    for (name, version, licences, package), places in sorted(found.items()):
        url = _package_url(package, version)
        reference = url or f"{name}@{version}".rstrip("@")
        while reference in taken:
            reference += "'"
        taken.add(reference)
        component: dict[str, Any] = {
            "bom-ref": reference,
            "type": "library",
            "name": name,
            "licenses": _licences(licences),
            "evidence": {"occurrences": [{"location": place.material.name, "line": place.line} for place in places]},
            "components": [
                {"bom-ref": f"{reference}#{file.name}", "type": "file", "name": file.name, "hashes": _hashes(file.digest)}
                for file in dict.fromkeys(place.material for place in places)
            ],
        }
        if version:
            component["version"] = version
        if url:
            component["purl"] = url
        digests = {place.material.digest for place in places}
        if len(digests) == 1 and all(place.alone for place in places):
            component["hashes"] = _hashes(*digests)
        yield component


def _hashes(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest}]


def _licences(names: Sequence[str]) -> list[dict[str, Any]]:
    if any(name not in IDENTIFIERS for name in names):
        return [{"expression": name, "acknowledgement": "declared"} for name in names]
    return [{"license": {"id": name, "acknowledgement": "declared"}} for name in names]


def _package_url(package: str, version: str) -> str:
    """https://github.com/package-url/purl-spec, for npm; "" where no package is known, or no version of it."""
    return f"pkg:npm/{quote(package, safe='/')}@{quote(version, safe='')}" if package and version else ""
