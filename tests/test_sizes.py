"""Very deep, very long, very many: each is built and verified like anything else. THOROUGH=1 has all of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.conftest import Project, toml
from tests.npm import thorough

pytestmark = pytest.mark.long

DEEP = 100_000
LONG = 50_000_000 if thorough() else 200_000
REFERENCES = 200_000 if thorough() else 2_000
FILES = 100_000 if thorough() else 400


#: Runs a command and prints the memory of its largest process, in kB: what is forked has that of its parent at first, and this
#: is a small one.
MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=2)
_, status, used = os.wait4(process.pid, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def built(project: Project, files: Mapping[str, str], top: str = "", most_megabytes: int = 300) -> str:
    """Builds and verifies by the command, with no more memory than that in any process; what was said."""
    project.write({f"assets/{name}": text for name, text in files.items()})
    project.write({"assetbuild.toml": toml(compress=[], filter_timeout=600) + top})
    said = ""
    for command in ("compile", "verify"):
        whole = [sys.executable, "-c", MEASURED, sys.executable, "-m", "assetbuild", command]
        done = subprocess.run(whole, cwd=project.folder, capture_output=True, text=True, check=False)
        said += done.stderr
        assert done.returncode == 0, said[-3000:]
        assert int(done.stdout) // 1024 < most_megabytes
    return said


NESTED = {
    "rules.css": "a{" * DEEP + "}" * DEEP,
    "blocks.js": "{" * DEEP + "}" * DEEP + "/a/",
    "objects.mjs": "import './blocks.js';x=" + "{a:" * DEEP + "1/2" + "}" * DEEP,
    "groups.svg": "<svg>" + "<g>" * DEEP + "<use href='a.svg'/>" + "</g>" * DEEP + "</svg>",
    "arrays.webmanifest": "[" * DEEP + "]" * DEEP,
    "a.svg": "<svg/>",
}
ALSO_NESTED = {
    "brackets.css": "a{b:" + "(" * DEEP + ")" * DEEP + "}",
    "functions.css": "a{b:" + "calc(" * DEEP + "1px" + ")" * DEEP + "}",
    "conditions.css": "@media a{" * DEEP + "b{c:d}" + "}" * DEEP,
    "image-sets.css": "a{b:" + "image-set(" * DEEP + "'a.txt' 1x" + ")" * DEEP + "}",
    "brackets.js": "(" * DEEP + "1" + ")" * DEEP,
    "arrays.js": "x=" + "[" * DEEP + "]" * DEEP,
    "templates.js": "x=" + "`${" * DEEP + "1" + "}`" * DEEP,
    "functions.js": "(function(){" * DEEP + "})()" * DEEP,
    "objects.webmanifest": '{"a":' * DEEP + "1" + "}" * DEEP,
}


def test_nesting_of_any_depth_is_built(project: Project) -> None:
    # The bundles of these two are as deep.
    bundles = '[bundles."all.css"]\ncontents = ["rules.css"]\npublish_parts = true\n'
    bundles += '[bundles."all.js"]\ncontents = ["blocks.js"]\npublish_parts = true\n'
    built(project, {**NESTED, **ALSO_NESTED} if thorough() else NESTED, bundles if thorough() else "")
    assert project.public("a.svg") in project.text("groups.svg")
    assert project.public("blocks.js") in project.text("objects.mjs")


LINES = {
    "a.css": ("", "a{b:url(c.png)}", ""),
    "comment.css": ("/*", "a", "*/b{c:d}"),
    "string.css": ("a{b:'", "c", "'}"),
    "a.js": ("x=[", "'a',1/2,", "3]"),
    "name.js": ("x", "x", "=1"),
    "comment.js": ("//", "a", "\nb"),
    "a.svg": ("<svg>", "<g a='b'/>", "</svg>"),
    "a.webmanifest": ("[", '"a",', "1]"),
}


def test_a_line_of_any_length_is_built(project: Project) -> None:
    lines = {name: before + unit * (LONG // len(unit)) + behind for name, (before, unit, behind) in LINES.items()}
    built(project, {**lines, "c.png": ""}, most_megabytes=200 + LONG // 20_000)
    assert project.text("a.css").count(project.public("c.png")) == LONG // len("a{b:url(c.png)}")


MANY = {
    "a.css": ("", "a{{b:url(c{}.txt)}}", ""),
    "b.css": ("", "@import 'd{}.css';", ""),
    "a.mjs": ("", "import './e{}.js';", ""),
    "a.svg": ("<svg>", "<image href='c{}.txt'/>", "</svg>"),
    "a.webmanifest": ('{"icons":[', '{{"src":"c{}.txt"}},', "{}]}"),
}


def test_any_number_of_references_is_linked(project: Project) -> None:
    others = {f"{start}{n}.{suffix}": "" for n in range(100) for start, suffix in (("c", "txt"), ("d", "css"), ("e", "js"))}
    texts = {
        name: before + "".join(unit.format(n % 100) for n in range(REFERENCES)) + behind
        for name, (before, unit, behind) in MANY.items()
    }
    built(project, {**texts, **others}, most_megabytes=150 + REFERENCES // 100)
    for name in MANY:
        published = project.text(name)
        assert sum(published.count(entry["path"]) for entry in project.manifest["assets"].values()) == REFERENCES


def test_any_number_of_references_that_name_nothing_is_told(project: Project) -> None:
    text = "".join(f"a{{b:url(c{n}.txt)}}\n" for n in range(REFERENCES))
    said = built(project, {"a.css": text}, 'missing = "warn"\n', most_megabytes=150 + REFERENCES // 100)
    assert said.count("is in no source root") == REFERENCES


def test_any_number_of_files_is_built(project: Project) -> None:
    kinds = {"txt": "{}", "css": "a{{b:url({}.txt)}}", "js": "x({})", "svg": "<svg><image href='{}.txt'/></svg>"}
    for number in range(FILES // 4):
        for suffix, text in kinds.items():
            file = project.folder / f"assets/{number % 100}/{number}.{suffix}"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.format(number))
    built(project, {}, most_megabytes=150 + FILES // 100)
    assert len(project.manifest["assets"]) == FILES // 4 * 4
