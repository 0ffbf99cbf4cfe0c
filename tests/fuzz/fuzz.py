"""Bytes that a coverage-guided fuzzer makes are put into everything that reads what others wrote (see targets.py), by atheris.

    python tests/fuzz/fuzz.py css 600       one target for ten minutes
    python tests/fuzz/fuzz.py all 300       each of them, five minutes each
    python tests/fuzz/fuzz.py mixed 300     all of them in one process, where the first byte says which
    python tests/fuzz/fuzz.py css FILE ...  what a file does to it

What does not hold is shown with its traceback, once for each place in the code, and its bytes are kept in `--findings`; the
exit status is then 1. `--corpus FOLDER` has further seeds for a target in FOLDER/TARGET, and takes what is found on the way.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))
SEEDS = Path(__file__).parent / "seeds"
#: A text of this length that takes longer than so many seconds of the processor is a finding too.
SLOW = 2.0
MOST_BYTES = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("rest", nargs="*", metavar="SECONDS | FILE ...")
    parser.add_argument("--runs", type=int, default=-1, help="end after so many inputs, always the same ones")
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--findings", type=Path)
    given = parser.parse_args(arguments)
    findings = given.findings or Path(tempfile.mkdtemp(prefix="assetbuild-fuzz-"))
    findings.mkdir(parents=True, exist_ok=True)
    if os.environ.get("ASSETBUILD_FUZZ_WORKER"):
        _fuzz(given.target, float(given.rest[0]), given.runs, given.corpus, findings)
    if given.target not in (*WORDS, "all", "mixed"):
        parser.error(f"there is no target {given.target}: all, mixed, {', '.join(WORDS)}")
    if given.rest and not given.rest[0].replace(".", "").isdigit():
        from tests.fuzz.targets import TARGETS

        for file in given.rest:
            TARGETS[given.target](Path(file).read_bytes())
        return 0
    seconds = given.rest[0] if given.rest else "60"
    for target in WORDS if given.target == "all" else (given.target,):
        command = [sys.executable, __file__, target, seconds, "--runs", str(given.runs), "--findings", str(findings)]
        command += ["--corpus", str(given.corpus)] if given.corpus else []
        subprocess.run(command, env={**os.environ, "ASSETBUILD_FUZZ_WORKER": "1"}, check=False)
    found = sorted(path.name for path in findings.iterdir())
    told = [f"{len(found)} findings in {findings}" if found else "nothing found", *found]
    sys.stdout.write("\n  ".join(told) + "\n")
    return 1 if found else 0


def _fuzz(target: str, seconds: float, runs: int, corpus: Path | None, findings: Path) -> None:
    """Ends the process, as libFuzzer does."""
    import atheris

    with atheris.instrument_imports(include=["assetbuild", "tests.fuzz.targets"]):
        from tests.fuzz import targets
    targets.see = _Sights(atheris.instrument_func)
    function: Callable[[bytes], None] = targets.TARGETS.get(target, lambda data: _mixed(targets.TARGETS, data))
    known: set[str] = set()

    def once(data: bytes) -> None:
        began = time.process_time()
        try:
            function(data)
        except Exception as error:
            _keep(findings, known, target, data, error)
        else:
            if time.process_time() - began > SLOW:
                _keep(findings, known, target, data, TimeoutError(f"{len(data)} bytes took more than {SLOW} s"))

    with tempfile.TemporaryDirectory(prefix="assetbuild-fuzz-") as folder:
        words = Path(folder) / "words"
        chosen = WORDS[target] if target in WORDS else [word for each in WORDS.values() for word in each]
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in chosen))
        grown = (corpus or Path(folder) / "corpus") / target
        grown.mkdir(parents=True, exist_ok=True)
        options = [f"-max_len={MOST_BYTES}", f"-dict={words}", f"-artifact_prefix={findings}/{target}-", "-timeout=30"]
        options += [f"-max_total_time={round(seconds)}", "-print_final_stats=1", "-verbosity=1"]
        options += [f"-runs={runs}", "-seed=1"] if runs >= 0 else []
        atheris.Setup([sys.argv[0], *options, str(grown), str(_seeds(target, Path(folder)))], once)
        atheris.Fuzz()


def _mixed(targets: Mapping[str, Callable[[bytes], None]], data: bytes) -> None:
    """The first byte says which target the others are for."""
    if data:
        targets[list(WORDS)[data[0] % len(WORDS)]](data[1:])


def _seeds(target: str, folder: Path) -> Path:
    if target in WORDS:
        return SEEDS / target
    (folder / "mixed").mkdir()
    for number, name in enumerate(WORDS):
        for seed in (SEEDS / name).iterdir():
            (folder / "mixed" / f"{name}-{seed.name}").write_bytes(bytes([number]) + seed.read_bytes())
    return folder / "mixed"


class _Sights:
    """Tells the fuzzer what was seen: each new sight is a function of its own, which it has not seen called before."""

    def __init__(self, instrument: Callable[[Callable[[], None]], Callable[[], None]]) -> None:
        self.instrument = instrument
        self.functions: dict[object, Callable[[], None]] = {}

    def __call__(self, sight: object) -> None:
        if sight not in self.functions:
            if len(self.functions) > 2000:
                return
            scope: dict[str, Callable[[], None]] = {}
            exec("def seen():\n    return None", scope)
            self.functions[sight] = self.instrument(scope["seen"])
        self.functions[sight]()


def _keep(findings: Path, known: set[str], target: str, data: bytes, error: BaseException) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    place = "/".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[1:] or frames)
    name = f"{target}-{hashlib.sha256(f'{type(error).__name__} {place}'.encode()).hexdigest()[:8]}"
    shortest = findings / name
    if name in known and shortest.stat().st_size <= len(data):
        return
    shortest.write_bytes(data)
    if name not in known:
        known.add(name)
        sys.stderr.write(f"\n{name}: {data[:300]!r}\n")
        traceback.print_exception(error, limit=-4)


def _escaped(word: str) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode())


_CSS = (
    *("url(", "@import ", "image-set(", "src(", "/*", "*/", "\\75rl(", "\\\n", '"', "'", "{", "}", ";", "(", ")"),
    *("[", "]", ":"),
    *("<!--", "-->", "@layer ", "@media ", "@supports ", "@namespace ", '@charset "', "--a:", "!important", "calc("),
    *("\ufeff",),
    *("\r\n", "\x0c", "\x00", "\\0", "/*# sourceMappingURL=a.map */", "supports(", "layer(", "@property ", "&", ">"),
    *("~=", "1e3"),
    *("a.png", "?#x", "\\", " ", "/*!", "#", "%", ",", "+", "-", "data:", "@font-face", "U+26", "%20", "../", "//"),
)
_JS = (
    *("import ", "export ", " from ", 'import("', "import.meta.url", "new URL(", '"./a.js"', "`", "${", "}", "{"),
    *("(", ")", "["),
    *("]", "/", "//", "/*", "*/", "/*!", "=>", "async ", "await ", "yield ", "function* ", "class ", "#a", "static "),
    *("get ",),
    *("<!--", "-->", "#!", "\u2028", "\r\n", "\ufeff", "++", "--", "?.", "??=", "**", "case ", "default:", "return"),
    *("typeof ",),
    *("of ", "in ", "let ", "extends ", "if(", "for(", "while(", "do ", "else ", "\\u{61}", "\\u0061"),
    *("'use strict'", "\\"),
    *("//# sourceMappingURL=a.map", "/*# sourceMappingURL=a.map */", "0x1n", ".5e1", "1..a", "/[/]/g", "super."),
    *("var ", ";", ","),
)
_SVG = (
    *("<svg>", "</svg>", "<use href='", "xlink:href=", "<image ", "<feImage ", "<style>", "</style>", "<![CDATA["),
    *("]]>", "<!--"),
    *("-->", "<?xml ", "?>", "<!DOCTYPE svg [", "]>", "<!ENTITY a 'b'>", "&amp;", "&#x2f;", "&#47;", "&a;", "xmlns="),
    *("xmlns:x=",),
    *("style=", "fill='url(a.svg)'", "url(", "type='text/css'", "/>", "\ufeff", "encoding='latin1'", "#a", "x:", "'"),
    *('"',),
)
_JSON = (
    *('{"icons":[{"src":"', '"}]}', '"screenshots"', '"shortcuts"', "\\u002f", "\\ud83d\\ude00", "\\n", "null"),
    *("true", "-0.1e+2"),
    *("[", "]", "{", "}", ":", ",", '"', "\ufeff", "?", "#", "./a.png", "*", "\\", "NaN", "//"),
)
_TOML = (
    *("sources = [", "output = ", "base_url = ", "exclude = [", "keep_names = [", "missing = ", "compress = ["),
    *("templates = [",),
    *("[filters]", '[bundles."a.js"]', "contents = [", "filters = [", "[webassets]", "[jinja]", "bundles_from = "),
    *("suffix = ",),
    *("depends = [", "publish_parts = ", "follow_symlinks = true", '"assets"', '"**"', '"\\u0000"', '"../x"'),
    *('"package:json"',),
    *("prefix = ", "path = ", "keep = ", "keep_days = ", "previous = [", "filter_timeout = ", "1e400", "nan", "inf"),
    *("{", "}", "]"),
    *("[[", "]]", "'''", '"""', "[tool.assetbuild]", "1979-05-27", "https://a.b/", "//", "?", "rjsmin", "rcssmin"),
    *("\\ud800",),
)
_MANIFEST = (
    *('"version": 1', '"assets": {', '"path": "', '"integrity": "sha256-', '"size": ', '"variants": {"br": '),
    *('"previous": [', '"'),
    *('"digest": "sha256-', '"files": {', '"group": ', '"missing": [', '"imports": [', '"date": '),
    *('"mode": "production"', "../"),
    *("NaN", "Infinity", "\\ud800", "\\u0000", "1e400", "-1", "9223372036854775808", "{", "}", "[", "]", ":", ","),
    *("true", "null"),
)
WORDS = {
    "css": _CSS,
    "js": _JS,
    "svg": (*_SVG, "a.svg"),
    "webmanifest": _JSON,
    "sourcemap": ("sourceMappingURL=", "//#", "/*#", "*/", "//@", "\r\n", "?", "#", "a.map", "data:", "\u2028"),
    "rewriting": (*_CSS, *_JS, *_SVG, *_JSON),
    "names": (
        "%2e",
        "%2f",
        "%5c",
        "../",
        "..",
        "\\",
        "\u00e9",
        "e\u0301",
        "#",
        "?",
        ":",
        "'",
        '"',
        ")",
        "a.css",
        "//",
        "%",
        "&",
    ),
    "bundle-css": (*_CSS, "\n=====\n"),
    "bundle-js": (*_JS, "\n=====\n"),
    "configuration": _TOML,
    "manifest": _MANIFEST,
    "verify": ('{"path":"', '{"size":', '{"integrity":"', "../", "\x1f\x8b", "\x00"),
}

if __name__ == "__main__":
    sys.exit(main())
