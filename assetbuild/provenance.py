"""Where an artifact came from, as an in-toto statement with SLSA provenance that any DSSE signer can sign; and whether an
artifact is the one that such a statement speaks of.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import json
import platform
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assetbuild import changes, earlier, patterns
from assetbuild.config import Config
from assetbuild.errors import Problem
from assetbuild.index import Index
from assetbuild.materials import known_as, materials
from assetbuild.runtime import manifest as treaty

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
#: What the parameters and materials of such a build mean; goes up when they mean something else.
BUILD_TYPE = "urn:assetbuild:compile:v1"
BUILDER = "urn:assetbuild"
#: What the subjects are called: the text that `sha256sum` prints of the artifact's files, sorted by path; and the manifest.
FILES = "files"

#: Keys of the configuration that are about this machine, or decide no byte of the artifact.
_ELSEWHERE = {
    "output",
    "folder",
    "file",
    "working_folder",
    "cache_dir",
    "templates",
    "templates_given",
    "jinja",
    "filter_timeout",
    "previous",
}


def statement(config: Config, index: Index, version: str, read: Iterable[str] = ()) -> bytes:
    """The statement for an artifact that was just built: UTF-8, keys sorted, the same for the same artifact.

    config: with its bundles adopted. version: assetbuild's. read: the files that the bundles are from. Raises BuildError where
    a source can no longer be read.
    """
    metadata = {}
    if config.source_date_epoch is not None:
        metadata["finishedOn"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(config.source_date_epoch))
    tools = [_described(name, changes.identity(config, name, hooks)) for name, hooks in index.surface.tools]
    packers = [_described("compressor", packer.split(" ")) for packer in index.surface.summary["packers"]]
    document = {
        "_type": STATEMENT,
        "subject": [
            {"name": FILES, "digest": {"sha256": index.surface.summary["digest"].removeprefix("sha256-")}},
            {"name": treaty.NAME, "digest": {"sha256": index.surface.manifest}},
        ],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _parameters(config),
                "resolvedDependencies": [*_materials(config, index, read), *tools, *packers],
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"assetbuild": version, "python": platform.python_version()}},
                "metadata": metadata,
            },
        },
    }
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _described(name: str, identity: Iterable[str]) -> dict[str, Any]:
    # Options may hold what is nobody's business: of them only the digest is told.
    text = "\0".join(identity)
    return {"name": f"tool: {name}", "digest": {"sha256": hashlib.sha256(text.encode()).hexdigest()}}


def _parameters(config: Config) -> dict[str, Any]:
    given = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return {name: _plain(value, config) for name, value in given.items() if name not in _ELSEWHERE}


def _plain(value: Any, config: Config) -> Any:
    """A value as JSON has it; paths by the names that they have on every machine."""
    if isinstance(value, patterns.Pattern):
        return ("/" if value.from_top else "") + value.text
    if isinstance(value, Path):
        return known_as(config, value)
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), config) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one, config) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one, config) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else repr(type(value))


def _materials(config: Config, index: Index, read: Iterable[str]) -> list[dict[str, Any]]:
    """All that was read, and the manifests of earlier artifacts."""
    files = [(material.name, material.digest) for material in materials(config, index, read)]
    previous = [(f"earlier artifact: {treaty.NAME}", digest) for digest in earlier.manifests(config)]
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in (*files, *previous)]


def differences(data: bytes, where: str, folder: Path, digest: str) -> list[Problem]:
    """What a statement, or a DSSE envelope with one in it, says of another artifact than the one in the folder.

    where: the statement's name in messages. digest: of the artifact, as it was found to be. Signatures are not looked at.
    """
    try:
        subjects = _subjects(data)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        hint = "name the file that `assetbuild compile --provenance FILE` wrote"
        return [Problem(where, 0, 0, "this is no in-toto statement of assetbuild's", hint)]
    try:
        manifest = hashlib.sha256((folder / treaty.NAME).read_bytes()).hexdigest()
    except OSError:
        manifest = ""  # What is wrong with it is a finding already.
    here = {FILES: digest.removeprefix("sha256-"), treaty.NAME: manifest}
    return [
        Problem(where, 0, 0, f"speaks of another artifact: {name} {subjects.get(name, 'nothing')}, here {found or 'nothing'}")
        for name, found in here.items()
        if subjects.get(name) != found
    ]


def _subjects(data: bytes) -> dict[str, str]:
    document = json.loads(data)
    if "payload" in document:
        document = json.loads(base64.b64decode(document["payload"], validate=True))
    if document["_type"] != STATEMENT or document["predicateType"] != PROVENANCE:
        raise ValueError
    return {str(subject["name"]): str(subject["digest"]["sha256"]) for subject in document["subject"]}
