"""The pictures of the command line at work, from real runs.

`python docs/pictures.py` runs the commands below on a small project, in a terminal (a pseudo-terminal of 112 columns), and
draws what they print. The pictures are kept in `docs/pictures`, so that the pages can be read without being built; one whose
text differs only in times is left as it is. With `--check` nothing is written, and the exit status is 1 where a picture does
not show what its commands print now.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

HERE = Path(__file__).parent / "pictures"
COLUMNS = 112

FILES: Mapping[str, str] = {
    "assets/css/site.css": '@import "base.css";\n\n'
    "header {\n  background: url(../img/wave.svg) no-repeat;\n}\n\n"
    ".price {\n  font-variant-numeric: tabular-nums;\n}\n",
    "assets/css/base.css": "body {\n  margin: 0;\n  font-family: Georgia, serif;\n}\n",
    "assets/img/wave.svg": '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 9Q9 0 18 9T36 9"/></svg>\n',
    "assets/js/basket.js": 'import { format } from "./money.js";\n\n'
    "export const total = (prices) =>\n  format(prices.reduce((sum, price) => sum + price, 0));\n",
    "assets/js/money.js": 'const euro = new Intl.NumberFormat("de", { style: "currency", currency: "EUR" });\n\n'
    "export const format = (amount) => euro.format(amount);\n",
}


@dataclass(frozen=True)
class Picture:
    """before: what is done unseen. commands: what is typed, and what the pictures show."""

    name: str
    commands: tuple[str, ...]
    before: str = "true"


PICTURES = (
    Picture(
        "init",
        ("assetbuild init", "grep -v '^#' assetbuild.toml | grep ."),
        "mv assets static && mkdir templates && printf 'from flask import Flask\\napp = Flask(__name__)\\n' > app.py",
    ),
    Picture("compile", ("assetbuild compile", "assetbuild compile", "assetbuild list")),
    Picture(
        "missing",
        ("assetbuild compile", "echo $?"),
        "sed -i 's/wave/Wave/' assets/css/site.css && sed -i 's/money.js/money/' assets/js/basket.js",
    ),
    Picture(
        "check",
        ("assetbuild check", "echo $?", "assetbuild check --unused"),
        "mkdir templates && echo '{{ asset_tag(\"css/sit.css\") }}' > templates/page.html",
    ),
    Picture("explain", ("assetbuild explain css/site.css",), "assetbuild compile && echo 'p{}' >> assets/css/base.css"),
    Picture(
        "verify",
        ("assetbuild verify --production", "truncate -s 40 dist/js/money.*.js", "assetbuild verify --production", "echo $?"),
        "assetbuild compile",
    ),
    Picture("serve-config", ("assetbuild serve-config nginx | grep -v alias",), "assetbuild compile"),
)


# ---- running


def runs(picture: Picture) -> str:
    """What a terminal shows, with escape sequences: each command behind a `$`, and what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_text(text, "utf-8")
        subprocess.run(["bash", "-c", picture.before], cwd=folder, env=environment(), check=True, capture_output=True)
        # One shell for all, so that `$?` is what it is for a reader.
        prompt = "prompt() { local s=$?; printf '\\033[32m$\\033[0m \\033[1m%s\\033[0m\\n' \"$1\"; return $s; }\n"
        script = prompt + "\n".join(f"prompt '{command}'\n{command}" for command in picture.commands)
        return in_a_terminal(["bash", "-c", script], folder)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSETBUILD_")}
    for name in ("SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR"):
        kept.pop(name, None)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return kept | {"PATH": path, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8"}


def in_a_terminal(command: list[str], folder: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # This is how a terminal says that nobody writes to it any more.
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        process.wait()
    # A progress bar is drawn over; what is left of it is nothing.
    text = re.sub(r"[^\n]*\r\x1b\[K", "", shown.decode().replace("\r\n", "\n"))
    assert "\r" not in text
    return text


# ---- drawing

# The colours of SGR that assetbuild uses, on a dark ground.
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
GROUND, INK, FAINT = "#161b22", "#e6edf3", "#8b949e"
WIDTH, HEIGHT, MARGIN = 8.43, 20, 16


def spans(line: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Pieces of a line with the SGR parameters that hold for them."""
    state: tuple[str, ...] = ()
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if piece.startswith("\x1b"):
            codes = tuple(code for code in piece[2:-1].split(";") if code not in ("", "0"))
            state = (*state, *codes) if codes else ()
        elif piece:
            yield piece, state


def wrapped(line: str) -> list[str]:
    """A line as a terminal of this width breaks it, escape sequences counted as nothing."""
    lines, length = [""], 0
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if piece.startswith("\x1b"):
            lines[-1] += piece
            continue
        for character in piece:
            if length == COLUMNS:
                lines.append("")
                length = 0
            lines[-1] += character
            length += 1
    return lines


def svg(shown: str) -> str:
    """The text of a terminal as a picture, whose text can be read, searched and copied."""
    lines = [part for line in shown.rstrip("\n").split("\n") for part in wrapped(line)]
    width, height = round(COLUMNS * WIDTH + 2 * MARGIN), len(lines) * HEIGHT + 2 * MARGIN
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape('; '.join(re.findall(r'^[$] (.+)$', plain(shown), re.MULTILINE)))}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14" '
        f'fill="{INK}" style="white-space: pre">',
    ]
    for number, line in enumerate(lines):
        column, y, parts = 0, MARGIN + number * HEIGHT + 15, []
        for text, state in spans(line):
            colour = next((COLOURS[code] for code in state if code in COLOURS), FAINT if "2" in state else "")
            style = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if "1" in state else "")
            # The length is given, so that columns stand below one another in any font.
            x, length = MARGIN + column * WIDTH, len(text) * WIDTH
            parts.append(f'<tspan x="{x:.2f}" textLength="{length:.2f}"{style}>{escape(text, quote=False)}</tspan>')
            column += len(text)
        drawn.append(f'<text y="{y}" xml:space="preserve">{"".join(parts)}</text>')
    return "\n".join([*drawn, "</g>", "</svg>", ""])


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


def text_of(picture: str) -> str:
    """The text that a picture shows, line by line, without times."""
    lines = re.findall(r"<text [^>]*>(.*?)</text>", picture)
    text = "\n".join(unescape(re.sub(r"<[^>]+>", "", line)) for line in lines)
    return re.sub(r"\b\d+ ms\b|\b\d+\.\d s\b", "TIME", text)


def main(arguments: list[str]) -> int:
    different = []
    for picture in PICTURES:
        file = HERE / f"{picture.name}.svg"
        drawn = svg(runs(picture))
        if file.exists() and text_of(file.read_text("utf-8")) == text_of(drawn):
            continue
        different.append(f"{file.name} does not show what is printed now:\n{text_of(drawn)}\n")
        if "--check" not in arguments:
            HERE.mkdir(exist_ok=True)
            file.write_text(drawn, "utf-8")
    if "--check" in arguments and different:
        sys.stderr.write("".join([*different, "Run `python docs/pictures.py`.\n"]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
