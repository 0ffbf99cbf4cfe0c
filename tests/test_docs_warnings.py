"""The page on warnings has every warning, as it is printed. Twice: builds that provoke them print what stands there and nothing
else; and each text that the code makes a warning of is among what stands there."""

from __future__ import annotations

import ast
import itertools
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from assetbuild import cli
from tests.conftest import Project
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs/howto/warnings.md"
PACKAGE = ROOT / "assetbuild"

CONTROLS = "".join(map(chr, [*range(1, 9), *range(14, 28), 127]))

Files = Mapping[str, str | bytes]

PLAIN: Files = {
    "assetbuild.toml": 'missing = "warn"\n[filters]\n"*.old.css" = ["cssmin"]\n"script.old.tpl" = ["jsmin"]\n'
    '"script.tpl" = ["rjsmin"]\n"sheet.tpl" = ["rcssmin"]\n"loud.css" = ["loud:Loud"]\n',
    "assets/css/nav.css": "nav { color: navy }\nmain { margin: 1px/* and */auto }\n",
    "assets/js/odd.js": f"var odd = '{CONTROLS}';\n",
    "assets/css/shop.old.css": "p { margin: 1px/* and */auto }\n",
    "assets/inline/script.tpl": 'var name = "\n',
    "assets/inline/script.old.tpl": 'var name = "\n',
    "assets/inline/sheet.tpl": "p{} /* \n",
    "assets/vendor/broken.min.js": 'var name = "\n',
    "assets/site.webmanifest": '{"icons": [}',
    "assets/short.webmanifest": '{"icons": [{}',
    "assets/img/latin.svg": '<svg xmlns="http://www.w3.org/2000/svg"><title>Caf\xe9</title></svg>'.encode("latin-1"),
    "assets/img/mixed.svg": '<svg xmlns="http://www.w3.org/2000/svg"><g></svg></g>',
    "assets/img/open.svg": '<svg xmlns="http://www.w3.org/2000/svg"><g>',
    "assets/css/late.css": 'p { color: red }\n@import "nav.css";\n',
    "assets/css/lib.min.css": "p{}\n/*# sourceMappingURL=lib.css.map */\n",
    "assets/css/lost.css": "p { background: url(../img/lost.png) }\n",
    "assets/css/out.css": "p { background: url(../../logo.png) }\n",
    "assets/js/sum.js": 'const module = new URL("sum.wasm", import.meta.url);\n',
    "assets/js/sum.wasm": "",
    "loud.py": "from webassets.filter import Filter\n\n\nclass Loud(Filter):\n    def output(self, _in, out, **kw):\n"
    '        print("this option is old")\n        out.write(_in.read())\n',
    "assets/css/loud.css": "p{}",
}

BUNDLES: Files = {
    "assetbuild.toml": 'missing = "warn"\n'
    '[bundles."js/all.js"]\ncontents = ["js/a.js", "js/b.js", "lib/*.js"]\n'
    '[bundles."css/all.css"]\ncontents = ["css/a.css", "css/b.css"]\n'
    '[bundles."js/odd.js"]\ncontents = ["js/c.js"]\n[bundles."css/layers.css"]\ncontents = ["css/e.css"]\n',
    "assets/js/a.js": "start()\nfunction start() {}\n",
    "assets/js/b.js": '"use strict";\ngo()\nfunction start() {}\n',
    "assets/js/c.js": f"var odd = '{CONTROLS}';\n",
    "assets/css/a.css": 'p { color: red }\n@import "c.css";\n',
    "assets/css/b.css": "@import url(https://fonts.example.com/serif.css);\n",
    "assets/css/c.css": "i{}",
    "assets/css/d.css": "",
    "assets/css/e.css": '@import "d.css" layer;\n@import "https://fonts.example.com/sans.css" layer(fonts);\n',
    "assets/css/page.css": "@import 'a.css';\n",
}

SASS: Files = {
    "assetbuild.toml": '[filters]\n"old.scss" = ["libsass"]\n',
    "assets/css/site.scss": '@warn "use the new grid";\n@import "part";\n',
    "assets/css/_part.scss": '@warn "this part is old";\n$one: map-get((a: 1), a);\n',
    "assets/css/many.scss": '@for $i from 1 through 1001 { @warn "number #{$i}"; }\n',
    "assets/css/several.scss": '@for $i from 1 through 51 { @warn "number #{$i}"; }\n',
    "assets/css/old.scss": '@warn "use the new grid";\n',
}

YAML: Files = {
    "assetbuild.toml": 'sources = ["static"]\nbundles_from = "assets.yml"\n',
    "assets.yml": "app:\n  contents: app.js\n  filter: rjsmin\n  output: gen/app.js\n",
    "static/app.js": "start()",
}

ENVIRONMENT: Files = {
    "assetbuild.toml": 'bundles_from = "warned_site:env"\n',
    "warned_site.py": """
from webassets import Bundle, Environment
from webassets.filter import Filter
from webassets.filter.cssrewrite import CSSRewrite


class Wrap(Filter):
    name = "wrap"

    def concat(self, out, hunks, **kw):
        out.write("".join(hunk.data() for hunk, info in hunks))


env = Environment("static", "/media", debug=True)
env.register("empty", Bundle())
env.register("print", "app.css", extra={"media": "print"}, output="gen/print.css")
env.register("debugged", "app.css", debug=True, output="gen/debugged.css")
env.register("moved", "app.css", filters=CSSRewrite(replace={"/a/": "/b/"}), output="gen/moved.css")
env.register("wrapped", "app.js", filters=Wrap, output="gen/wrapped.js")
env.register("lost", "app.js", filters="rjsmin")
env.register("unused", "app.js")
env.register("twice", "app.js", "app.js", remove_duplicates=False, output="gen/twice.js")
""",
    "static/app.css": "p{}",
    "static/app.js": "start()",
}

#: What Sass says a thousand times is on the page once.
MANY = re.compile(r"Sass says: number \d+$")

#: These need an artifact with variants, and a Python that cannot read them.
NOT_PROVOKED = {
    "1 variant was not unpacked, since this Python has no module that reads zstd",
    "12 variants were not unpacked, since this Python has no module that reads zstd",
    "warning: 1 variant stays behind, since this Python has no module that reads zstd",
    "warning: 12 variants stay behind, since this Python has no module that reads zstd",
}


def lines_of_the_page() -> set[str]:
    return {line for block in blocks(PAGE) for line in block.text.splitlines()}


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> set[str]:
    capsys.readouterr()
    status = cli.main(words)
    text = capsys.readouterr().err
    assert status == 0, text
    return set(text.splitlines())


def test_builds_that_provoke_all_warnings_print_what_is_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = set(NOT_PROVOKED)
    for number, files in enumerate((PLAIN, BUNDLES, SASS, YAML, ENVIRONMENT)):
        project = Project(tmp_path / str(number)).write(files)
        monkeypatch.chdir(project.folder)
        said = printed(capsys, "compile", "--jobs", "1")
        found |= {line for line in said if line.startswith("warning: ") and not MANY.search(line)}
    monkeypatch.chdir(tmp_path / "0")
    for folder, name in (("kept", "robots.txt"), ("x", "x")):
        Project(tmp_path / folder).write({"assetbuild.toml": 'keep_names = ["*"]\nkeep = 1', f"assets/{name}": "old"})
        monkeypatch.chdir(tmp_path / folder)
        printed(capsys, "compile")
        Path("assets", name).unlink()
        Path("assets/x").mkdir()
        Path("assets/x/y.txt").write_text("new")
        words = ["--output", "other", "--previous", "dist"] if folder == "x" else []
        if not words:
            printed(capsys, "compile")
            Path("dist/robots.txt").write_text("damaged")
        found |= {line for line in printed(capsys, "compile", *words) if line.startswith("warning: ")}
    # And what `verify` notes: of a watching build's manifest, and of a build that was killed.
    manifest = tmp_path / "0/dist/manifest.json"
    monkeypatch.chdir(tmp_path / "0")
    written = json.loads(manifest.read_bytes()) | {"mode": "development"}
    del written["checksum"]
    text = json.dumps(written, indent=2, sort_keys=True, ensure_ascii=False)
    manifest.write_text(text + "\n", "utf-8")
    (tmp_path / "0/dist/.assetbuild-journal").write_bytes(b"assetbuild-journal 1\ngone.css\n")
    for left in ("", "gone.css"):
        if left:
            (tmp_path / "0/dist" / left).write_text("p{}")
        found |= {line for line in printed(capsys, "verify") if not line.endswith("all as the manifest says")}
    assert found == lines_of_the_page()


# ---- the same, from the code


class Resolved(ast.NodeVisitor):
    """Every text that a module makes a message of, as the regular expressions that it may come out as."""

    def __init__(self, file: Path) -> None:
        self.file = file.relative_to(PACKAGE).as_posix()
        self.tree = ast.parse(file.read_text("utf-8"))
        self.scopes: list[ast.AST] = [self.tree]
        self.found: list[tuple[str, str]] = []
        self.line = 0
        self.visit(self.tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scopes.append(node)
        self.generic_visit(node)
        self.scopes.pop()

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        self.line = node.lineno
        if (message := self.message(node)) is not None:
            texts = [text for text in self.texts(message) if text != ".+"]
            # What is handed on has its origin elsewhere.
            assert texts or isinstance(message, (ast.Attribute, ast.Name)), f"{self.file}:{node.lineno}: what does this say?"
            self.found += [(f"{self.file}:{node.lineno}", text) for text in texts]

    def message(self, node: ast.Call) -> ast.expr | None:
        """The argument of a call that becomes a warning's, or a note's, message."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = ast.unparse(node.func).rpartition(".")[0]
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if name == "Note":
            return node.args[1]
        if name in ("Problem", "Fault") and node.args:
            full = len(node.args) == (6 if name == "Problem" else 5) or any(isinstance(a, ast.Starred) for a in node.args)
            return node.args[-3] if full and re.search("'warning'|severity$", ast.unparse(node.args[-1])) else None
        if "message" in keywords and name == "replace":
            return next(keyword.value for keyword in node.keywords if keyword.arg == "message")
        if name == "problem" and keywords.get("warning") == "True":
            return node.args[2]
        if name == "append" and owner == "self.warnings" and isinstance(node.args[0], ast.Tuple):
            return node.args[0].elts[1]
        return node.args[0] if name == "append" and owner.endswith((".notes", "notes")) and self.file == "verify.py" else None

    def texts(self, node: ast.expr, seen: tuple[str, ...] = ()) -> list[str]:
        if isinstance(node, ast.Constant):
            return [re.escape(str(node.value))]
        if isinstance(node, ast.IfExp):
            return self.texts(node.body, seen) + self.texts(node.orelse, seen)
        if isinstance(node, ast.JoinedStr):
            parts = [self.texts(v.value if isinstance(v, ast.FormattedValue) else v, seen) for v in node.values]
            return ["".join(choice) for choice in itertools.product(*parts)]
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("sentence", "sub"):
            return self.texts(node.args[-1 if "sub" in ast.unparse(node.func) else 0], seen)
        if isinstance(node, ast.Name) and node.id not in seen:
            return self.assigned(node.id, (*seen, node.id)) or [".+"]
        return [".+"]

    def assigned(self, name: str, seen: tuple[str, ...]) -> list[str]:
        """What a name may be where the call stands: what was last assigned to it, and where that was in a branch beside the
        call's, what was before; with what was added to it."""
        scope = self.scopes[0] if name.isupper() else self.scopes[-1]
        values, added = list[str](), [""]
        end = self.line if scope is not self.tree else sys.maxsize
        steps = sorted((step for step in statements(scope) if step[0].lineno <= end), key=lambda step: -step[0].lineno)
        here = next((branches for node, branches in steps if node.lineno <= end <= (node.end_lineno or 0)), ())
        for node, branches in steps:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                values += [text for text in self.texts(node.value, seen) if text != ".+"]
                if branches == here[: len(branches)] and name not in ast.unparse(node.value):
                    break
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
                added += self.texts(node.value, seen)
        return [value + more for value in values for more in added]


Branches = tuple[tuple[int, str], ...]


def statements(scope: ast.AST, branches: Branches = ()) -> Iterator[tuple[ast.stmt, Branches]]:
    """Each statement of a function or module with the branches that it stands in; not those of functions in it."""
    for field in ("body", "orelse", "handlers", "finalbody"):
        inner = getattr(scope, field, [])
        for node in inner if isinstance(inner, list) else []:
            where = (*branches, (id(scope), field))
            if isinstance(node, ast.stmt):
                yield node, where
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield from statements(node, where)


def messages() -> Iterator[tuple[str, str]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield from Resolved(file).found


def test_every_message_that_the_code_makes_a_warning_of_is_on_the_page() -> None:
    lines = lines_of_the_page()
    found = list(messages())
    assert {"verify.py", "missing.py", "bundles/js.py", "unit.py", "assemble.py"} <= {
        place.partition(":")[0] for place, _ in found
    }
    missing = [(place, text) for place, text in found if not any(re.search(text, line) for line in lines)]
    assert missing == []


def test_every_reason_for_which_a_script_or_a_web_manifest_cannot_be_read_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    for file in [*(PACKAGE / "syntax/js").glob("*.py"), PACKAGE / "references/webmanifest.py"]:
        for reason in re.findall(r"LexError\(\"([^\"]+)\"", file.read_text("utf-8")):
            assert reason in text
