"""variants: beside every text-like file the same bytes packed, where that pays; the same on every machine and in every run."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import pytest

from assetbuild import compressors, variants
from assetbuild.compressors import Tool
from assetbuild.errors import BuildError, ConfigError
from assetbuild.runtime import manifest as treaty
from assetbuild.runtime.manifest import Coding
from assetbuild.spool import Spool
from assetbuild.variants import Plain
from assetbuild.verify import verify
from tests.conftest import Project, toml

HOME = Path(variants.__file__).parent.parent

#: Lines that pack well, and are CSS, JavaScript, JSON and XML to no one.
TEXT = "".join(f"line {n} of a text that says the same thing again and again\n" for n in range(100)).encode()

ALL: tuple[Coding, ...] = ("br", "gzip", "zstd")


def have_zstd() -> bool:
    try:
        compressors.tools(["zstd"])
    except ConfigError:
        return False
    return True


CODINGS = ALL if have_zstd() else ALL[:2]
every_coding = pytest.mark.parametrize("coding", CODINGS)


def _unzstd(data: bytes) -> bytes:
    try:
        unpacked: bytes = importlib.import_module("compression.zstd").decompress(data)
    except ImportError:
        unpacked = importlib.import_module("zstandard").decompress(data)
    return unpacked


#: Not what verify unpacks with: command lines where they are installed, else the libraries at once.
COMMANDS: dict[Coding, list[str]] = {"br": ["brotli", "-dc"], "gzip": ["gzip", "-dc"], "zstd": ["zstd", "-dc"]}
UNPACK: dict[Coding, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress, "zstd": _unzstd}


def unpacked(coding: Coding, data: bytes) -> bytes:
    plain = UNPACK[coding](data)
    if shutil.which(COMMANDS[coding][0]):
        assert subprocess.run(COMMANDS[coding], input=data, capture_output=True, check=True).stdout == plain
    return plain


def packed(project: Project, logical_path: str, coding: Coding) -> bytes:
    return (project.folder / "dist" / (project.public(logical_path) + treaty.SUFFIXES[coding])).read_bytes()


def having(project: Project) -> dict[str, list[str]]:
    """The codings of each asset that has variants."""
    assets = project.manifest["assets"]
    return {path: sorted(entry["variants"]) for path, entry in assets.items() if "variants" in entry}


def site(project: Project, **keys: object) -> Project:
    """Texts of several kinds, without filters, and an image."""
    return project.write(
        {
            "assetbuild.toml": toml(sources=["assets"], **keys) + '[filters]\n"**/*" = []\n',
            "assets/a.css": "a { color: red }\n" * 50,
            "assets/b.js": "b();\n" * 50,
            "assets/notes.txt": TEXT,
            "assets/img/a.png": b"\x89PNG" * 50,
        }
    )


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes the tool of each packing that is done from now on."""
    done: list[str] = []
    make = compressors.tools

    def noted(tool: Tool) -> Tool:
        def pack(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
            done.append(tool.name)
            return tool.pack(pieces, size)

        return Tool(tool.coding, tool.name, pack, tool.cost, tool.largest)

    monkeypatch.setattr(compressors, "tools", lambda codings: tuple(map(noted, make(codings))))
    return done


# What gets variants


PACKED = "css js mjs cjs json map svg xml rss webmanifest geojson wasm ttf otf eot txt html csv md vtt"
NOT_PACKED = "png jpg gif webp avif ico woff woff2 mp4 pdf zip gz bin"


def test_text_like_files_get_them_and_nothing_else(project: Project) -> None:
    project.write({f"assets/a.{suffix}": TEXT for suffix in f"{PACKED} {NOT_PACKED}".split()} | {"assets/LICENSE": TEXT})
    # What is read must be what it says.
    project.write({f"assets/a.{suffix}": "a();\n" * 90 for suffix in ("js", "mjs", "cjs")})
    project.write({"assets/a.css": "a {}\n" * 90, "assets/a.svg": f"<svg>{'<g/>' * 90}</svg>"})
    project.write({"assets/a.webmanifest": json.dumps({"name": "a" * 200})}).compile()
    assert having(project) == {f"a.{suffix}": ["br", "gzip"] for suffix in PACKED.split()}


@pytest.mark.parametrize(("size", "kept"), [(94, True), (95, False), (96, False), (200, False)])
def test_one_is_kept_only_below_95_percent_of_the_plain_file(size: int, kept: bool) -> None:
    found, tool = run([plain("a.css", b"a" * 100)], lambda _pieces, _size: iter([b"x" * size]))
    assert [(v.public_path, v.coding, v.tool, v.packed.size) for v in found.get("a.css", ())] == (
        [("a.css.gz", "gzip", tool.name, size)] if kept else []
    )


def test_what_packs_badly_and_what_is_empty_has_none(project: Project) -> None:
    project.write({"assets/a.txt": random.Random(1).randbytes(5000), "assets/b.css": "", "assets/c.txt": "short"}).compile()
    assert having(project) == {}
    assert "compressors" not in project.manifest
    assert all("variants" not in entry for entry in project.manifest["assets"].values())


def test_compress_says_which_there_are_and_an_empty_list_that_there_are_none(project: Project) -> None:
    site(project, compress=[]).compile()
    assert having(project) == {}
    assert len(project.tree()) == 5
    site(project, compress=["gzip"]).compile()
    assert having(project) == {path: ["gzip"] for path in ("a.css", "b.js", "notes.txt")}
    site(project, compress=list(CODINGS)).compile()
    assert having(project) == {path: sorted(CODINGS) for path in ("a.css", "b.js", "notes.txt")}


def test_other_codings_make_the_variants_that_nobody_asked_for_go(project: Project) -> None:
    site(project).compile()
    result = site(project, compress=["br"]).compile()
    assert result.written == ()
    assert sorted(result.removed) == sorted(project.public(path) + ".gz" for path in ("a.css", "b.js", "notes.txt"))
    assert verify(project.folder / "dist").findings == ()


def test_a_kept_name_has_them_too(project: Project) -> None:
    site(project, keep_names=["notes.txt"]).compile()
    assert {"notes.txt", "notes.txt.br", "notes.txt.gz"} <= project.tree().keys()
    site(project, keep_names=["notes.txt"]).write({"assets/notes.txt": TEXT[:-1]}).compile()
    assert unpacked("br", packed(project, "notes.txt", "br")) == TEXT[:-1]
    assert unpacked("gzip", packed(project, "notes.txt", "gzip")) == TEXT[:-1]
    assert verify(project.folder / "dist").findings == ()


@pytest.mark.parametrize("theirs", ["notes.txt.gz", "NOTES.TXT.GZ", "notes.txt.gz/in/it"])
def test_a_kept_file_that_has_a_variants_name_stays_what_it_is(project: Project, theirs: str) -> None:
    site(project, keep_names=["notes.txt", theirs]).write({f"assets/{theirs}": b"their own"}).compile()
    assert project.tree()[theirs] == b"their own"
    assert having(project)["notes.txt"] == ["br"]
    assert verify(project.folder / "dist").findings == ()


def test_a_kept_name_that_has_no_room_for_a_suffix_has_none(project: Project) -> None:
    name = "a" * 248 + ".txt"
    site(project, keep_names=[name]).write({f"assets/{name}": TEXT}).compile()
    assert having(project)[name] == ["br", "gzip"]
    longer = "b" * 249 + ".txt"
    site(project, keep_names=[name, longer]).write({f"assets/{longer}": TEXT}).compile()
    assert longer not in having(project)


# What they are


def test_the_manifest_has_their_sizes_and_its_digest_covers_them(project: Project) -> None:
    site(project, compress=list(CODINGS)).compile()
    files = {path: data for path, data in project.tree().items() if path != "manifest.json"}
    for entry in project.manifest["assets"].values():
        for coding, size in entry.get("variants", {}).items():
            assert size == len(files[entry["path"] + treaty.SUFFIXES[coding]])
    lines = (f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))
    assert project.manifest["digest"] == "sha256-" + hashlib.sha256("".join(lines).encode()).hexdigest()
    assert len(files) == 4 + 3 * len(CODINGS)
    assert verify(project.folder / "dist").findings == ()


@every_coding
def test_each_unpacks_to_the_plain_file(project: Project, coding: Coding) -> None:
    project.write({"assets/long.txt": random.Random(1).randbytes(300_000).hex()})
    site(project, compress=[coding]).compile()
    for path in ("a.css", "b.js", "notes.txt", "long.txt"):
        assert unpacked(coding, packed(project, path, coding)) == project.published(path)


def test_gzip_is_smaller_than_zlib_at_its_best(project: Project) -> None:
    for module in (zlib, json, os):
        source = Path(module.__file__ or "").read_bytes() if module is not zlib else TEXT
        project.write({f"assets/{module.__name__}.txt": source})
    site(project, compress=["gzip"]).compile()
    for path in ("zlib.txt", "json.txt", "os.txt"):
        assert len(packed(project, path, "gzip")) < len(gzip.compress(project.published(path), 9))


@pytest.mark.parametrize("whole", [0, 1 << 20], ids=["in pieces, by zlib", "whole, by libdeflate"])
def test_a_gzip_header_holds_no_time_no_name_and_no_system(
    project: Project, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    monkeypatch.setattr(compressors, "WHOLE", whole)
    site(project, compress=["gzip"]).compile()
    # RFC 1952, 2.3: magic, deflate, flags, time (four bytes), compressed most, system unknown.
    assert packed(project, "notes.txt", "gzip")[:10] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])
    assert unpacked("gzip", packed(project, "notes.txt", "gzip")) == TEXT


def test_a_zstd_window_is_one_that_browsers_take() -> None:
    """RFC 9659: 8 MB at most."""
    if "zstd" not in CODINGS:
        pytest.skip("no module packs zstd")
    (tool,) = compressors.tools(["zstd"])
    size = 9 << 20
    head = b"".join(tool.pack(iter([b"a" * size]), size))[:20]
    assert head[:4] == bytes.fromhex("28b52ffd")
    descriptor = head[4]
    assert not descriptor & 0x20, "a single segment would need a window of the whole file"
    exponent, mantissa = head[5] >> 3, head[5] & 7
    base = 1 << (10 + exponent)
    assert base + base // 8 * mantissa <= 8 << 20


def test_what_is_too_large_to_be_held_goes_through_zlib_by_its_size_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressors, "WHOLE", len(TEXT) - 1)
    site(project, compress=["gzip"]).compile()
    names = project.manifest.get("compressors", [])
    assert [name.split()[0] for name in names] == ["deflate", "zlib"]
    monkeypatch.setattr(compressors, "WHOLE", len(TEXT))
    site(project, compress=["gzip"]).compile()
    assert [name.split()[0] for name in project.manifest.get("compressors", [])] == ["deflate"]


def test_jobs_and_folder_change_no_byte(tmp_path: Path) -> None:
    trees = []
    for name, jobs in (("one", 1), ("two/deeper", 4)):
        folder = tmp_path / name
        (folder / "assets").mkdir(parents=True)
        project = site(Project(folder), compress=list(CODINGS))
        project.write({f"assets/{n}.txt": TEXT[n:] for n in range(30)} | {"assets/long.txt": TEXT * 100})
        project.compile(jobs=jobs)
        trees.append(project.tree())
    assert trees[0] == trees[1]


def test_pieces_of_any_size_are_packed_to_the_same_bytes() -> None:
    data = random.Random(1).randbytes(150_000).hex().encode()
    for tool in compressors.tools(CODINGS):
        made = set()
        for size in (1000, 65_536, len(data)):
            file = Plain("a.txt", hashlib.sha256(data).hexdigest(), len(data), lambda size=size: cut(data, size))  # type: ignore[misc]
            with Spool() as spool:
                ((variant,),) = variants.pack([file], [tool], spool).values()
                made.add(b"".join(variant.packed.pieces()))
        assert len(made) == 1, tool.name
        assert unpacked(tool.coding, made.pop()) == data


# Nothing is packed twice


def test_with_nothing_changed_nothing_is_packed_and_nothing_written(project: Project, packs: list[str]) -> None:
    site(project, compress=list(CODINGS)).compile()
    assert len(packs) == 3 * len(CODINGS)
    before = {path: path.stat().st_mtime_ns for path in (project.folder / "dist").rglob("*")}
    packs.clear()
    result = project.compile()
    assert (packs, result.unchanged, result.written) == ([], True, ())
    assert {path: path.stat().st_mtime_ns for path in (project.folder / "dist").rglob("*")} == before


def test_only_what_changed_is_packed(project: Project, packs: list[str]) -> None:
    site(project).compile()
    packs.clear()
    result = project.write({"assets/notes.txt": TEXT[1:]}).compile()
    public = project.public("notes.txt")
    assert len(packs) == 2
    assert result.written == (public, public + ".br", public + ".gz")


def test_a_file_that_moved_takes_its_variants_along(project: Project, packs: list[str]) -> None:
    site(project).compile()
    before = packed(project, "notes.txt", "br")
    packs.clear()
    (project.folder / "assets/notes.txt").rename(project.folder / "assets/moved.txt")
    project.compile()
    assert packs == []
    assert packed(project, "moved.txt", "br") == before
    assert verify(project.folder / "dist").findings == ()


def test_another_version_of_a_tool_packs_anew(project: Project, packs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    site(project).compile()
    packs.clear()
    monkeypatch.setattr(brotli, "__version__", "99.0")
    project.compile()
    assert packs == ["brotli 99.0, quality 11"] * 3
    assert "brotli 99.0, quality 11" in project.manifest.get("compressors", [])


@pytest.mark.parametrize("cover_up", [False, True], ids=["", "and the manifest's sizes too"])
def test_a_variant_that_was_changed_by_hand_is_put_right(project: Project, cover_up: bool) -> None:
    site(project).compile()
    good = project.tree()
    file = project.folder / "dist" / (project.public("notes.txt") + ".gz")
    other = gzip.compress(b"something else")
    file.write_bytes(other)
    if cover_up:
        manifest = project.manifest
        manifest["assets"]["notes.txt"]["variants"]["gzip"] = len(other)
        (project.folder / "dist/manifest.json").write_bytes(treaty.dump(manifest))
    result = project.compile()
    assert file.relative_to(project.folder / "dist").as_posix() in result.written
    assert project.tree() == good


@pytest.mark.parametrize("change", ["gone", "cut", "flipped", "emptied", "halved"])
def test_a_cache_in_any_state_gives_the_same_variants(project: Project, packs: list[str], change: str) -> None:
    site(project).compile()
    good = project.tree()
    for number, file in enumerate(sorted((project.folder / ".assetbuild").glob("v*/*/*/*"))):
        data = file.read_bytes()
        if change == "gone" or (change == "halved" and number % 2):
            file.unlink()
        elif change == "cut":
            file.write_bytes(data[:-1])
        elif change == "flipped" and data:
            file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        elif change == "emptied":
            file.write_bytes(b"")
    shutil.rmtree(project.folder / "dist")
    packs.clear()
    project.compile()
    assert bool(packs) and project.tree() == good
    packs.clear()
    shutil.rmtree(project.folder / "dist")
    project.compile()
    assert packs == []
    assert project.tree() == good


def test_who_knows_a_variant_already_is_asked_first() -> None:
    file = plain("a.txt", TEXT)
    (tool,) = compressors.tools(["br"])
    asked = []

    def found(key: variants.Key) -> bytes:
        asked.append(key)
        return b"known"

    with Spool() as spool:
        ((variant,),) = variants.pack([file], [tool], spool, found=found).values()
        assert (variant.packed.size, b"".join(variant.packed.pieces())) == (5, b"known")
    assert asked == [("br", tool.name, file.digest)]


def test_that_a_file_is_not_worth_it_is_kept_too(project: Project, packs: list[str]) -> None:
    project.write({"assets/noise.txt": random.Random(2).randbytes(500), "assetbuild.toml": toml(sources=["assets"])}).compile()
    assert len(packs) == 2
    packs.clear()
    project.compile()
    assert packs == []


# In threads


def plain(path: str, data: bytes) -> Plain:
    return Plain(path, hashlib.sha256(data).hexdigest(), len(data), lambda: [data])


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def run(
    files: list[Plain], pack: Callable[[Iterator[bytes], int], Iterator[bytes]], jobs: int = 2
) -> tuple[dict[str, tuple[variants.Variant, ...]], Tool]:
    tool = Tool("gzip", "a tool, level 1", pack, 1, 1 << 40)
    with Spool() as spool:
        return variants.pack(files, [tool], spool, jobs=jobs), tool


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("assetbuild")]


def test_the_largest_is_packed_first_and_results_are_in_order() -> None:
    files = [plain(f"{n}.txt", b"a" * (100 + n * 7 % 5)) for n in range(5)]
    order: list[int] = []

    def pack(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
        order.append(size)
        return iter([b"".join(pieces)[:5]])

    found, _ = run(files, pack, jobs=1)
    assert order == sorted(order, reverse=True)
    assert list(found) == [f"{n}.txt" for n in range(5)]
    assert ours() == []


def test_several_work_at_once() -> None:
    together = threading.Barrier(3, timeout=20)

    def pack(pieces: Iterator[bytes], _size: int) -> Iterator[bytes]:
        list(pieces)
        together.wait()
        return iter([b"x"])

    found, _ = run([plain(f"{n}.txt", TEXT) for n in range(3)], pack, jobs=3)
    assert len(found) == 3


def test_a_file_that_changed_meanwhile_fails_the_build() -> None:
    bad = Plain("b.txt", "0" * 64, len(TEXT), lambda: [TEXT])
    with pytest.raises(BuildError, match=r"b\.txt: its source changed during the build; run it again"):
        run([plain("a.txt", TEXT), bad], lambda pieces, _size: iter([b"".join(pieces)[:1]]))
    assert ours() == []


def test_a_source_that_disappears_meanwhile_fails_the_build(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    site(project)
    real = variants.pack

    def pack(*arguments: object, **keys: object) -> object:
        (project.folder / "assets/notes.txt").unlink()
        return real(*arguments, **keys)  # type: ignore[arg-type]

    monkeypatch.setattr(variants, "pack", pack)
    with pytest.raises(BuildError, match=r"assets/notes\.txt: this file disappeared during the build; run it again"):
        project.compile()
    assert not (project.folder / "dist").exists()


def test_a_fault_of_a_tool_ends_the_others() -> None:
    def pack(pieces: Iterator[bytes], _size: int) -> Iterator[bytes]:
        list(pieces)
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        run([plain(f"{n}.txt", TEXT) for n in range(5)], pack)
    assert ours() == []


def test_progress_is_told() -> None:
    told = []
    with Spool() as spool:
        files = [plain(f"{n}.txt", TEXT[n:]) for n in range(3)]
        variants.pack(files, compressors.tools(["gzip"]), spool, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def started(child: subprocess.Popen[str]) -> bool:
    """Whether the process has come so far as to have threads."""
    try:
        return len(os.listdir(f"/proc/{child.pid}/task")) > 1
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_an_interrupt_does_not_wait_for_a_packing(project: Project) -> None:
    site(project).write({"assets/slow.txt": random.Random(1).randbytes(7_000_000).hex()})  # Many seconds' work.
    command = [sys.executable, "-m", "assetbuild", "compile"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, cwd=project.folder, env=environ, stderr=subprocess.PIPE, text=True) as child:
        while not started(child) and child.poll() is None:
            time.sleep(0.01)
        time.sleep(0.2)
        at = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
        took = time.monotonic() - at
    assert (child.returncode, err.strip()) == (130, "interrupted")
    assert not (project.folder / "dist").exists()
    assert took < 3, "a thread was waited for"


PEAK = r"""
import re, sys
from pathlib import Path
from assetbuild import config
from assetbuild import compile as build
build.compile(config.load(cwd=Path(sys.argv[1])), jobs=2)
# Not getrusage(): what that tells counts the process that this one was forked from.
print(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_largest_file(project: Project) -> None:
    with (project.folder / "assets/big.txt").open("wb") as file:
        file.truncate(64_000_000)
    done = subprocess.run([sys.executable, "-c", PEAK, str(project.folder)], capture_output=True, text=True, check=True)
    assert having(project) == {"big.txt": ["br", "gzip"]}
    assert int(done.stdout) * 1024 < 100_000_000


# What is missing


@pytest.mark.parametrize(
    ("coding", "modules", "extra"),
    [("zstd", ["zstandard", "compression.zstd"], "zstd"), ("br", ["brotli"], "build"), ("gzip", ["deflate"], "build")],
)
def test_a_library_that_is_missing_is_one_sentence_with_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch, coding: str, modules: list[str], extra: str
) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError) as caught:
        site(project, compress=[coding]).compile()
    assert str(caught.value) == (
        f'compress: "{coding}" needs the {extra} extra: pip install "assetbuild[{extra}]"; or leave it out of `compress`'
    )
    assert not (project.folder / "dist").exists()
