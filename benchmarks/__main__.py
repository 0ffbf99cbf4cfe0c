"""`python -m benchmarks`: what is needed is installed below benchmarks/.work, and what is asked for is run and written down."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import runtime, sections, table, watching
from benchmarks.contenders import Bench
from benchmarks.sections import Plan, say

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"

SECTIONS = {
    "plain": sections.plain,
    "minified": sections.minified,
    "compressed": sections.compressed,
    "memory": sections.memory,
    "growth": sections.growth,
    "lookups": runtime.lookups,
    "watch": watching.watch,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    options = _options(arguments)
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    bench = Bench(work, sys.executable, None) if options.offline else _installed(work)
    growth = tuple(options.growth) or ((1_000, 10_000) if options.quick else (1_000, 10_000, 100_000))
    plan = Plan(options.files, growth, options.runs or (3 if options.quick else 5), options.quick, options.offline)
    facts, begin = _machine(bench), time.monotonic()
    rows: list[sections.Row] = []
    for name in options.sections:
        rows += SECTIONS[name](bench, plan)
        # Half an hour's work is not lost when a later section fails.
        (work / "results.json").write_text(json.dumps({"facts": facts, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    facts["run"] = f"{'--quick, ' if plan.quick else ''}{', '.join(options.sections)}; {time.monotonic() - begin:.0f} s in all"
    facts |= _versions(bench)
    text = table.figures(rows, facts)
    (work / "results.json").write_text(json.dumps({"facts": facts, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    (work / "table.md").write_text(text, "utf-8")
    if options.docs:
        PAGE.write_text(table.page(PAGE.read_text("utf-8"), text), "utf-8")
    shutil.rmtree(work / "jobs")
    sys.stdout.write(text)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, and no corpus of 100,000 files: a few minutes")
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/benchmarks.md")
    parser.add_argument("--files", type=int, default=10_000, metavar="N", help="files of the largest corpus of real files")
    parser.add_argument("--growth", type=int, nargs="+", default=(), metavar="N", help="numbers of files of the section growth")
    parser.add_argument("--runs", type=int, default=0, metavar="N", help="runs of each contender")
    parser.add_argument("--sections", nargs="+", default=list(SECTIONS), choices=list(SECTIONS), metavar="NAME")
    parser.add_argument("--work", type=Path, default=HERE / ".work", metavar="DIR", help="where all of it is kept")
    parser.add_argument("--offline", action="store_true", help="this interpreter, generated files, and no peer")
    return parser.parse_args(arguments)


def _installed(work: Path) -> Bench:
    """The peers at the versions of requirements.txt and package.json, and assetbuild as it is in this clone."""
    venv, wanted = work / "venv", (HERE / "requirements.txt").read_text() + (HERE / "package.json").read_text()
    python, stamp = venv / "bin" / "python", work / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        say("installing the peers")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        packages = ["-r", str(HERE / "requirements.txt"), "-e", f"{HERE.parent}[build]"]
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
        (work / "package.json").write_bytes((HERE / "package.json").read_bytes())
        quiet = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
        subprocess.run(["npm", "install", *quiet], cwd=work, check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return Bench(work, str(python), work / "node_modules")


def _machine(bench: Bench) -> dict[str, Any]:
    """Its kind: nothing that would tell one machine from another of its kind."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    system = max((one for one in mounts if bench.folder.is_relative_to(one[0])), key=lambda one: len(one[0]))[1]
    release = re.match(r"[\d.]*\d", platform.release())
    return {
        "day": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{len(os.sched_getaffinity(0))} cores ({model[1] if model else platform.machine()}), {memory:.0f} GB, "
        f"Linux {release[0] if release else ''}, {system}",
        "load before the run": f"{os.getloadavg()[0]:.2f}",
    }


def _versions(bench: Bench) -> dict[str, str]:
    names = ["assetbuild", *re.findall(r"^([\w-]+)==", (HERE / "requirements.txt").read_text(), re.MULTILINE)]
    code = (
        "import importlib.metadata as m, json, platform, sys\n"
        "def version(name):\n    try: return m.version(name)\n    except m.PackageNotFoundError: return None\n"
        "print(json.dumps({'Python': platform.python_version()} | {name: version(name) for name in sys.argv[1:]}))"
    )
    done = subprocess.run([bench.python, "-c", code, *names], check=True, capture_output=True, text=True)
    found = {name: version for name, version in json.loads(done.stdout).items() if version}
    if bench.modules:
        found["Node.js"] = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
        for name in json.loads((HERE / "package.json").read_text())["dependencies"]:
            found[name] = json.loads((bench.modules / name / "package.json").read_text())["version"]
    return {"versions": ", ".join(f"{name} {version}" for name, version in found.items())}


if __name__ == "__main__":
    sys.exit(main())
