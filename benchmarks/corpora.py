"""What is built: trees of files that come out the same on each machine. Files of real packages, as npm installs them, and
generated ones: style sheets, modules, drawings, noise in place of photographs."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Bytes of a file, on an average over a corpus: 10,000 files are 150 MB.
AVERAGE = 15_000

#: Files of a folder of generated ones.
FOLDER = 100

#: Raised when the same version of the packages would give other corpora.
FORMAT = "2"

#: Times of all files: long before any build, so that no tool has to doubt whether it saw the last change.
MODIFIED = 1_700_000_000

# Folders of packages and the files taken from them, in the order in which they are taken as long as there is room.
PARTS: tuple[tuple[str, str], ...] = (
    ("lodash-es", r"[\w.]+\.js"),
    ("bootstrap/dist", r".*\.(css|js|map)"),
    ("katex/dist", r"(fonts/.*|katex(\.min)?\.(css|js))"),
    ("jquery/dist", r"jquery(\.min)?\.js"),
    ("leaflet/dist", r"leaflet\.(css|js)|images/.*"),
    ("bootstrap-icons/icons", r".*"),
    ("bootstrap-icons/font", r"[^/]*\.css|fonts/.*"),
    ("@fortawesome/fontawesome-free/svgs", r".*\.svg"),
    ("@fortawesome/fontawesome-free/css", r".*"),
    ("@fortawesome/fontawesome-free/webfonts", r".*"),
    ("three/src", r".*\.js"),
    ("codemirror/lib", r".*"),
    ("codemirror/mode", r".*\.(js|css)"),
    ("codemirror/addon", r".*"),
    ("codemirror/theme", r".*"),
    ("tinymce", r".*\.(js|css)"),
    ("three/build", r".*"),
    ("ace-builds/src-noconflict", r".*\.js"),
)

#: What the bundlers start from: every module of these folders, by one script that ENTRY names, and these sheets.
MODULES = ("lodash-es/", "three/src/")
SHEETS = ("bootstrap/dist/css/bootstrap.css", "katex/dist/katex.css")
ENTRY = "entry.js"

#: Suffixes of what minifiers and bundlers take.
CODE = (".css", ".js", ".mjs")


@dataclass(frozen=True)
class Corpus:
    """A tree of files. code: those that end as CODE says. reached: those that the bundlers get from the entries. touched: the
    file that changes when one file changes; another one refers to it. code_size, reached_size, size: in bytes."""

    name: str
    folder: Path
    files: tuple[str, ...]
    size: int
    code: tuple[str, ...]
    code_size: int
    reached: tuple[str, ...]
    reached_size: int
    touched: str

    @property
    def entries(self) -> tuple[str, ...]:
        return (ENTRY, *SHEETS) if self.reached else ()


def make(name: str, count: int, into: Path, packages: Path | None, size: int | None = None) -> Corpus:
    """The corpus of that many files, made where it is not there yet. packages: the node_modules folder to take files from, or
    None for generated files only. size: in bytes, if not AVERAGE for each file."""
    folder, stamp = into / name / "source", into / name / "made.json"
    versions = [] if packages is None else [(part, _version(packages / part)) for part, _ in PARTS]
    wanted = json.dumps([FORMAT, count, size, versions])
    if not stamp.exists() or stamp.read_text() != wanted or any(path.stat().st_mtime != MODIFIED for path in _walk(folder)):
        shutil.rmtree(into / name, ignore_errors=True)
        folder.mkdir(parents=True)
        room = size or count * AVERAGE
        taken = 0
        if packages is not None:
            taken = _packages(folder, packages, count - FOLDER, room)
        _generate(folder, count - taken, room - sum(path.stat().st_size for path in _walk(folder)))
        for path in _walk(folder):
            os.utime(path, (MODIFIED, MODIFIED))
        stamp.write_text(wanted)
    return _described(name, folder)


def _described(name: str, folder: Path) -> Corpus:
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in _walk(folder)}
    code = tuple(file for file in sizes if file.endswith(CODE))
    reached = tuple(file for file in code if file in (ENTRY, *SHEETS) or file.startswith(MODULES)) if ENTRY in sizes else ()
    return Corpus(
        name,
        folder,
        tuple(sizes),
        sum(sizes.values()),
        code,
        sum(sizes[file] for file in code),
        reached,
        sum(sizes[file] for file in reached),
        "g0000/sheet00.css",
    )


def _walk(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(top, name)


def _version(folder: Path) -> str:
    while not (folder / "package.json").exists() or "version" not in json.loads((folder / "package.json").read_text()):
        folder = folder.parent
    return str(json.loads((folder / "package.json").read_text())["version"])


# ---- files of packages


def _packages(folder: Path, packages: Path, count: int, room: int) -> int:
    """Copies whole parts as long as they fit into four fifths of the count and of the bytes; their number of files."""
    files, used = list[str](), 0
    for part, pattern in PARTS:
        found = [path for path in _walk(packages / part) if re.fullmatch(pattern, path.relative_to(packages / part).as_posix())]
        found = [path for path in found if "node_modules" not in path.relative_to(packages).parts]
        weight = sum(path.stat().st_size for path in found)
        if (len(files) + len(found)) * 5 > count * 4 or (used + weight) * 5 > room * 4:
            continue
        files += [path.relative_to(packages).as_posix() for path in found]
        used += weight
    there = set(files)
    for file in files:
        data = (packages / file).read_bytes()
        if file.endswith(CODE):
            data = _without_absent_maps(data, os.path.dirname(file), there)
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
    modules = [file for file in files if file.startswith(MODULES)]
    if not modules or not there.issuperset(SHEETS):
        return len(files)
    lines = [f'import * as m{number} from "./{file}";' for number, file in enumerate(modules)]
    # Each module is used, so that no bundler may leave one out.
    lines.append(f"globalThis.all = [{', '.join(f'm{number}' for number in range(len(modules)))}];")
    (folder / ENTRY).write_text("\n".join(lines) + "\n")
    return len(files) + 1


def _without_absent_maps(data: bytes, folder: str, there: set[str]) -> bytes:
    """Django stops at a source map that the package does not bring."""

    def kept(comment: re.Match[bytes]) -> bytes:
        path = os.path.normpath(os.path.join(folder, comment[1].decode("latin-1")))
        return comment[0] if path in there else b""

    return re.sub(rb"(?://|/\*)# ?sourceMappingURL=([^\s*'\"`]+)(?:[ ]*\*/)?", kept, data)


# ---- generated files

_NAMES = "account basket calendar dialog editor filter gallery invoice message notice order player profile report search ticket"

_SHEET = """
/* {name}: the box and what lies in it. */
.{name}-{number} > .head:hover,
.{name}-{number}[data-state="open"] .body {{
  display: flex;
  margin: 0 auto {number}px;
  padding: calc(1rem + {number}px) 2rem;
  color: rgb(20 40 {number} / 80%);
  transition: opacity 200ms ease-in-out;
}}

@media (min-width: {width}px) {{
  .{name}-{number} {{
    grid-template-columns: repeat(auto-fit, minmax({number}px, 1fr));
  }}
}}
"""

_MODULE = """
/**
 * Formats the {name} for readers.
 * @param {{number}} value  what is shown
 */
export function {name}{number}(value, {{ digits = 2, unit = "{name}" }} = {{}}) {{
  // What is not loaded yet has no number.
  if (!Number.isFinite(value) || /^\\s*[{{/]/.test(unit)) {{
    return `no ${{unit}}`;
  }}
  const rounded = Math.round(value * 10 ** digits) / {width};
  return [rounded.toFixed(digits), unit].filter((part) => part !== "").join(" ");
}}
"""


def _generate(folder: Path, count: int, room: int) -> None:
    """Texts first; noise takes what is left of the bytes. A hundred files: 20 sheets, 25 modules, 15 drawings, 40 of noise."""
    noise = []
    for number in range(count):
        top, place = f"g{number // FOLDER:04}", number % FOLDER
        (folder / top).mkdir(exist_ok=True)
        dice = random.Random(f"{FORMAT} {number}")
        kind = _KINDS[place % len(_KINDS)]
        if kind == "noise":
            noise.append(folder / top / f"photo{place:02}.webp")
            continue
        if kind == "sheet":
            name, text = f"sheet{place:02}.css", _sheet(dice, place)
        elif kind == "module":
            name, text = f"module{place:02}.js", _module(dice, place)
        else:
            name = f"drawing{place:02}.svg"
            text = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">\n' + _paths(dice) + "</svg>\n"
        (folder / top / name).write_text(text)
        room -= len(text)
    for path in noise:
        dice = random.Random(f"{FORMAT} {path.parent.name} {path.name}")
        share = max(64, room // len(noise))
        path.write_bytes(b"RIFF\0\0\0\0WEBP" + dice.randbytes(share // 2 + dice.randrange(share)))


_KINDS = (
    *("sheet", "noise", "module", "noise", "drawing", "module", "noise", "sheet", "noise", "module"),
    *("noise", "drawing", "sheet", "noise", "module", "noise", "drawing", "noise", "sheet", "module"),
)


def _blocks(dice: random.Random, pattern: str) -> str:
    names = [dice.choice(_NAMES.split()) for _ in range(dice.randrange(2, 12))]
    return "".join(
        pattern.format(name=name, number=number, width=dice.randrange(300, 1600)) for number, name in enumerate(names)
    )


def _sheet(dice: random.Random, place: int) -> str:
    """Each sheet that is not the first of its twenty files imports that one, and shows a photograph."""
    first = place - place % len(_KINDS)
    text = "" if place == first else f'@import "sheet{first:02}.css";\n'
    text += _blocks(dice, _SHEET)
    # The file after the first is noise, by the table above.
    return text + f".photo {{ background: url(photo{first + 1:02}.webp) }}\n" if place != first else text


def _module(dice: random.Random, place: int) -> str:
    first = place - place % len(_KINDS) + 2
    text = "" if place == first else f'import * as first from "./module{first:02}.js";\n'
    text += _blocks(dice, _MODULE)
    return text if place == first else text + "export { first };\n"


def _paths(dice: random.Random) -> str:
    def place() -> str:
        return f"{dice.randrange(96)} {dice.randrange(96)}"

    return "".join(f'  <path d="M{place()}L{place()}Q{place()} {place()}z"/>\n' for _ in range(dice.randrange(2, 30)))
