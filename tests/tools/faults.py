"""A build meets a fault at each system call that touches the output or the cache, one run each, by strace's `inject`.

After it `verify` finds nothing wrong with the artifact that is there, and the next build, without a fault, gives the same bytes
as one that never met any.

    python tests/tools/faults.py            every call, every fault: about an hour
    python tests/tools/faults.py --first    the same of a first build
    python tests/tools/faults.py --every 50 a fiftieth of it
    python tests/tools/faults.py --moments 200  SIGKILL at so many random moments

The build has what a build may have: a worker process, a look at the artifact in a forked process, files of an earlier release,
and a file under a kept name. strace counts in each process anew, and has no way to mean one of them; so the process that is
meant makes many calls of no account first, and has numbers that no other comes to.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from assetbuild.verify import verify  # noqa: E402 (the script runs from anywhere)

FAULTS = ("signal=SIGKILL", "error=ENOSPC", "error=EIO", "error=EACCES", "error=EROFS", "error=EMFILE")

CONFIGURATION = 'compress = ["gzip"]\nkeep = 1\nkeep_names = ["robots.txt"]\n'
KEPT = "robots.txt"
OLD: Mapping[str, str] = {
    KEPT: "User-agent: old",
    "css/app.css": "p { background: url(../img/a.svg) }\n" * 20,
    "img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "gone/old.js": "let old = 1;",
}
NEW: Mapping[str, str] = {
    KEPT: "User-agent: fresh",
    "css/app.css": "p { background: url(../img/a.svg) }\n" * 20,
    "img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>",
    "more/new.js": "let fresh = 1;",
    # Enough for a worker process.
    "more/large.js": "".join(f"function f{number}(a, b) {{ return a + b * {number}; }}\n" for number in range(800)),
}

#: So many calls are made by the process that is meant, before anything else: more than any other makes in all.
APART = 2500
#: Its arguments: which process is meant (0: the first; then, in the order in which they are forked: the look, the worker), and
#: which calls it makes.
LAUNCHER = f"""
import ctypes, fcntl, os, runpy, sys

nothing = os.open("/dev/null", os.O_RDWR)
closed = 1000
calls = {{
    "access": lambda: os.access("/", os.R_OK),
    "chmod": lambda: os.chmod("/dev/null/a", 0),
    "close": lambda: os.close(closed),
    "fchmod": lambda: os.fchmod(closed, 0),
    "flock": lambda: fcntl.flock(closed, 0),
    "fsync": lambda: os.fsync(closed),
    "getdents64": lambda: ctypes.CDLL(None).getdents64(closed, 0, 0),
    "ioctl": lambda: os.isatty(closed),
    "link": lambda: os.link("/dev/null/a", "/dev/null/b"),
    "lseek": lambda: os.lseek(closed, 0, os.SEEK_CUR),
    "mkdir": lambda: os.mkdir("/"),
    "newfstatat": lambda: os.stat("/"),
    "openat": lambda: os.open("/dev/null/a", os.O_RDONLY),
    "read": lambda: os.read(closed, 1),
    "rename": lambda: os.rename("/dev/null/a", "/dev/null/b"),
    "rmdir": lambda: os.rmdir("/dev/null/a"),
    "syncfs": lambda: ctypes.CDLL(None).syncfs(closed),
    "unlink": lambda: os.unlink("/dev/null/a"),
    "utimensat": lambda: os.utime("/dev/null/a"),
    "write": lambda: os.write(closed, b"-"),
}}
meant, names = int(sys.argv[1]), sys.argv[2].split()
del sys.argv[1:3]
forked = 0

def apart():
    for name in names if forked == meant else ():
        for _ in range({APART}):
            try:
                calls[name]()
            except OSError:
                pass

def count():
    global forked
    forked += 1

apart()
os.register_at_fork(before=count, after_in_child=apart)
runpy.run_module("assetbuild", run_name="__main__", alter_sys=True)
"""
CALLS = " ".join(re.findall(r'^    "(\w+)": lambda', LAUNCHER, re.MULTILINE))


@dataclass(frozen=True, slots=True)
class Point:
    """A system call: of which process, its name, which of that name it is in its thread, and what strace shows of it."""

    process: int
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


def command(process: int = -1, calls: str = "") -> tuple[list[str], dict[str, str]]:
    """process: the one that is meant; -1: none. calls: those that it makes first."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ASSETBUILD_")}
    environ |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "SOURCE_DATE_EPOCH": "1700000000"}
    return [sys.executable, "-c", LAUNCHER, str(process), calls, "compile", "--jobs", "1"], environ


def compiled(project: Path, *before: str, process: int = -1, calls: str = "") -> subprocess.CompletedProcess[str]:
    line, environ = command(process, calls)
    return subprocess.run([*before, *line], cwd=project, env=environ, capture_output=True, text=True, timeout=120)


def tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


class Laboratory:
    """A project whose last build is old, and what the next one makes of it when nothing goes wrong.

    first: whether there was no build before.
    """

    def __init__(self, folder: Path, *, first: bool = False) -> None:
        self.folder = folder
        self.log = folder / "log"
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

    def points(self, processes: Sequence[int] = range(4)) -> list[Point]:
        """The system calls that touch the output or the cache. processes: of these alone."""
        found = []
        for process in processes:
            self.begin()
            done = compiled(self.project, "strace", "-f", "-y", "-s", "500", "-o", str(self.log), process=process, calls=CALLS)
            assert done.returncode == 0, done.stderr
            calls = list(self.calls(process))
            # Of no other process can as much be seen: whoever has touched something is found in its turn.
            found += [point for point in calls if point.number > APART]
            total = len(calls)
        assert len(processes) < 4 or total == len(found), (
            f"{total} calls, and {len(found)} of them in the processes that are known"
        )
        return found

    def calls(self, process: int) -> Iterator[Point]:
        """Those in the log that touch the output or the cache, in order."""
        counts: Counter[tuple[str, str]] = Counter()
        touched = re.compile(re.escape(f"{self.project}/") + r"(?:dist|\.assetbuild)\b")
        for line in self.log.read_text(errors="replace").splitlines():
            if call := re.match(r"(\d+) +(\w+)\(", line):
                counts[call[1], call[2]] += 1
                if touched.search(line) and call[2] != "execve":
                    yield Point(process, call[2], counts[call[1], call[2]], line[:200])

    def fault(self, point: Point, fault: str) -> str | None:
        """What is wrong after a build that met a fault there, or "". None: no call of this number touched the output or the
        cache; how often the first process reads what a worker says, for one, is not the same each time."""
        self.begin()
        trace = ("-e", f"trace={point.call}", "-e", f"inject={point.call}:{fault}:when={point.number}")
        strace = ("strace", "-f", "-y", "-s", "500", "--seccomp-bpf", "-o", str(self.log), *trace)
        done = compiled(self.project, *strace, process=point.process, calls=point.call)
        if "Traceback" in done.stderr or "should not have happened" in done.stderr:
            return f"it does not say what went wrong: {done.stderr.strip()[-300:]}"
        wrong = self.after(done.returncode)
        met = any((one.call, one.number) == (point.call, point.number) for one in self.calls(point.process))
        return wrong if wrong or met else None

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
        if (self.project / "dist/manifest.json").exists():
            findings = [problem for problem in verify(self.project / "dist").findings if not self.awaits(problem.file, status)]
            if findings:
                return f"verify: {findings[0]}"
        if status == 0 and tree(self.project / "dist") != self.good:
            return "it says that all is well, and the artifact is another"
        again = compiled(self.project)
        if again.returncode != 0:
            return f"the next build fails: {again.stderr.strip()[-300:]}"
        return "" if tree(self.project / "dist") == self.good else "the next build makes something else"

    def awaits(self, file: str, status: int) -> bool:
        """Whether a file has a kept name and the new bytes, whose manifest was to follow when the build was killed: the one
        thing that docs/reliability.md excepts."""
        killed = status in (-signal.SIGKILL, 128 + signal.SIGKILL)
        path = self.project / "dist" / KEPT
        return killed and Path(file) == path and path.read_bytes() == self.good[KEPT]


#: Calls that change nothing; they come last.
IDLE = frozenset(("access", "close", "ioctl", "lseek", "newfstatat", "read"))


def runs(points: list[Point], faults: tuple[str, ...], every: int) -> Iterator[tuple[Point, str]]:
    """One in so many of all pairs; with many left out, each fault comes in turn."""
    pairs = [(point, fault) for point in sorted(points, key=lambda point: point.call in IDLE) for fault in faults]
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
        wrong = runs_made = missed = 0
        for name, text in _moments(laboratory, options.moments) if options.moments else _calls(laboratory, options):
            runs_made += 1
            if not runs_made % 100:
                sys.stdout.write(f"{runs_made} runs\n")
            wrong += bool(text)
            missed += text is None
            if text or text is None:
                sys.stdout.write(f"{name}: {'it was not met' if text is None else text}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{runs_made} runs, {wrong} wrong, {missed} in which the call was not met\n")
    return bool(wrong or missed)


def _moments(laboratory: Laboratory, number: int) -> Iterator[tuple[str, str]]:
    for _ in range(number):
        seconds = random.uniform(0.05, 0.8)
        yield f"killed after {seconds:.3f} s", laboratory.killed(seconds)


def _calls(laboratory: Laboratory, options: argparse.Namespace) -> Iterator[tuple[str, str | None]]:
    chosen = (options.fault,) if options.fault else FAULTS
    points = laboratory.points()
    sys.stdout.write(f"{len(points)} calls: {dict(Counter((point.process, point.call) for point in points))}\n")
    for point, fault in runs(points, chosen, options.every):
        met = (result for _ in range(5) if (result := laboratory.fault(point, fault)) is not None)
        yield f"{fault} at {point.process}:{point.call} {point.number} ({point.shown[:200]})", next(met, None)


if __name__ == "__main__":
    raise SystemExit(main())
