"""How the work grows with what there is to do, in instructions of the processor, which no other process changes.

Every case is done with a size and with four times that size, each in a process of its own that begins where this one is. Under
valgrind's cachegrind each of these leaves a count; without it the time of the processor is shown, which is only an idea of it.

    python tests/tools/steps.py                 the time of the processor, for a look
    python tests/tools/steps.py --count         instructions
    python tests/tools/steps.py --count --all   every text, and not only those of the test suite: minutes
    python tests/tools/steps.py --times 8       all sizes eight times as large
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

#: How much more work four times as much may be. What is quadratic takes sixteen times as much.
MOST = 4.5

Work = Callable[[], object]
#: From a size to the work, with all that it needs made.
Case = Callable[[int], Work]


@dataclass(frozen=True, slots=True)
class Growth:
    """What a case took, in instructions or in nanoseconds: with its size, and with four times that size."""

    once: int
    four_times: int

    @property
    def factor(self) -> float:
        return self.four_times / max(self.once, 1)


def counted(times: int = 1, only: str = "", whole: bool = False) -> dict[str, Growth]:
    """What every case takes, in instructions. Needs valgrind."""
    with tempfile.TemporaryDirectory(prefix="assetbuild-steps-") as folder:
        valgrind = [
            "valgrind",
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
            f"--log-file={folder}/%p",
        ]
        command = [
            *valgrind,
            sys.executable,
            "-I",
            "-S",
            __file__,
            "--worker",
            folder,
            "--times",
            str(times),
            "--only",
            only,
            *(["--all"] if whole else []),
        ]
        # Without hashes that differ from run to run, a count is the same every time.
        environ = {**os.environ, "PYTHONHASHSEED": "0", "ASSETBUILD_PATHS": os.pathsep.join(sys.path)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        counts: dict[str, list[int]] = {}
        for line in done.stdout.splitlines():
            pid, name = line.split(" ", 1)
            references = re.search(r"I +refs: +([0-9,]+)", (Path(folder) / pid).read_text())
            assert references is not None
            counts.setdefault(name, []).append(int(references[1].replace(",", "")))
    return {name: Growth(once - nothing, four - nothing) for name, (nothing, once, four) in counts.items()}


def timed(times: int = 1, only: str = "", whole: bool = False) -> dict[str, Growth]:
    """The same in nanoseconds of the processor, with the smaller of three each: here and now, with whatever else goes on."""
    found = {}
    for name, size, case in _cases(times, only, whole):
        took = []
        for factor in (1, 4):
            work = case(size * factor)
            took.append(min(_time(work) for _ in range(3)))
        found[name] = Growth(*took)
    return found


def _time(work: Work) -> int:
    began = time.process_time_ns()
    work()
    return time.process_time_ns() - began


def _count(times: int, only: str, whole: bool) -> None:
    """In valgrind: a process for each size of each case, and before these one that does nothing, for what this one has done."""
    cases = list(_cases(times, only, whole))
    for _, _, case in cases:
        case(2)()  # Whatever is compiled, imported and kept at the first use.
    gc.collect()
    gc.disable()  # It looks at everything, now and then.
    for name, size, case in cases:
        for work in (lambda: None, case(size), case(size * 4)):
            _alone(name, work)


def _alone(name: str, work: Work) -> None:
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"{name} failed")
    sys.stdout.write(f"{pid} {name}\n")
    sys.stdout.flush()


def _cases(times: int, only: str, whole: bool) -> Iterator[tuple[str, int, Case]]:
    from tests.tools.cases import CASES, SOME

    for name, (size, case) in CASES.items():
        if only in name and (whole or name in SOME):
            yield name, size * times, case


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--all", action="store_true", help="all cases, and not only those of the test suite")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose names hold this")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        sys.path[:] = os.environ["ASSETBUILD_PATHS"].split(os.pathsep)
        _count(given.times, given.only, given.all)
        return 0
    if given.count and not shutil.which("valgrind"):
        parser.error("--count needs valgrind")
    found: Mapping[str, Growth] = (counted if given.count else timed)(given.times, given.only, given.all)
    for name, growth in sorted(found.items(), key=lambda item: -item[1].factor):
        sys.stdout.write(f"{growth.factor:6.2f} {growth.once:14,} {growth.four_times:14,}  {name}\n")
    return int(any(growth.factor > MOST for name, growth in found.items() if name != "control"))


if __name__ == "__main__":
    sys.exit(main())
