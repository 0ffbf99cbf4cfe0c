"""The run-time half: what a look-up takes, and what importing takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks import contenders, measure
from benchmarks.contenders import Bench, Contender
from benchmarks.sections import Plan, Row, cold, corpus

# What is set up, what is looked up; {output} and {folder} are those of the job.
_DJANGO_SETUP = (
    "import os, sys; sys.path.insert(0, {folder!r}); os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
    "import django; django.setup()\n"
)
_LOOKUPS: tuple[tuple[str, Contender | None, str, str], ...] = (
    ("the loop alone", None, "", "name"),
    ("assetbuild, Assets.url()", contenders.PLAIN, "from assetbuild import Assets; url = Assets({output!r}).url", "url(name)"),
    (
        "Django, staticfiles_storage.url()",
        contenders.DJANGO,
        _DJANGO_SETUP + "from django.contrib.staticfiles.storage import staticfiles_storage; url = staticfiles_storage.url",
        "url(name)",
    ),
    (
        "Django, static() of templates",
        contenders.DJANGO,
        _DJANGO_SETUP + "from django.templatetags.static import static",
        "static(name)",
    ),
    (
        "WhiteNoise, staticfiles_storage.url()",
        contenders.WHITENOISE,
        _DJANGO_SETUP + "from django.contrib.staticfiles.storage import staticfiles_storage; url = staticfiles_storage.url",
        "url(name)",
    ),
)
_IMPORTS = (
    ("from assetbuild import Assets", "", "from assetbuild import Assets"),
    ("django.setup()", "python", "from django.conf import settings; settings.configure(); import django; django.setup()"),
    ("from whitenoise import WhiteNoise", "python", "from whitenoise import WhiteNoise"),
)


def lookups(bench: Bench, plan: Plan) -> list[Row]:
    source = corpus(bench, f"generated {plan.growth[0]}", plan.growth[0], real=False)
    names = bench.folder / "names.json"
    names.write_text(json.dumps(source.files))
    rows = []
    for name, contender, setup, call in _LOOKUPS:
        row = Row("lookups", "nanoseconds a call", name, len(source.files))
        rows.append(row)
        if contender and contender.needs and plan.offline:
            row.absent = "needs the network"
            continue
        job = contender.job(bench, source) if contender else None
        if job:
            cold(job)
        setup = setup.format(output=str(job.output), folder=str(job.folder)) if job else setup
        program = str(Path(__file__).parent / "programs" / "lookups.py")
        done = subprocess.run(
            [bench.python, program, str(names), setup, call],
            check=True,
            capture_output=True,
            text=True,
            env=measure.environment(),
        )
        row.values["nanoseconds"] = [float(line) for line in done.stdout.split()]
    return rows + _imports(bench, plan)


def _imports(bench: Bench, plan: Plan) -> list[Row]:
    """Each with a bare interpreter just before it."""
    rows = [Row("lookups", "milliseconds to import", name) for name, _, _ in _IMPORTS]
    for number in range(4 + plan.runs * 4):
        for row, (_, needs, code) in zip(rows, _IMPORTS, strict=True):
            if needs and plan.offline:
                row.absent = "needs the network"
                continue
            bare, full = (measure.run((bench.python, "-c", text), bench.folder).wall for text in ("pass", code))
            if number:
                row.values.setdefault("milliseconds", []).append((full - bare) * 1000)
    return rows
