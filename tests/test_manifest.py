"""The manifest: what a build writes is read back; what is anything else is refused, with a sentence that helps."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.runtime import manifest as treaty
from assetbuild.runtime.manifest import Manifest, ManifestError
from tests.conftest import Project

ENTRY: dict[str, Any] = {
    "path": "css/app.5d41402abc4b.css",
    "integrity": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "size": 10240,
    "type": "text/css",
}


def manifest(**changed: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "mode": "production",
        "digest": "sha256-" + "0" * 64,
        "base_url": "/static/",
        "assets": {"css/app.css": dict(ENTRY)},
        "previous": [],
        **changed,
    }


def with_entry(**changed: Any) -> dict[str, Any]:
    return manifest(assets={"css/app.css": {**ENTRY, **changed}})


def without(key: str) -> dict[str, Any]:
    made = manifest()
    del made[key]
    return made


def parse(value: object) -> Manifest:
    return treaty.parse(json.dumps(value).encode(), "dist/manifest.json")


@pytest.mark.parametrize(
    "value",
    [
        manifest(),
        manifest(assets={}),
        manifest(mode="development"),
        manifest(later=True, previous=[{"digest": "x", "files": {"a": {"integrity": "x", "size": 0}}, "date": 0}]),
        with_entry(variants={"br": 2410, "gzip": 2733}, group="sha256-0", missing=["x.png"], imports=["b.js"]),
        with_entry(variants={}, later={"deep": [[[1]]]}),
        manifest(assets={"ä ö/☃.css": ENTRY, "😀": ENTRY}),
    ],
)
def test_what_a_build_writes_is_read_back(value: dict[str, Any]) -> None:
    data = treaty.dump(value)  # type: ignore[arg-type]
    assert treaty.parse(data, "m") == value
    assert treaty.dump(treaty.parse(data, "m")) == data


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(_TEXT := st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(_TEXT), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_the_one_form_is_that_of_the_json_module_with_sorted_keys_and_two_blanks(value: Any) -> None:
    expected = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert treaty.dump(value) == expected.encode()


def test_the_form_is_the_documented_one() -> None:
    assert treaty.dump(with_entry(variants={"gzip": 2, "br": 1})) == (  # type: ignore[arg-type]
        b"""{
  "assets": {
    "css/app.css": {
      "integrity": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
      "path": "css/app.5d41402abc4b.css",
      "size": 10240,
      "type": "text/css",
      "variants": {
        "br": 1,
        "gzip": 2
      }
    }
  },
  "base_url": "/static/",
  "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000",
  "mode": "production",
  "previous": [],
  "version": 1
}
"""
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "no JSON object"),
        (None, "no JSON object"),
        ("text", "no JSON object"),
        ({}, "no manifest of assetbuild's"),
        ({"css/app.css": "css/app.123.css"}, "no manifest of assetbuild's"),
        (without("assets"), "no manifest of assetbuild's"),
        (without("mode"), "`mode`"),
        (without("digest"), "`digest`"),
        (without("base_url"), "`base_url`"),
        (without("previous"), "`previous`"),
        (manifest(version=2), "version 2 is not known"),
        (manifest(version=0), "version 0 is not known"),
        (manifest(version="1"), "version '1' is not known"),
        (manifest(version=True), "version True is not known"),
        (manifest(version=1.0), "version 1.0 is not known"),
        (manifest(mode="staging"), "neither production nor development"),
        (manifest(base_url=None), "`base_url`"),
        (manifest(assets=[]), "`assets`"),
        (manifest(assets={"a": "b"}), "entry of 'a'"),
        (manifest(assets={"a": None}), "entry of 'a'"),
        (with_entry(path=None), "entry of 'css/app.css'"),
        (with_entry(path=7), "malformed"),
        (with_entry(path=""), "malformed"),
        (with_entry(integrity=None), "malformed"),
        (with_entry(type=1), "malformed"),
        (with_entry(size="10"), "malformed"),
        (with_entry(size=-1), "malformed"),
        (with_entry(size=1.5), "malformed"),
        (with_entry(size=True), "malformed"),
        (with_entry(size=2**63), "malformed"),
        (with_entry(variants=None), "malformed"),
        (with_entry(variants=[]), "malformed"),
        (with_entry(variants={"br": "1"}), "malformed"),
        (with_entry(variants={"br": -1}), "malformed"),
        (with_entry(group=None), "malformed"),
        (with_entry(missing="x"), "malformed"),
        (with_entry(missing=[1]), "malformed"),
        (with_entry(imports={}), "malformed"),
        (manifest(compressors="x"), "`compressors`"),
        (manifest(compressors=[1]), "`compressors`"),
        (manifest(previous={}), "`previous`"),
        (manifest(previous=[1]), "`previous`"),
        (manifest(previous=[{"digest": "x"}]), "`previous`"),
        (manifest(previous=[{"digest": "x", "files": {"a": {"integrity": "x"}}}]), "`previous`"),
    ],
)
def test_another_shape_is_refused(value: object, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(value)
    assert says in str(caught.value)
    assert str(caught.value).startswith("dist/manifest.json: ")
    assert "assetbuild compile" in str(caught.value)


GOOD = json.dumps(manifest()).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"not json", "not JSON"),
        (GOOD[:-1], "not JSON"),
        (GOOD + GOOD, "not JSON"),
        (b"\xef\xbb\xbf" + GOOD, "not JSON"),
        (GOOD.decode().encode("utf-16"), "not UTF-8"),
        (GOOD.replace(b"production", b"\xff"), "not UTF-8"),
        (GOOD.replace(b"css/app.css", b"\\ud800"), "not UTF-8"),
        (GOOD.replace(b"css/app.css", b"\\uDfff"), "not UTF-8"),
        (b'{"version": 1, ' + GOOD[1:], "the key 'version' twice"),
        (GOOD.replace(b'"size"', b'"path": "x", "size"'), "the key 'path' twice"),
        (GOOD.replace(b"10240", b"NaN"), "NaN"),
        (GOOD.replace(b"10240", b"-Infinity"), "Infinity"),
        (GOOD.replace(b"10240", b"1e999"), "malformed"),
        (GOOD.replace(b"10240", b"9" * 4000), "malformed"),
        (GOOD.replace(b"10240", b"9" * 1_000_000), "not JSON"),
        (GOOD.replace(b'"version": 1', b'"version": ' + b"9" * 4000), "version"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 1_000_000, "nested too deeply"),
        (b'{"later": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"," + GOOD[1:], "nested too deeply"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_hostile_bytes_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        treaty.parse(data, "m")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_pair_of_surrogates_is_one_character() -> None:
    parsed = treaty.parse(GOOD.replace(b"css/app.css", b"\\ud83d\\ude00"), "m")
    assert list(parsed["assets"]) == ["😀"]


@given(st.binary(max_size=200))
def test_whatever_the_bytes_only_a_manifest_error_is_raised(data: bytes) -> None:
    with pytest.raises(ManifestError):
        treaty.parse(data, "m")


@given(st.dictionaries(st.sampled_from(list(manifest())), _JSON))
def test_whatever_the_values_only_a_manifest_error_is_raised(changed: dict[str, Any]) -> None:
    try:
        parse(manifest(**changed))
    except ManifestError:
        return
    # What is let through is harmless: nothing was changed, or only what has the right shape.
    assert set(changed) <= {"version", "digest", "base_url", "assets", "previous"}


def test_a_file_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(GOOD)
    assert treaty.load(tmp_path / "manifest.json") == manifest()
    assert treaty.load(str(tmp_path / "manifest.json")) == manifest()


def test_an_absent_file_is_named_with_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError) as caught:
        treaty.load("dist/manifest.json")
    assert str(caught.value) == f"dist/manifest.json: there is no such file in {tmp_path}; run `assetbuild compile`"
    with pytest.raises(ManifestError) as caught:
        treaty.load("dist/manifest.json", or_else="set a variable")
    assert caught.value.hint == "run `assetbuild compile`, or set a variable"


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1, "assets": {}}'])
def test_a_file_that_a_build_would_refuse_too_is_to_be_removed_first(text: str) -> None:
    with pytest.raises(ManifestError) as caught:
        treaty.parse(text.encode(), "m")
    assert caught.value.hint == "remove the folder and run `assetbuild compile`"


def test_of_another_version_the_one_that_wrote_it_is_a_way_out() -> None:
    with pytest.raises(ManifestError) as caught:
        parse(manifest(version=2))
    assert caught.value.hint.endswith("or install the version of assetbuild that wrote it")


def test_a_file_that_is_too_large_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    with open(tmp_path / "manifest.json", "wb") as file:
        file.truncate(10 * 1024**3)
    with pytest.raises(ManifestError, match="is larger than"):
        treaty.read(str(tmp_path / "manifest.json"))


def test_an_error_shows_no_control_characters() -> None:
    error = ManifestError("a\x1b[31m\n.json", "is broken", "mend it")
    assert str(error) == "a\\x1b[31m\\n.json: is broken; mend it"
    assert error.file == "a\x1b[31m\n.json"


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dist").write_bytes(b"")
    with pytest.raises(ManifestError, match="no such file"):
        treaty.load(tmp_path / "dist" / "manifest.json")


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="this is a folder"):
        treaty.load(tmp_path)


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(ManifestError, match="no regular file"):
        treaty.load(tmp_path / "manifest.json")


def test_a_name_with_a_nul_is_an_error() -> None:
    with pytest.raises(ManifestError, match="null"):
        treaty.load("a\0b")


def test_a_loop_of_links_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to("manifest.json")
    with pytest.raises(ManifestError, match="cannot be read"):
        treaty.load(tmp_path / "manifest.json")


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    (tmp_path / "manifest.json").write_bytes(GOOD)
    (tmp_path / "manifest.json").chmod(0)
    with pytest.raises(ManifestError, match="make it readable"):
        treaty.load(tmp_path / "manifest.json")


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(ManifestError("m", "is broken", "mend it")))
    assert (error.file, error.message, error.hint, str(error)) == ("m", "is broken", "mend it", "m: is broken; mend it")


def test_the_digest_is_that_of_what_sha256sum_prints(tmp_path: Path) -> None:
    names = ["b.css", "a/z.css", "a.css", "a/b.css", "ä.css", "Z.css"]
    rows = []
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(name.encode())
        rows.append((hashlib.sha256(name.encode()).hexdigest(), name))
    ordered = subprocess.run(
        "LC_ALL=C find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )
    assert treaty.digest(rows) == "sha256-" + ordered.stdout.split()[0]
    assert treaty.digest(reversed(rows)) == treaty.digest(rows)


def test_the_digest_of_nothing_is_that_of_no_bytes() -> None:
    assert treaty.digest([]) == "sha256-" + hashlib.sha256(b"").hexdigest()


def test_the_checksum_is_what_sha256sum_says_of_the_rest(project: Project) -> None:
    project.write({"assets/a.css": "a {}", "assets/checksum": "one called so"}).compile()
    command = "grep -v '^  \"checksum\": ' manifest.json | sha256sum"
    said = subprocess.run(command, shell=True, cwd=project.folder / "dist", capture_output=True, text=True, check=True).stdout
    assert project.manifest["checksum"] == f"sha256-{said.split()[0]}"
