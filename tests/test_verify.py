"""verify: a good artifact has no finding, and each single change to it has exactly one.

The artifacts are written here, by a few lines of their own, so that verify is not judged by the writer it judges."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import random
import socket
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import brotli
import pytest

from assetbuild import cli
from assetbuild import config as configuration
from assetbuild import verify as verify_module
from assetbuild.errors import Problem
from assetbuild.provenance import differences
from assetbuild.runtime import manifest as treaty
from assetbuild.verify import Verification, verify
from tests.conftest import Project, toml
from tests.npm import thorough

STAR = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9H0z"/></svg>'
PIXELS = bytes(range(256)) * 40
OTHER_PIXELS = bytes(reversed(range(256))) * 40
SUFFIXES = {"br": ".br", "gzip": ".gz", "zstd": ".zst"}

Change = Callable[[Path], None]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def integrity(data: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()


def named(logical_path: str, digits: str) -> str:
    """js/a.js.map → js/a.js.5d41402abc4b.map, as the manifest's format has it."""
    folder, slash, name = logical_path.rpartition("/")
    parts = name.split(".")
    parts.insert(max(1, len(parts) - 1), digits[:12])
    return folder + slash + ".".join(parts)


def digest_of(folder: Path) -> str:
    """What `sha256sum` prints for every file but the manifest, sorted by path, hashed; files with a dot apart."""
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")
    lines = [f"{sha256((folder / name).read_bytes())}  {name}\n" for name in files]
    return "sha256-" + sha256("".join(lines).encode())


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_bytes(text.encode())


def read_manifest(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return loaded


class Artifact:
    """Files put into a folder one by one, and the manifest that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.manifest: dict[str, Any] = {
            "version": 1,
            "mode": "production",
            "digest": "",
            "base_url": "/static/",
            "assets": {},
            "previous": [],
        }

    def add(
        self, logical_path: str, data: bytes, *, kept: bool = False, variants: bool = False, group: str = "", **more: Any
    ) -> str:
        public_path = logical_path if kept else named(logical_path, group or sha256(data))
        entry = {"path": public_path, "type": "x/y", **self._file(public_path, data, variants), **more}
        if group:
            entry["group"] = "sha256-" + group
        self.manifest["assets"][logical_path] = entry
        return public_path

    def carry(self, public_path: str, data: bytes, *, variants: bool = False) -> None:
        release = {"digest": "sha256-" + "0" * 64, "files": {public_path: self._file(public_path, data, variants)}}
        self.manifest["previous"].append(release)

    def _file(self, public_path: str, data: bytes, variants: bool) -> dict[str, Any]:
        file = self.folder / public_path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        entry: dict[str, Any] = {"integrity": integrity(data), "size": len(data)}
        if variants:
            packed = {"br": brotli.compress(data), "gzip": gzip.compress(data, mtime=0)}
            for coding, made in packed.items():
                Path(str(file) + SUFFIXES[coding]).write_bytes(made)
            entry["variants"] = {coding: len(made) for coding, made in packed.items()}
        return entry

    def done(self) -> Path:
        self.manifest["digest"] = digest_of(self.folder)
        write_manifest(self.folder, self.manifest)
        return self.folder


def make(folder: Path) -> Path:
    """An artifact with something of everything."""
    artifact = Artifact(folder)
    star = artifact.add("img/star.svg", STAR, variants=True)
    artifact.add("img/a.png", PIXELS)
    artifact.add("img/b.png", OTHER_PIXELS)
    artifact.add("LICENSE", b"do what you like\n" * 9)
    artifact.add("robots.txt", b"User-agent: *\n", kept=True)
    artifact.add(".well-known/security.txt", b"Contact: x\n", kept=True)
    css = f".a{{background:url(../{star}#x)}}\n.b{{color:red}}\n" + ".c{color:blue}\n" * 40
    artifact.add("css/app.css", css.encode(), variants=True)
    group = sha256(b"the cycle")
    b_name = named("js/b.js", group)
    artifact.add("js/a.js", f'import "./{b_name[3:]}";\n'.encode(), group=group)
    artifact.add("js/b.js", f'import "./{named("js/a.js", group)[3:]}";\n'.encode(), group=group)
    artifact.carry("css/old.0123456789ab.css", b".old{}\n" * 30, variants=True)
    return artifact.done()


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return make(tmp_path / "dist")


def public(folder: Path, logical_path: str) -> Path:
    path: str = read_manifest(folder)["assets"][logical_path]["path"]
    return folder / path


def edit(change: Callable[[dict[str, Any]], object]) -> Change:
    """A change to the manifest, which stays in its one form."""

    def apply(folder: Path) -> None:
        manifest = read_manifest(folder)
        change(manifest)
        write_manifest(folder, manifest)

    return apply


def entry(logical_path: str, **values: object) -> Change:
    return edit(lambda manifest: manifest["assets"][logical_path].update(values))


def renamed(logical_path: str, new: str) -> Change:
    """An entry under another logical path."""
    return edit(lambda manifest: manifest["assets"].update({new: manifest["assets"].pop(logical_path)}))


def write(name: str, data: bytes) -> Change:
    def apply(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return apply


def file(logical_path: str, change: Callable[[Path], object], suffix: str = "") -> Change:
    """A change to the public file of an asset, or to a variant of it."""
    return lambda folder: (change(Path(str(public(folder, logical_path)) + suffix)), None)[1]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\x00")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def to_link(path: Path) -> None:
    path.rename(path.parent / ".moved")
    path.symlink_to(".moved")


def to_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def swap(folder: Path) -> None:
    a, b = public(folder, "img/a.png"), public(folder, "img/b.png")
    a_bytes, b_bytes = a.read_bytes(), b.read_bytes()
    a.write_bytes(b_bytes)
    b.write_bytes(a_bytes)


def replace_variant(logical_path: str, coding: str, packed: bytes) -> Change:
    """Another variant, with the size that the manifest gives it."""

    def apply(folder: Path) -> None:
        Path(str(public(folder, logical_path)) + SUFFIXES[coding]).write_bytes(packed)
        manifest = read_manifest(folder)
        manifest["assets"][logical_path]["variants"][coding] = len(packed)
        manifest["digest"] = digest_of(folder)
        write_manifest(folder, manifest)

    return apply


def rename_everywhere(logical_path: str, new: str) -> Change:
    def apply(folder: Path) -> None:
        public(folder, logical_path).rename(folder / new)
        manifest = read_manifest(folder)
        manifest["assets"][logical_path]["path"] = new
        manifest["digest"] = digest_of(folder)
        write_manifest(folder, manifest)

    return apply


def raw_manifest(change: Callable[[bytes], bytes]) -> Change:
    def apply(folder: Path) -> None:
        (folder / "manifest.json").write_bytes(change((folder / "manifest.json").read_bytes()))

    return apply


def remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def linked_folder(folder: Path) -> None:
    (folder / "img").rename(folder / ".img")
    (folder / "img").symlink_to(".img")


def swapped_entries(manifest: dict[str, Any]) -> None:
    a, b = manifest["assets"]["img/a.png"], manifest["assets"]["img/b.png"]
    a["integrity"], b["integrity"] = b["integrity"], a["integrity"]


BOMB = b"\x00" * 5_000_000

# What is changed: (the change, what the one finding says).
CHANGES: dict[str, tuple[Change, str]] = {
    "the manifest is missing": (remove_manifest, "no such file"),
    "the manifest is empty": (raw_manifest(lambda _: b""), "not JSON"),
    "the manifest is not JSON": (raw_manifest(lambda data: data[:-10]), "not JSON"),
    "the manifest is not UTF-8": (raw_manifest(lambda data: data.replace(b"production", b"\xff")), "not UTF-8"),
    "the manifest has a key twice": (raw_manifest(lambda data: b'{"version": 1,' + data[1:]), "twice"),
    "the manifest is not in its one form": (raw_manifest(lambda data: data + b"\n"), "one form"),
    "the manifest has Windows line ends": (raw_manifest(lambda data: data.replace(b"\n", b"\r\n")), "one form"),
    "the manifest is nested deeply": (raw_manifest(lambda _: b'{"a":' + b"[" * 100_000), "nested"),
    "the manifest has a huge number": (
        raw_manifest(lambda data: data.replace(b'"version": 1', b'"version": ' + b"9" * 5000)),
        "",
    ),
    "the manifest is of another version": (edit(lambda m: m.update(version=2)), "version 2"),
    "the manifest is of no version": (edit(lambda m: m.pop("version")), "version"),
    "the manifest's digest is wrong": (edit(lambda m: m.update(digest="sha256-" + "0" * 64)), "digest"),
    "the manifest is a link": (lambda folder: to_link(folder / "manifest.json"), "link"),
    "the manifest is a folder": (lambda folder: to_folder(folder / "manifest.json"), "folder"),
    "a size is negative": (entry("LICENSE", size=-1), "malformed"),
    "a size is a string": (entry("LICENSE", size="9"), "malformed"),
    "a file is missing": (file("img/a.png", Path.unlink), "missing"),
    "a file that others refer to is missing": (file("img/star.svg", Path.unlink), "missing"),
    "a file with variants is missing": (file("css/app.css", Path.unlink), "missing"),
    "a carried file is missing": (lambda folder: (folder / "css/old.0123456789ab.css").unlink(), "missing"),
    "a kept file is missing": (file(".well-known/security.txt", Path.unlink), "missing"),
    "a file is truncated": (file("img/a.png", truncate), "bytes, the manifest says"),
    "a stylesheet is truncated": (file("css/app.css", truncate), "bytes, the manifest says"),
    "a file is longer": (file("img/a.png", append), "bytes, the manifest says"),
    "a file is empty": (file("img/a.png", lambda path: path.write_bytes(b"")), "has 0 bytes"),
    "a recorded size is wrong": (entry("css/app.css", size=9), "the manifest says 9"),
    "one bit of a file differs": (file("img/a.png", flip), "not those of its integrity"),
    "one bit of a kept file differs": (file("robots.txt", flip), "not those of its integrity"),
    "one bit of a cycle's member differs": (file("js/a.js", flip), "not those of its integrity"),
    "one bit of a file with variants differs": (file("css/app.css", flip), "not those of its integrity"),
    "one bit of a carried file differs": (lambda folder: flip(folder / "css/old.0123456789ab.css"), "integrity"),
    "two files of one size are swapped": (swap, "has its bytes"),
    "there is a file too many": (write("css/extra.css", b"a{}"), "not in the manifest"),
    "there is a file too many in a new folder": (write("new/deep/extra.css", b"a{}"), "not in the manifest"),
    "there is a variant too many": (file("img/a.png", lambda path: path.write_bytes(b"x"), ".gz"), "not in the manifest"),
    "there is a link too many": (lambda folder: (folder / "link").symlink_to("/etc/passwd"), "symbolic link"),
    "there is a link to a folder": (lambda folder: (folder / "link").symlink_to("/etc"), "symbolic link"),
    "there is a FIFO too many": (lambda folder: os.mkfifo(folder / "pipe"), "FIFO"),
    "the fingerprint in a name is wrong": (rename_everywhere("img/a.png", "img/a.000000000000.png"), "fingerprint"),
    "the fingerprint of a cycle is wrong": (
        edit(lambda m: m["assets"]["js/a.js"].update(group="sha256-" + "1" * 64)),
        "fingerprint",
    ),
    "the digests of a cycle's members differ": (
        edit(lambda m: m["assets"]["js/b.js"].update(group=m["assets"]["js/a.js"]["group"][:-1] + "x")),
        "group",
    ),
    "the digests of a cycle's members differ in one digit": (
        edit(lambda m: m["assets"]["js/b.js"].update(group=m["assets"]["js/a.js"]["group"][:-5] + "00000")),
        "not that of the others",
    ),
    "an earlier release's digest is malformed": (edit(lambda m: m["previous"][0].update(digest="x")), "earlier release"),
    "a cycle's digest is malformed": (entry("js/a.js", group="sha256-x"), "group"),
    "a name has no fingerprint": (rename_everywhere("LICENSE", "LICENCE"), "fingerprint"),
    "only the manifest's name is wrong": (entry("img/a.png", path="img/a.000000000000.png"), "fingerprint"),
    "an integrity is malformed": (entry("img/a.png", integrity="sha256-AAAA"), "malformed"),
    "an integrity is of another kind": (entry("img/a.png", integrity="sha512-" + "A" * 86 + "=="), "malformed"),
    "an integrity has loose bits": (entry("img/a.png", integrity="sha256-" + "A" * 42 + "B="), "malformed"),
    "an integrity is empty": (entry("img/a.png", integrity=""), "malformed"),
    "an integrity is of other bytes": (entry("img/a.png", integrity=integrity(b"else")), "not those of its integrity"),
    "two integrities are swapped": (edit(swapped_entries), "has its bytes"),
    "the integrity of a text with variants is of other bytes": (
        entry("LICENSE", integrity=integrity(b"else")),
        "not those of its integrity",
    ),
    "a variant is missing": (file("css/app.css", Path.unlink, ".br"), "missing"),
    "a variant is truncated": (file("css/app.css", truncate, ".gz"), "bytes, the manifest says"),
    "one bit of a gzip variant differs": (file("css/app.css", flip, ".gz"), ""),
    "one bit of a brotli variant differs": (file("css/app.css", flip, ".br"), ""),
    "a gzip variant is of something else": (replace_variant("css/app.css", "gzip", gzip.compress(b"x")), "else"),
    "a brotli variant is of something else": (replace_variant("css/app.css", "br", brotli.compress(b"x")), "else"),
    "a gzip variant is no gzip": (replace_variant("css/app.css", "gzip", b"hello"), "cannot be unpacked"),
    "a brotli variant is no brotli": (replace_variant("css/app.css", "br", b"\xff" * 20), "cannot be unpacked"),
    "a gzip variant is empty": (replace_variant("css/app.css", "gzip", b""), "too early"),
    "a brotli variant is empty": (replace_variant("css/app.css", "br", b""), "too early"),
    "a gzip variant is a bomb": (replace_variant("css/app.css", "gzip", gzip.compress(BOMB)), "more than"),
    "a brotli variant is a bomb": (replace_variant("css/app.css", "br", brotli.compress(BOMB)), "more than"),
    "a variant is of an unknown kind": (
        edit(lambda m: m["assets"]["LICENSE"].update(variants={"lzma": 3})),
        "unknown kind",
    ),
    "a path is absolute": (entry("img/a.png", path="/etc/passwd"), "absolute"),
    "a path climbs out": (entry("img/a.png", path="../../etc/passwd"), "`..`"),
    "a path climbs within": (entry("img/a.png", path="img/../a.png"), "`..`"),
    "a path has an empty part": (entry("img/a.png", path="img//a.png"), "empty"),
    "a path has a backslash": (entry("img/a.png", path="img\\a.png"), "backslash"),
    "a path has a NUL": (entry("img/a.png", path="img/a\0.png"), "control"),
    "a path has a line end": (entry("img/a.png", path="img/a\n.png"), "control"),
    "a path is empty": (entry("img/a.png", path=""), "malformed"),
    "a path is the manifest's": (entry("img/a.png", path="manifest.json"), "assetbuild's own"),
    "a path is too long": (entry("img/a.png", path="x" * 256), "too long"),
    "a path is very deep": (entry("img/a.png", path="x/" * 2_000_000 + "x"), "too long"),
    "a carried path is absolute": (
        edit(lambda m: m["previous"][0]["files"].update({"/x": {"integrity": "", "size": 1}})),
        "absolute",
    ),
    "a path is a folder's": (entry("img/a.png", path="img"), "fingerprint"),
    "a path is another file's": (
        edit(lambda m: m["assets"]["img/b.png"].update(path=m["assets"]["img/a.png"]["path"])),
        "two entries",
    ),
    "a path is that of a file that comes later": (
        edit(lambda m: m["assets"]["img/a.png"].update(path=m["assets"]["img/b.png"]["path"])),
        "two entries",
    ),
    "an entry is there twice": (edit(lambda m: m["assets"].update({"z.css": m["assets"]["css/app.css"]})), "two entries"),
    "an entry is there twice, the wrong one first": (
        edit(lambda m: m["assets"].update({"a.css": m["assets"]["css/app.css"]})),
        "two entries",
    ),
    "a variant is taken out of its entry": (edit(lambda m: m["assets"]["css/app.css"]["variants"].pop("br")), "does not name"),
    "a text has become another": (
        file("css/app.css", lambda path: path.write_bytes(b"a{background:url(x.png)}b{background:url(y.png)}")),
        "bytes, the manifest says",
    ),
    **{
        f"a logical path is {what}": (renamed("css/app.css", name), said)
        for what, name, said in (
            ("absolute", "/css/app.css", "absolute"),
            ("climbing", "../css/app.css", "`..`"),
            ("one with a backslash", "css\\app.css", "backslash"),
            ("one with a NUL", "css/a\0.css", "control"),
            ("empty", "", "empty"),
            ("too long", "x" * 256, "too long"),
        )
    },
    "a file has become a link": (file("img/a.png", to_link), "symbolic link"),
    "a variant has become a link": (file("css/app.css", to_link, ".br"), "symbolic link"),
    "a folder has become a link": (linked_folder, "symbolic link"),
    "a file has become a FIFO": (file("img/a.png", to_fifo), "FIFO"),
    "a file has become a folder": (file("img/a.png", to_folder), "cannot be read"),
}


@pytest.mark.parametrize("change", [c for c, _ in CHANGES.values()], ids=list(CHANGES))
def test_one_change_to_a_good_artifact_gives_one_finding(
    artifact: Path, change: Change, request: pytest.FixtureRequest
) -> None:
    assert verify(artifact).findings == ()
    change(artifact)
    found = verify(artifact).findings
    assert len(found) == 1, [str(problem) for problem in found]
    assert CHANGES[request.node.callspec.id][1] in str(found[0])


@pytest.mark.parametrize("change", [to_link, to_fifo, to_folder])
def test_what_has_taken_a_files_place_goes_as_the_finding_says(inside: Project, change: Callable[[Path], None]) -> None:
    inside.write({"assets/a.png": b"a"}).compile()
    path = inside.folder / "dist" / inside.public("a.png")
    change(path)
    (found,) = verify(inside.folder / "dist").findings
    assert found.hint == "remove it, and run `assetbuild compile`"
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
    inside.compile()
    assert verify(inside.folder / "dist").findings == ()


def test_all_variants_that_an_entry_lost_are_told_of(artifact: Path) -> None:
    edit(lambda manifest: manifest["assets"]["css/app.css"].pop("variants"))(artifact)
    found = lines(verify(artifact))
    assert len(found) == 2
    assert all("is a variant that its entry in the manifest does not name" in line for line in found)


def test_a_folder_that_cannot_even_be_looked_at_is_a_finding(tmp_path: Path) -> None:
    (line,) = lines(verify(tmp_path / ("x" * 300)))
    assert "cannot be read" in line


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build writes, with something of everything, too."""
    project = Project(tmp_path_factory.mktemp("built"))
    keys = toml(keep_names=["robots.txt", ".well-known/*"], keep=1, compress=["gzip", "br"], missing="ignore")
    project.write({"assetbuild.toml": keys, "assets/robots.txt": "User-agent: *", "assets/.well-known/x": "x"})
    project.write({"assets/a.css": "a { b: url(i.svg); c: url(gone) }" * 9, "assets/i.svg": STAR})
    project.write({"assets/js/a.js": "import './b.js'", "assets/js/b.js": "import './a.js'", "assets/empty.txt": ""})
    project.compile(environ={"SOURCE_DATE_EPOCH": "1700000000"})
    project.write({"assets/i.svg": STAR.replace(b"M0", b"M1")}).compile(environ={"SOURCE_DATE_EPOCH": "1700000000"})
    assert verify(project.folder / "dist") == replace(verify(project.folder / "dist"), findings=(), notes=())
    return project.folder / "dist"


def flipped(path: Path, place: int, bit: int) -> tuple[Problem, ...]:
    """What is found when one bit of a file of an artifact is another."""
    data = path.read_bytes()
    folder = next(parent for parent in path.parents if (parent / "manifest.json").exists())
    path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
    try:
        return verify(folder).findings
    finally:
        path.write_bytes(data)


def test_every_byte_of_a_manifest_counts(built: Path) -> None:
    """One bit of every fourth byte, of others each day; of each byte all of them where everything is asked for."""
    manifest = built / "manifest.json"
    begin, step = (0, 1) if thorough() else (int(time.strftime("%j")) % 4, 4)
    for place in range(begin, manifest.stat().st_size, step):
        for bit in range(8) if thorough() else (place % 8,):
            assert [problem.file for problem in flipped(manifest, place, bit)] == [str(manifest)], (place, bit)


def test_every_byte_of_every_other_file_counts(built: Path) -> None:
    files = [path for path in sorted(built.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    assert {".css", ".gz", ".br", ".svg", ".js", ".txt"} <= {path.suffix for path in files}
    # In an order of chance, so that every few days each byte has had its turn.
    dice = random.Random(time.strftime("%F"))
    for path in files:
        size = path.stat().st_size
        for place in range(size) if thorough() else dice.sample(range(size), min(size, 5)):
            found = flipped(path, place, dice.randrange(8))
            assert len(found) == 1, (path, place, found)
            # Bytes that no unpacker looks at are found by the digest of the artifact.
            packed = path.suffix in (".gz", ".br")
            assert found[0].file == str(path) or (packed and "digest" in found[0].message), (path, place)


def test_a_byte_of_a_statement_that_counts_is_found(built: Path, tmp_path: Path) -> None:
    """Of a provenance file, those that say which artifact it speaks of; the rest is the signature's business."""
    config = configuration.load(cwd=built.parent, environ={})
    assert cli.main(["compile", "--quiet", "--config", str(config.file), "--provenance", str(tmp_path / "p.json")]) == 0
    data = (tmp_path / "p.json").read_bytes()
    digest = verify(built).digest
    dice = random.Random(time.strftime("%F"))
    for subject in json.loads(data)["subject"]:
        start = data.index(subject["digest"]["sha256"].encode())
        for place in dice.sample(range(start, start + 64), 20):
            changed = data[:place] + bytes([data[place] ^ 1 << dice.randrange(7)]) + data[place + 1 :]
            assert len(differences(changed, "p.json", built, digest)) == 1
    assert differences(data, "p.json", built, digest) == []


def lines(result: Verification) -> list[str]:
    return [str(problem) for problem in result.findings]


def test_a_good_artifact_has_no_finding_and_no_note(artifact: Path) -> None:
    result = verify(artifact)
    assert (result.findings, result.notes, result.ok, result.mode) == ((), (), True, "production")
    assert result.digest == read_manifest(artifact)["digest"]
    # Ten plain files and six variants.
    assert result.files == 16
    assert result.size == sum(p.stat().st_size for p in artifact.rglob("*") if p.is_file() and p.name != "manifest.json")


def test_an_empty_artifact_is_good(tmp_path: Path) -> None:
    assert verify(Artifact(tmp_path).done()) == Verification((), (), "production", "sha256-" + sha256(b""), 0, 0)


def test_what_is_no_artifact_is_a_finding(tmp_path: Path) -> None:
    assert not verify(tmp_path).ok
    assert not verify(tmp_path / "absent").ok


def test_everything_that_is_wrong_is_told_of_at_once(artifact: Path) -> None:
    flip(public(artifact, "img/a.png"))
    public(artifact, "LICENSE").unlink()
    write("extra.txt", b"x")(artifact)
    truncate(Path(str(public(artifact, "css/app.css")) + ".gz"))
    assert len(verify(artifact).findings) == 4


def test_a_finding_names_the_file_as_one_types_it(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flip(public(artifact, "robots.txt"))
    monkeypatch.chdir(artifact.parent)
    assert lines(verify(Path("dist")))[0].startswith("dist/robots.txt: ")


def test_a_digest_of_other_files_is_found_though_there_is_a_file_too_many(artifact: Path) -> None:
    edit(lambda manifest: manifest.update(digest="sha256-" + "0" * 64))(artifact)
    write("extra.txt", b"x")(artifact)
    assert len(verify(artifact).findings) == 2


def test_a_variant_packed_in_another_way_is_found_by_the_digest(artifact: Path) -> None:
    packed = Path(str(public(artifact, "css/app.css")) + ".gz")
    data = bytearray(packed.read_bytes())
    data[4] ^= 1  # the header's time
    packed.write_bytes(data)
    assert "digest" in lines(verify(artifact))[0]


def test_two_files_of_one_content_may_both_be_there(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path)
    artifact.add("a.txt", b"same")
    artifact.add("b.txt", b"same")
    assert verify(artifact.done()).ok


def test_each_of_two_changed_files_is_told_of(artifact: Path) -> None:
    flip(public(artifact, "img/a.png"))
    flip(public(artifact, "img/b.png"))
    assert len(verify(artifact).findings) == 2


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_bytes_behind_a_variants_end_are_found(artifact: Path, coding: str) -> None:
    packed = Path(str(public(artifact, "css/app.css")) + SUFFIXES[coding])
    replace_variant("css/app.css", coding, packed.read_bytes() + b"\0\0\0")(artifact)
    (message,) = lines(verify(artifact))
    assert "behind its end" in message


def test_a_second_gzip_member_is_behind_the_end(artifact: Path) -> None:
    packed = Path(str(public(artifact, "css/app.css")) + ".gz")
    replace_variant("css/app.css", "gzip", packed.read_bytes() + gzip.compress(b""))(artifact)
    (message,) = lines(verify(artifact))
    assert "behind its end" in message


def test_variants_that_cannot_be_read_here_are_a_note(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What import does for a module that is not installed.
    monkeypatch.setitem(sys.modules, "brotli", None)
    result = verify(artifact)
    assert result.ok
    assert [note for note in result.notes if "3 variants" in note and "br" in note]


def test_a_text_of_many_pieces_is_unpacked_whole(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path)
    artifact.add("big.txt", b"".join(hashlib.sha256(bytes([n % 251])).digest() for n in range(60_000)), variants=True)
    assert verify(artifact.done()).ok


@pytest.mark.parametrize("name", ["a.tar.gz", "a", "a.js.map", "x/.config", "x/a.", "ä ö.txt", "a#b?.txt", "x.d/LICENSE"])
def test_the_fingerprint_stands_before_the_last_suffix(tmp_path: Path, name: str) -> None:
    artifact = Artifact(tmp_path)
    data = b"data"
    folder, slash, last = name.rpartition("/")
    digits = sha256(data)[:12]
    expected = {
        "a.tar.gz": f"a.tar.{digits}.gz",
        "a.js.map": f"a.js.{digits}.map",
        ".config": f".config.{digits}",
        "a.": f"a..{digits}",
        "ä ö.txt": f"ä ö.{digits}.txt",
        "a#b?.txt": f"a#b?.{digits}.txt",
    }.get(last, f"{last}.{digits}")
    artifact.manifest["assets"][name] = {
        "path": folder + slash + expected,
        "type": "x/y",
        **artifact._file(folder + slash + expected, data, False),
    }
    assert verify(artifact.done()).ok


def test_dot_files_of_others_are_no_finding(artifact: Path) -> None:
    write(".gitkeep", b"")(artifact)
    write("css/.DS_Store", b"x")(artifact)
    write(".git/config", b"x")(artifact)
    write(".well-known/other.txt", b"x")(artifact)
    (artifact / ".link").symlink_to("/nowhere")
    assert lines(verify(artifact)) == []


def test_leftovers_of_an_unfinished_build_are_a_note(artifact: Path) -> None:
    write("css/new.000000000000.css", b"a")(artifact)
    write(".assetbuild-journal", b"assetbuild-journal 1\ncss/new.000000000000.css\ncss/newer.css\n")(artifact)
    result = verify(artifact)
    assert result.ok
    (note,) = result.notes
    assert "1 file of it is left" in note


def test_a_file_that_the_journal_does_not_name_is_a_finding_beside_it(artifact: Path) -> None:
    write("css/new.css", b"a")(artifact)
    write("css/else.css", b"a")(artifact)
    write(".assetbuild-journal", b"assetbuild-journal 1\ncss/new.css\n")(artifact)
    (message,) = lines(verify(artifact))
    assert "else.css" in message


def test_a_journal_of_another_kind_excuses_nothing(artifact: Path) -> None:
    write("css/new.css", b"a")(artifact)
    write(".assetbuild-journal", b"assetbuild-journal 2\ncss/new.css\n")(artifact)
    assert len(verify(artifact).findings) == 1


def test_a_named_file_stays_checked_though_the_journal_names_it(artifact: Path) -> None:
    path = public(artifact, "img/a.png")
    write(".assetbuild-journal", f"assetbuild-journal 1\n{path.relative_to(artifact)}\n".encode())(artifact)
    flip(path)
    assert len(verify(artifact).findings) == 1


def test_a_development_build_is_a_note(artifact: Path) -> None:
    edit(lambda manifest: manifest.update(mode="development"))(artifact)
    result = verify(artifact)
    assert result.ok
    assert result.mode == "development"
    assert "watch" in result.notes[0]


def test_a_development_build_is_a_finding_for_production(artifact: Path) -> None:
    assert verify(artifact, production=True).ok
    edit(lambda manifest: manifest.update(mode="development"))(artifact)
    (message,) = lines(verify(artifact, production=True))
    assert "development" in message


def test_unknown_keys_are_left_alone(artifact: Path) -> None:
    edit(lambda manifest: manifest.update(later={"x": [1, None, 2.5]}))(artifact)
    entry("LICENSE", later=True)(artifact)
    assert verify(artifact).ok


def test_two_entries_may_not_have_one_path(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path)
    artifact.add("a.txt", b"same")
    folder = artifact.done()
    edit(lambda m: m["assets"].update({"b.txt": m["assets"]["a.txt"]}))(folder)
    (line,) = lines(verify(folder))
    assert "two entries" in line


def test_releases_that_carry_one_file_agree(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path)
    artifact.carry("old.txt", b"old")
    artifact.carry("old.txt", b"old")
    assert verify(artifact.done()).ok
    edit(lambda m: m["previous"][1]["files"]["old.txt"].update(size=1))(tmp_path)
    (message,) = lines(verify(tmp_path))
    assert "contradict" in message


def test_too_many_assets_are_refused(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(treaty, "MAX_ASSETS", 3)
    (message,) = lines(verify(artifact))
    assert "more than 3 assets" in message


def test_too_large_a_manifest_is_refused(artifact: Path) -> None:
    os.truncate(artifact / "manifest.json", treaty.MAX_BYTES + 1)
    (message,) = lines(verify(artifact))
    assert "larger than" in message


def test_a_socket_is_no_file(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(artifact)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        (message,) = lines(verify(Path()))
    assert "socket" in message


def test_a_manifest_replaced_meanwhile_is_the_one_finding(artifact: Path) -> None:
    def replace(done: int, _all: int) -> None:
        if done == 1:
            flip(public(artifact, "LICENSE"))
            edit(lambda manifest: manifest.update(base_url="/else/"))(artifact)

    (message,) = lines(verify(artifact, progress=replace))
    assert "replaced while it was verified" in message


def test_a_file_changed_while_it_is_read_is_not_taken_for_whole(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "PIECE", 64)
    path = public(artifact, "img/a.png")
    work = verify_module._Work(artifact, treaty.load(artifact / "manifest.json"), lambda _done, _all: None)
    pieces = work._pieces(str(path.relative_to(artifact)))
    assert next(pieces) == PIXELS[:64]
    os.utime(path, ns=(1, 1))
    with pytest.raises(verify_module._UnreadableError, match="was changed while it was verified"):
        list(pieces)


def test_progress_counts_up_to_all_files(artifact: Path) -> None:
    seen: list[tuple[int, int]] = []
    verify(artifact, progress=lambda done, every: seen.append((done, every)))
    assert seen == [(n, 10) for n in range(11)]


def test_nothing_is_written(artifact: Path) -> None:
    def state() -> list[tuple[str, int, int]]:
        return sorted((str(p), p.lstat().st_mtime_ns, p.lstat().st_ctime_ns) for p in artifact.rglob("*"))

    before = state()
    verify(artifact)
    assert state() == before


def test_a_folder_that_may_not_be_read_is_a_finding(artifact: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every folder")
    folder = artifact / "img"
    folder.chmod(0)
    try:
        assert any("cannot be read" in line for line in lines(verify(artifact)))
    finally:
        folder.chmod(stat.S_IRWXU)


# References

LEADS = {
    "app.css": "a{background:url(img/x.png)}",
    "app.js": 'import "./img/x.js";',
    "app.mjs": 'export * from "./img/x.js";',
    "app.cjs": 'import("./img/x.js");',
    "app.svg": '<svg xmlns="http://www.w3.org/2000/svg"><use href="img/x.svg#a"/></svg>',
    "app.webmanifest": '{"icons": [{"src": "img/x.png"}]}',
    "url.js": 'new URL("./img/x.png", import.meta.url);',
    "map.js": "f();\n//# sourceMappingURL=x.js.map\n",
    "map.css": "a{}\n/*# sourceMappingURL=x.css.map */\n",
    "import.css": '@import "x.css";',
    "absolute.css": "a{background:url(/static/img/x.png)}",
    "climbing.css": "a{background:url(../x.png)}",
}


@pytest.mark.parametrize("name", list(LEADS))
def test_a_reference_that_leads_nowhere_is_found(tmp_path: Path, name: str) -> None:
    artifact = Artifact(tmp_path)
    artifact.add(name, LEADS[name].encode())
    (message,) = lines(verify(artifact.done()))
    assert "leads nowhere" in message


def test_a_reference_is_found_at_its_line_and_column(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path)
    artifact.add("css/a.css", b"a{}\nb{background:url(x.png)}\n")
    (problem,) = verify(artifact.done()).findings
    assert (problem.line, problem.column) == (2, 18)


@pytest.mark.parametrize("name", [name for name in LEADS if name not in ("map.js", "map.css")])
def test_a_reference_that_was_let_pass_is_no_finding(tmp_path: Path, name: str) -> None:
    artifact = Artifact(tmp_path)
    start = min(i for i in (LEADS[name].find(part) for part in ("img/", "x.css", "../x", "./img", "/static")) if i >= 0)
    path = LEADS[name][start:].partition(LEADS[name][start - 1] if LEADS[name][start - 1] != "(" else ")")[0]
    artifact.add(name, LEADS[name].encode(), missing=[path.partition("#")[0]])
    assert lines(verify(artifact.done())) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("css/a.css", "a{background:url(../img/{x})}"),
        ("css/a.css", "a{background:url('../img/{x}?v=1#y')}"),
        ("css/a.css", "a{background:url(/static/img/{x})}"),
        ("css/a.css", "a{background:url(https://example.com/x.png) url(data:,x) url(//host/x) url(#x) url()}"),
        ("css/a.css", "a{background:url(/elsewhere/x.png)}"),
        ("css/a.css", "a{background:url(/static/../x.png) url(/static/img/%2e%2e/..%2Fx.png)}"),
        ("css/a.css", "/* url(x.png) */ a{content:'url(x.png)'}"),
        ("js/a.js", 'import "../img/{x}"; import "bare"; import("./" + name);'),
        ("js/a.js", "this is @ no script ` import './x.js'"),
        ("a.txt", "url(x.png)"),
        ("a.svg", '<svg xmlns="http://www.w3.org/2000/svg"><image href="img/{x}"/></svg>'),
    ],
)
def test_what_leads_somewhere_or_is_left_alone_is_no_finding(tmp_path: Path, name: str, text: str) -> None:
    artifact = Artifact(tmp_path)
    x = artifact.add("img/x.png", PIXELS)
    artifact.add(name, text.replace("{x}", x.rpartition("/")[2]).encode())
    assert lines(verify(artifact.done())) == []


def test_a_percent_encoded_reference_leads_to_the_file(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path)
    name = artifact.add("img/a b.png", PIXELS)
    artifact.add("a.css", f"a{{background:url({name.replace(' ', '%20')})}}".encode())
    assert verify(artifact.done()).ok


def test_a_reference_by_logical_path_leads_nowhere(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path)
    artifact.add("img/a.png", PIXELS)
    artifact.add("a.css", b"a{background:url(img/a.png)}")
    assert len(verify(artifact.done()).findings) == 1


def test_a_base_url_that_is_percent_encoded_is_compared_as_what_it_says(tmp_path: Path) -> None:
    made = Artifact(tmp_path)
    made.add("a.css", b"a{background:url(/my%20app/x.png) url('/my app/y.png')}")
    made.manifest["base_url"] = "/my%20app/"
    assert [problem.column for problem in verify(made.done()).findings] == [18, 40]


def test_a_base_url_that_is_none_does_not_end_the_verification(tmp_path: Path) -> None:
    made = Artifact(tmp_path)
    made.add("a.css", b"a{background:url(/elsewhere/a.png)}")
    made.manifest["base_url"] = "http://[x/"
    assert verify(made.done()).ok
