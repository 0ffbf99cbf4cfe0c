"""A build meets a fault at each system call that touches the output or the cache, one run each, by strace's `inject`.

After it `verify` finds nothing wrong with the artifact that is there, and the next build, without a fault, gives the same bytes
as one that never met any.

    python tests/tools/faults.py            every call, every fault: about twenty minutes
    python tests/tools/faults.py --every 50 a fiftieth of it
    python tests/tools/faults.py --moments 200  SIGKILL at so many random moments
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from assetbuild.verify import verify  # noqa: E402 (the script runs from anywhere)

FAULTS = ("signal=SIGKILL", "error=ENOSPC", "error=EIO", "error=EACCES", "error=EROFS", "error=EMFILE")

CONFIGURATION = 'compress = ["gzip"]\nkeep = 1\n'
OLD: Mapping[str, str] = {
    "css/app.css": "p { background: url(../img/a.svg) }\n" * 20,
    "img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "gone/old.js": "let old = 1;",
}
NEW: Mapping[str, str] = {
    "css/app.css": "p { background: url(../img/a.svg) }\n" * 20,
    "img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>",
    "more/new.js": "let fresh = 1;",
}


@dataclass(frozen=True, slots=True)
class Point:
    """A system call: its name, which of that name it is in its thread, and what strace shows of it."""

    call: str
    number: int
    shown: str


def write(project: Path, files: Mapping[str, str]) -> None:
    shutil.rmtree(project / "assets", ignore_errors=True)
    for name, text in files.items():
        path = project / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (project / "assetbuild.toml").write_text(CONFIGURATION)


def command() -> tuple[list[str], dict[str, str]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ASSETBUILD_")}
    environ |= {"PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1700000000"}
    return [sys.executable, "-m", "assetbuild", "compile", "--jobs", "1"], environ


def compiled(project: Path, *before: str) -> subprocess.CompletedProcess[str]:
    line, environ = command()
    return subprocess.run([*before, *line], cwd=project, env=environ, capture_output=True, text=True, timeout=120)


def tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


class Laboratory:
    """A project whose last build is old, and what the next one makes of it when nothing goes wrong.

    first: whether there was no build before.
    """

    def __init__(self, folder: Path, *, first: bool = False) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.project = folder / "project"  # Always the same path: the cache's index goes by it.
        self.project.mkdir()
        if not first:
            write(self.project, OLD)
            assert compiled(self.project).returncode == 0
        write(self.project, NEW)
        self.project.rename(self.state)
        self.begin()
        assert compiled(self.project).returncode == 0
        assert verify(self.project / "dist").findings == ()
        self.good = tree(self.project / "dist")

    def begin(self) -> None:
        shutil.rmtree(self.project, ignore_errors=True)
        shutil.copytree(self.state, self.project, symlinks=True)

    def points(self) -> list[Point]:
        """The system calls that touch the output or the cache."""
        self.begin()
        log = self.folder / "log"
        done = compiled(self.project, "strace", "-f", "-y", "-s", "500", "-o", str(log))
        assert done.returncode == 0, done.stderr
        counts: Counter[tuple[str, str]] = Counter()
        found = []
        touched = re.compile(re.escape(f"{self.project}/") + r"(?:dist|\.assetbuild)\b")
        for line in log.read_text(errors="replace").splitlines():
            if call := re.match(r"(\d+) +(\w+)\(", line):
                counts[call[1], call[2]] += 1
                if touched.search(line) and call[2] != "execve":
                    found.append(Point(call[2], counts[call[1], call[2]], line[:200]))
        return found

    def fault(self, point: Point, fault: str) -> str:
        """What is wrong after a build that met a fault there, or ""."""
        self.begin()
        inject = f"inject={point.call}:{fault}:when={point.number}"
        done = compiled(
            self.project, "strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={point.call}", "-e", inject
        )
        if "No module named" in done.stderr:
            return ""  # In another thread the call with this number was one of the interpreter's own.
        if "Traceback" in done.stderr or "should not have happened" in done.stderr:
            return f"it does not say what went wrong: {done.stderr.strip()[-300:]}"
        return self.after(done.returncode)

    def killed(self, seconds: float) -> str:
        """What is wrong after a build that was killed after so long, or ""."""
        self.begin()
        line, environ = command()
        with subprocess.Popen(line, cwd=self.project, env=environ, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.kill()
        return self.after(process.returncode)

    def after(self, status: int) -> str:
        """What is wrong now, or after the next build, or ""."""
        if (self.project / "dist/manifest.json").exists() and (findings := verify(self.project / "dist").findings):
            return f"verify: {findings[0]}"
        if status == 0 and tree(self.project / "dist") != self.good:
            return "it says that all is well, and the artifact is another"
        again = compiled(self.project)
        if again.returncode != 0:
            return f"the next build fails: {again.stderr.strip()[-300:]}"
        return "" if tree(self.project / "dist") == self.good else "the next build makes something else"


def runs(points: list[Point], faults: tuple[str, ...], every: int) -> Iterator[tuple[Point, str]]:
    """One in so many of all pairs; with many left out, each fault comes in turn."""
    pairs = [(point, fault) for point in points for fault in faults]
    return (pair for number, pair in enumerate(pairs) if number % every == 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run one in so many")
    parser.add_argument("--fault", choices=FAULTS, help="this one alone")
    parser.add_argument("--first", action="store_true", help="of a first build")
    parser.add_argument("--moments", type=int, default=0, metavar="N", help="SIGKILL at so many random moments instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        laboratory = Laboratory(Path(folder), first=options.first)
        results = []
        for name, text in _moments(laboratory, options.moments) if options.moments else _calls(laboratory, options):
            results.append(bool(text))
            if text:
                sys.stdout.write(f"{name}: {text}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{len(results)} runs, {sum(results)} wrong\n")
    return any(results)


def _moments(laboratory: Laboratory, number: int) -> Iterator[tuple[str, str]]:
    for _ in range(number):
        seconds = random.uniform(0.05, 0.6)
        yield f"killed after {seconds:.3f} s", laboratory.killed(seconds)


def _calls(laboratory: Laboratory, options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    chosen = (options.fault,) if options.fault else FAULTS
    for point, fault in runs(laboratory.points(), chosen, options.every):
        yield f"{fault} at {point.call} {point.number} ({point.shown})", laboratory.fault(point, fault)


if __name__ == "__main__":
    raise SystemExit(main())
