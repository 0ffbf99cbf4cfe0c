from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from assetbuild.errors import AssetbuildError, BuildError, ConfigError
from assetbuild.verify import verify
from tests.conftest import Project, toml

NONE = toml(sources=["assets"]) + '[filters]\n"**/*" = []\n'

SITE: dict[str, str | bytes] = {
    "assets/css/app.css": '@import "base.css";\nbody { background: url(../img/a.png) }\n',
    "assets/css/base.css": "p { color: red }\n",
    "assets/img/a.png": b"\x89PNG\r\n\x1a\n not really",
    "assets/js/app.js": 'import { b } from "./b.js";\nb();\n',
    "assets/js/b.js": 'import "./app.js";\nexport function b() {}\n',
    "assets/LICENSE": "free\n",
}


def fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def test_a_site_is_compiled_and_verifies(project: Project) -> None:
    result = project.write(SITE).compile()
    assert sorted(result.manifest["assets"]) == [
        "LICENSE",
        "css/app.css",
        "css/base.css",
        "img/a.png",
        "js/app.js",
        "js/b.js",
    ]
    assert verify(project.folder / "dist").findings == ()
    assert result.warnings == ()


def test_sha256sum_of_a_file_shows_its_fingerprint(project: Project) -> None:
    project.write(SITE).compile()
    for path, entry in project.manifest["assets"].items():
        data = (project.folder / "dist" / entry["path"]).read_bytes()
        if "group" not in entry:
            assert f".{fingerprint(data)}" in entry["path"]
        assert entry["size"] == len(data)
        assert entry["integrity"] == "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()
        assert path.rpartition("/")[0] == entry["path"].rpartition("/")[0]


def test_references_become_the_final_names(project: Project) -> None:
    project.write(SITE | {"assetbuild.toml": NONE}).compile()
    a, base = project.public("img/a.png"), project.public("css/base.css")
    assert project.text("css/app.css") == f'@import "{Path(base).name}";\nbody {{ background: url(../{a}) }}\n'
    assert project.text("js/app.js") == f'import {{ b }} from "./{Path(project.public("js/b.js")).name}";\nb();\n'


def test_modules_that_import_one_another_share_a_fingerprint(project: Project) -> None:
    project.write(SITE).compile()
    entries = project.manifest["assets"]
    app, b = entries["js/app.js"], entries["js/b.js"]
    assert app["group"] == b["group"]
    assert app["path"].split(".")[1] == b["path"].split(".")[1] == app["group"].removeprefix("sha256-")[:12]
    assert "group" not in entries["css/app.css"]


def test_a_changed_image_renames_what_names_it_and_nothing_else(project: Project) -> None:
    project.write(SITE).compile()
    before = {path: entry["path"] for path, entry in project.manifest["assets"].items()}
    project.write({"assets/img/a.png": b"other"}).compile()
    after = {path: entry["path"] for path, entry in project.manifest["assets"].items()}
    assert {path for path in after if after[path] != before[path]} == {"img/a.png", "css/app.css"}


def test_a_second_build_with_nothing_changed_writes_nothing(project: Project) -> None:
    project.write(SITE).compile()
    before = {p: p.stat().st_mtime_ns for p in (project.folder / "dist").rglob("*")}
    result = project.compile()
    assert (result.written, result.removed, result.unchanged) == ((), (), True)
    assert {p: p.stat().st_mtime_ns for p in (project.folder / "dist").rglob("*")} == before


def test_the_digest_is_what_sha256sum_prints_hashed(project: Project) -> None:
    project.write(SITE).compile()
    lines = [f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(project.tree().items())]
    text = "".join(line for line in lines if not line.endswith("  manifest.json\n"))
    assert project.manifest["digest"] == "sha256-" + hashlib.sha256(text.encode()).hexdigest()


def test_the_artifact_does_not_depend_on_folder_workers_or_what_was_there(tmp_path: Path) -> None:
    trees = []
    for name, jobs in (("one", 1), ("two/deeper", 4), ("drei", None)):
        project = Project(tmp_path / name)
        project.write(SITE).compile(jobs=jobs)
        trees.append(project.tree())
    project.write({"assets/extra.css": "a {}"}).compile()
    (project.folder / "assets/extra.css").unlink()
    project.compile()
    trees.append(project.tree())
    assert all(tree == trees[0] for tree in trees)


def test_several_roots_are_one_tree_and_the_first_wins(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": toml(sources=["mine", "theirs"]),
            "mine/app.css": "@import 'theirs.css'; a { color: mine }",
            "theirs/app.css": "a { color: theirs }",
            "theirs/theirs.css": "a { b: url(x.png) }",
            "mine/x.png": "mine",
        }
    ).compile()
    assert set(project.manifest["assets"]) == {"app.css", "theirs.css", "x.png"}
    assert "mine" in project.text("app.css")
    assert project.public("x.png") in project.text("theirs.css")


def test_a_kept_name_is_linked_and_published_under_its_own_name(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": toml(keep_names=["robots.txt", "sw.js", ".well-known/**"]),
            "assets/robots.txt": "User-agent: *\n",
            "assets/sw.js": 'import("./a.js")\n',
            "assets/a.js": "export {}\n",
            "assets/.well-known/security.txt": "x",
            "assets/.well-known/.hidden": "y",
            "assets/.git/config": "z",
        }
    ).compile()
    tree = project.tree()
    assert set(project.manifest["assets"]) == {
        "robots.txt",
        "sw.js",
        "a.js",
        ".well-known/security.txt",
        ".well-known/.hidden",
    }
    assert tree["robots.txt"] == b"User-agent: *\n"
    assert Path(project.public("a.js")).name.encode() in tree["sw.js"]
    assert verify(project.folder / "dist").findings == ()


@pytest.mark.parametrize(
    "name", [".hidden.css", "a.css~", "#a.css#", "x.swp", "_partial.scss", "node_modules/x/a.js", ".git/a.css", "a.orig"]
)
def test_what_no_one_means_to_publish_is_passed_over(project: Project, name: str) -> None:
    project.write({"assets/a.css": "a {}", f"assets/{name}": "b {}"}).compile()
    assert set(project.manifest["assets"]) == {"a.css"}


def test_excluded_files_are_no_sources(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": toml(exclude=["*.psd", "drafts/**"]),
            "assets/a.css": "",
            "assets/x/a.psd": "",
            "assets/drafts/b": "",
        }
    ).compile()
    assert set(project.manifest["assets"]) == {"a.css"}


def test_an_empty_root_gives_an_empty_artifact(project: Project) -> None:
    assert project.compile().manifest["assets"] == {}
    assert set(project.tree()) == {"manifest.json"}


LIMITED = """
import resource, sys
from pathlib import Path
from assetbuild import config
from assetbuild import compile as build
resource.setrlimit(resource.RLIMIT_AS, (300_000_000, 300_000_000))
build.compile(config.load(cwd=Path(sys.argv[1])))
"""


def test_a_file_larger_than_the_memory_is_compiled(project: Project) -> None:
    with (project.folder / "assets/big.bin").open("wb") as file:
        file.truncate(400_000_000)  # A hole: it takes no disk.
    subprocess.run([sys.executable, "-c", LIMITED, str(project.folder)], check=True)
    assert project.manifest["assets"]["big.bin"]["size"] == 400_000_000


# What is refused


def problems(project: Project, kind: type[AssetbuildError] = BuildError) -> list[str]:
    before = project.tree() if (project.folder / "dist").exists() else None
    with pytest.raises(kind) as caught:
        project.compile()
    assert type(caught.value) is kind
    after = project.tree() if (project.folder / "dist").exists() else None
    assert before == after, "a failed build leaves the artifact as it was"
    return [re.sub(r"(?:\.\./)+tmp/\S*?/(?=assets)", "", str(problem)) for problem in caught.value.problems]


@pytest.fixture(autouse=True)
def in_the_project(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "project" in request.fixturenames:
        monkeypatch.chdir(request.getfixturevalue("project").folder)


def test_all_missing_references_of_a_build_are_in_one_report(project: Project) -> None:
    project.write(SITE).compile()
    project.write(
        {
            "assets/css/app.css": "a {\n  b: url(../img/A.png);\n  c: url('nowhere.png')\n}\n",
            "assets/js/app.js": 'import "./c.js";\nimport("./b");\n',
        }
    )
    assert problems(project) == [
        'assets/css/app.css:2:10: "../img/A.png" is in no source root; "../img/a.png" differs in letter case only',
        'assets/css/app.css:3:11: "nowhere.png" is in no source root; '
        "put it there, or let it pass by `missing` in the configuration",
        'assets/js/app.js:1:9: "./c.js" is in no source root; did you mean "./b.js"?',
        'assets/js/app.js:2:9: "./b" is in no source root; "./b.js" is there: browsers add nothing to a name',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("url(../../x.png)", '"../../x.png" climbs out of the tree'),
        ("url(img/a.png)", '"img/a.png" is in no source root; "../img/a.png" is there'),
        ("url(/static/a.png)", '"/static/a.png" is in no source root; did you mean "../img/a.png"?'),
        ("url(b/../bse.css)", '"b/../bse.css" is in no source root; did you mean "base.css"?'),
        ("url(/static/img/A.png)", '"/static/img/A.png" is in no source root; "../img/a.png" differs in letter case only'),
        ("url(/static/css/bse.css)", '"/static/css/bse.css" is in no source root; did you mean "base.css"?'),
        ("url(x.psd)", '"x.psd" is in no source root; the file is there but excluded'),
        ("url(/static/css/x.psd)", '"/static/css/x.psd" is in no source root; the file is there but excluded'),
        (
            "url(../node_modules/a.png)",
            '"../node_modules/a.png" is in no source root; whatever is in the folder "node_modules" is',
        ),
        ("url(old/b/a.gif)", '"old/b/a.gif" is in no source root; whatever is in the folder "css/old" is passed over'),
        ("url(theme.scss)", '"theme.scss" is in no source root; it is compiled to "theme.css"'),
    ],
)
def test_a_missing_reference_says_what_helps(project: Project, text: str, said: str) -> None:
    project.write(SITE)
    project.write(
        {
            "assetbuild.toml": toml(exclude=["*.psd", "css/old/"]),
            "assets/css/x.psd": "",
            "assets/css/old/b/a.gif": "",
            "assets/node_modules/a.png": "",
            "assets/css/theme.scss": "",
            "assets/css/app.css": f"a {{ b: {text} }}",
        }
    )
    (message,) = problems(project)
    assert message.startswith("assets/css/app.css:1:12: " + said)


def test_a_url_without_a_dot_that_names_a_file_of_another_name_is_warned_of_as_long_as_it_does(project: Project) -> None:
    script = 'f(new URL("a.wasm",import.meta.url),new URL("kept.wasm",import.meta.url),new URL("b.wasm?c",import.meta.url));'
    project.write({"assetbuild.toml": 'keep_names = ["kept.wasm"]\n', "assets/js/a.js": f"/* a */\n{script}"})
    project.write({"assets/js/a.wasm": "", "assets/js/kept.wasm": ""})

    def told() -> list[str]:
        warnings = [str(warning).rpartition("assets/js/a.js:")[2] for warning in project.compile().warnings]
        return [warning.partition(" in new URL()")[0] for warning in warnings]

    assert told() == ['2:12: "a.wasm"']
    assert project.text("js/a.js") == script
    assert told() == ['2:12: "a.wasm"']
    project.write({"assets/js/b.wasm": ""})
    (project.folder / "assets/js/a.wasm").unlink()
    assert told() == ['2:83: "b.wasm"']
    shutil.rmtree(project.folder / "dist")
    assert told() == ['2:83: "b.wasm"']  # From the cache.
    (project.folder / "assets/js/b.wasm").unlink()
    assert told() == []
    project.write({"assets/js/a.wasm": ""})
    assert told() == ['2:12: "a.wasm"']


def test_the_missing_policy_lets_references_pass_and_the_manifest_tells(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": '[missing]\n"vendor/**" = "ignore"\n"warn.css" = "warn"\n',
            "assets/vendor/a.css": "a { b: url(gone.png) }",
            "assets/warn.css": "a { b: url(gone.png?x#y) }",
        }
    )
    result = project.compile()
    assert [str(w).partition(":")[2] for w in result.warnings] == ['1:12: "gone.png" is in no source root']
    assert project.manifest["assets"]["vendor/a.css"]["missing"] == ["gone.png"]
    assert project.manifest["assets"]["warn.css"]["missing"] == ["gone.png"]
    assert "url(gone.png?x#y)" in project.text("warn.css")
    assert verify(project.folder / "dist").findings == ()


def test_a_missing_source_map_is_a_warning_and_its_comment_goes(project: Project) -> None:
    project.write({"assets/a.min.js": "a();\n//# sourceMappingURL=a.min.js.map\n"})
    (warning,) = project.compile().warnings
    assert str(warning) == 'assets/a.min.js:2:22: the source map "a.min.js.map" is in no source root; its comment is dropped'
    assert "sourceMappingURL" not in project.text("a.min.js")


def test_what_a_dropped_comment_of_a_source_map_parted_stays_parted(project: Project) -> None:
    script = "function a(){return/*# sourceMappingURL=gone.map\n*/1}"
    project.write({"assets/a.min.js": script, "assets/b.min.css": "a/*# sourceMappingURL=gone.map */.b{}"}).compile()
    assert project.text("a.min.js") == "function a(){return\n1}"
    assert project.text("b.min.css") == "a/**/.b{}"
    shutil.rmtree(project.folder / "dist")
    project.compile()  # by what the cache has kept
    assert project.text("a.min.js") == "function a(){return\n1}"
    assert project.text("b.min.css") == "a/**/.b{}"


def test_a_source_map_that_is_there_is_linked(project: Project) -> None:
    project.write({"assets/a.min.js": "a();\n//# sourceMappingURL=a.min.js.map\n", "assets/a.min.js.map": "{}"}).compile()
    assert project.public("a.min.js.map") == f"a.min.js.{fingerprint(b'{}')}.map"
    assert f"//# sourceMappingURL={project.public('a.min.js.map')}\n" in project.text("a.min.js")


def test_a_filtered_file_loses_the_comment_that_names_a_map_of_its_source(project: Project) -> None:
    project.write({"assets/a.js": "a (  1 );\n//# sourceMappingURL=a.js.map\n", "assets/a.js.map": "{}"}).compile()
    assert project.text("a.js") == "a(1);"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.css", b"a {}\n/* \xff */", "assets/a.css:2:4: byte 0xff at position 8 is not UTF-8"),
        ("a.js", b"x\r\n'\xc3\xa9\xe9'", "assets/a.js:2:3: byte 0xe9 at position 6 is not UTF-8"),
        ("a.css", b"a {}\n  /* no end", "assets/a.css:2:3: "),
        ("a.css", b'a { b: "no end }\n', "assets/a.css:1:8: "),
    ],
)
def test_a_source_that_cannot_be_read_as_its_language_is_an_error_with_its_place(
    project: Project, name: str, content: bytes, said: str
) -> None:
    project.write(SITE).compile()
    project.write({f"assets/{name}": content})
    (message,) = problems(project)
    assert message.startswith(said)


def test_script_that_does_not_lex_is_published_untouched_with_a_warning(project: Project) -> None:
    text = 'import "./nowhere.js";\nvar a = "no end\n'
    project.write({"assets/a.js": text})
    (warning,) = project.compile().warnings
    assert str(warning).startswith("assets/a.js:2:9: ")
    assert project.text("a.js") == text


def test_bad_files_of_several_kinds_are_reported_together(project: Project) -> None:
    project.write({"assets/a.css": b"\xff", "assets/b.css": "a { b: url(x.png) }", "assets/c.css": "/*"})
    assert [message.split(":")[0] for message in problems(project)] == ["assets/a.css", "assets/b.css", "assets/c.css"]


def test_an_image_in_an_old_encoding_is_copied_as_it_is(project: Project) -> None:
    svg = '<?xml version="1.0" encoding="ISO-8859-1"?><svg><title>é</title></svg>'.encode("latin-1")
    project.write({"assets/a.svg": svg}).compile()
    assert project.published("a.svg") == svg


def test_names_that_differ_in_case_only_are_an_error_that_names_both(project: Project) -> None:
    project.write({"assets/Logo.png": "a", "assets/logo.png": "b"})
    (message,) = problems(project)
    assert "assets/Logo.png" in message
    assert "assets/logo.png" in message


def test_normal_forms_of_one_name_are_an_error(project: Project) -> None:
    project.write({"assets/\u00e9.png": "a", "assets/e\u0301.png": "b"})
    (message,) = problems(project)
    assert "Unicode form" in message


def test_two_sources_that_become_one_file_are_an_error_that_names_both(project: Project) -> None:
    project.write({"assets/site.scss": "", "assets/site.css": ""})
    (message,) = problems(project)
    assert "assets/site.scss" in message
    assert "assets/site.css" in message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"bad\xff.css", "not UTF-8"),
        (b"bad\x01.css", "control characters"),
        (b"bad\n.css", "control characters"),
        (b"bad\\x.css", "backslash"),
        ("é".encode() * 122 + b".css", "no room"),
    ],
)
def test_a_name_that_cannot_be_published_is_an_error_that_shows_it_escaped(project: Project, name: bytes, said: str) -> None:
    with open(os.path.join(os.fsencode(project.folder), b"assets", name), "wb"):
        pass
    (message,) = problems(project)
    assert said in message
    assert message.isprintable()


def test_the_longest_name_that_is_allowed_is_published(project: Project) -> None:
    name = "a" * (255 - 13 - 4 - 4) + ".css"
    project.write({f"assets/{name}": "a {}"}).compile()
    assert len(project.public(name)) == 251


# Symbolic links and what is no file


def test_a_link_to_a_file_inside_the_roots_counts_as_that_file(project: Project) -> None:
    project.write({"assets/a.css": "a {}"})
    (project.folder / "assets/b.css").symlink_to("a.css")
    project.compile()
    assert project.published("b.css") == project.published("a.css")


def test_a_link_to_a_folder_inside_the_roots_is_followed_once(project: Project) -> None:
    project.write({"assets/one/a.css": "a {}"})
    (project.folder / "assets/two").symlink_to("one")
    project.compile()
    assert set(project.manifest["assets"]) == {"one/a.css", "two/a.css"}


def test_a_root_may_itself_be_a_link(project: Project) -> None:
    project.write({"assetbuild.toml": toml(sources=["link"]), "real/a.css": "a {}"})
    (project.folder / "link").symlink_to("real")
    project.compile()
    assert set(project.manifest["assets"]) == {"a.css"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("../outside.css", "leads out of the source roots"),
        ("nowhere.css", "leads nowhere"),
        ("link.css", "a loop"),
        (".", "a loop"),
        ("../assets", "a loop"),
    ],
)
def test_a_link_that_leads_astray_is_an_error_that_names_it(project: Project, target: str, said: str) -> None:
    project.write({"outside.css": "secret"})
    (project.folder / "assets/link.css").symlink_to(target)
    (message,) = problems(project)
    assert message.startswith("assets/link.css: ")
    assert said in message


def test_an_excluded_link_that_is_a_loop_is_excluded(project: Project) -> None:
    project.write({"assets/a.css": "a{}"})
    (project.folder / "assets/.loop").symlink_to(".loop")
    project.compile()
    assert set(project.manifest["assets"]) == {"a.css"}


def test_a_folder_called_as_the_manifest_is_an_error_that_names_it(project: Project) -> None:
    project.write({"assets/manifest.json/a.css": "a{}", "assets/js/manifest.json": "{}"})
    (message,) = problems(project)
    assert message.startswith("assets/manifest.json/a.css: the artifact has its manifest where the folder")


def test_follow_symlinks_lets_links_lead_out(project: Project) -> None:
    project.write({"assetbuild.toml": toml(follow_symlinks=True), "outside.css": "a{}", "far/b.css": "b{}"})
    (project.folder / "assets/link.css").symlink_to("../outside.css")
    (project.folder / "assets/far").symlink_to("../far")
    project.compile()
    assert set(project.manifest["assets"]) == {"link.css", "far/b.css"}


def test_a_named_pipe_is_an_error_that_names_it(project: Project) -> None:
    os.mkfifo(project.folder / "assets/pipe.css")
    (message,) = problems(project)
    assert message.startswith("assets/pipe.css: this is a named pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_an_error_that_names_it(project: Project) -> None:
    project.write({"assets/a.css": "a {}"})
    (project.folder / "assets/a.css").chmod(0)
    (message,) = problems(project)
    assert message.startswith("assets/a.css: this file cannot be read")


# Output


def test_keep_names_may_not_take_the_manifests_name(project: Project) -> None:
    project.write({"assetbuild.toml": toml(keep_names=["manifest.json"]), "assets/manifest.json": "{}"})
    (message,) = problems(project, ConfigError)
    assert message.startswith("assets/manifest.json: ")


def test_a_source_that_is_called_manifest_json_gets_a_fingerprint_like_any_other(project: Project) -> None:
    project.write({"assets/manifest.json": "{}"}).compile()
    assert project.public("manifest.json") == f"manifest.{fingerprint(b'{}')}.json"


def test_a_kept_name_that_is_another_files_public_path_is_an_error(project: Project) -> None:
    taken = f"a.{fingerprint(b'x')}.txt"
    project.write({"assetbuild.toml": toml(keep_names=[taken]), "assets/a.txt": "x", f"assets/{taken}": "y"})
    (message,) = problems(project)
    assert "public path" in message


def test_a_folder_with_files_of_others_is_refused(project: Project) -> None:
    project.write({"assets/a.css": "", "dist/index.html": "precious"})
    (message,) = problems(project, ConfigError)
    assert message.startswith("dist: ")


# Filters


def test_minified_files_are_passed_by(project: Project) -> None:
    text = "a   (  1  );\n"
    project.write({"assets/a.min.js": text, "assets/b.js": text}).compile()
    assert project.text("a.min.js") == text
    assert project.text("b.js") == "a(1);"


def test_bang_comments_stay(project: Project) -> None:
    project.write(
        {"assets/a.css": "/*! keep */\n/* drop */\na { }\n", "assets/a.js": "/*! keep */\n/* drop */\na( )\n"}
    ).compile()
    assert "/*! keep */" in project.text("a.css")
    assert "/*! keep */" in project.text("a.js")
    assert "drop" not in project.text("a.css") + project.text("a.js")


def test_a_chain_of_ones_own_is_the_whole_chain(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": '[filters]\n"*.css" = ["shout:Upper"]\n',
            "shout.py": "from webassets.filter import Filter\n\nclass Upper(Filter):\n"
            "    def output(self, _in, out, **kw):\n        out.write(_in.read().upper())\n",
            "assets/a.css": "a  { b: url(c.png) }",
            "assets/C.PNG": "x",
        }
    ).compile()
    assert project.text("a.css") == f"A  {{ B: URL({project.public('C.PNG')}) }}"


@pytest.mark.parametrize("name", ["no-such-filter", "no.such.module:Filter", "json:JSONDecoder"])
def test_a_filter_that_is_not_to_be_had_is_a_configuration_error(project: Project, name: str) -> None:
    project.write({"assetbuild.toml": f'[filters]\n"*.css" = ["{name}"]\n', "assets/a.css": "", "assets/b.css": ""})
    (message,) = problems(project, ConfigError)
    assert name in message


def test_a_language_that_browsers_do_not_read_wants_a_filter(project: Project) -> None:
    project.write({"assets/a.less": "", "assets/b.coffee": ""})
    assert ["less" in problem or "coffee" in problem for problem in problems(project, ConfigError)] == [True, True]


def test_sass_is_compiled_and_its_references_are_linked_from_the_entry(project: Project) -> None:
    project.write(
        {
            "assets/css/site.scss": "@import 'parts/colors';\n.a { .b { color: $ink; background: url(../img/a.png) } }\n",
            "assets/css/parts/_colors.scss": "$ink: #123456;\n",
            "assets/img/a.png": b"x",
        }
    ).compile()
    assert set(project.manifest["assets"]) == {"css/site.css", "img/a.png"}
    assert project.text("css/site.css") == f".a .b{{color:#123456;background:url(../{project.public('img/a.png')})}}"


def test_a_filter_that_hangs_is_stopped_and_named(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": 'filter_timeout = 1\n[filters]\n"a.css" = ["slow:Slow"]\n',
            "slow.py": "import time\nfrom webassets.filter import Filter\n\nclass Slow(Filter):\n"
            "    def output(self, _in, out, **kw):\n        time.sleep(600)\n",
            "assets/a.css": "",
            "assets/b.css": "",
        }
    )
    (message,) = problems(project)
    assert message.startswith("assets/a.css: slow:Slow: took longer than 1 s")


def test_a_filter_that_is_stopped_leaves_no_temporary_files(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    project.write(
        {
            "assetbuild.toml": 'filter_timeout = 1\n[filters]\n"a.css" = ["slow:Slow"]\n',
            "slow.py": "import tempfile, time\nfrom webassets.filter import Filter\n\nclass Slow(Filter):\n"
            "    def output(self, _in, out, **kw):\n        tempfile.mkdtemp()\n        time.sleep(600)\n",
            "assets/a.css": "",
        }
    )
    assert len(problems(project)) == 1
    assert os.listdir(temporary) == []


def test_what_no_filter_touches_takes_as_long_as_it_takes(project: Project) -> None:
    project.write({"assetbuild.toml": "filter_timeout = 0.001\n"})
    with (project.folder / "assets/huge.bin").open("wb") as file:
        file.truncate(1 << 25)
    project.compile()
    assert project.manifest["assets"]["huge.bin"]["size"] == 1 << 25


def test_a_filter_that_crashes_is_named(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": '[filters]\n"a.css" = ["crash:Crash"]\n',
            "crash.py": "import os\nfrom webassets.filter import Filter\n\nclass Crash(Filter):\n"
            "    def output(self, _in, out, **kw):\n        os._exit(5)\n",
            "assets/a.css": "",
            "assets/b.css": "",
        }
    )
    (message,) = problems(project)
    assert message.startswith("assets/a.css: crash:Crash: crashed (exit status 5)")


@pytest.mark.parametrize(("name", "text"), [("a.js", "var a = 'text';"), ("a.css", "a{b:'text'}")])
def test_what_a_filter_breaks_is_an_error_that_names_it(project: Project, name: str, text: str) -> None:
    project.write(
        {
            "assetbuild.toml": '[filters]\n"*" = ["half:Half"]\n',
            "half.py": "from webassets.filter import Filter\n\nclass Half(Filter):\n"
            "    def output(self, _in, out, **kw):\n        out.write(_in.read()[:9])\n",
            f"assets/{name}": text,
        }
    )
    (message,) = problems(project)
    assert message.startswith(f"assets/{name}: what half:Half made of this file is broken")


def test_an_import_that_comes_too_late_is_warned_of_at_its_place(project: Project) -> None:
    project.write({"assets/a.css": "a { }\n\n  @import 'b.css';\n"})
    (warning,) = project.compile().warnings
    assert str(warning).startswith("assets/a.css:3:3: ")


# ---- roots with a prefix


def test_a_root_with_a_prefix_is_a_folder_of_the_tree(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": 'sources = ["assets", {path = "lib", prefix = "vendor/lib"}]\nbase_url = "/s/"\n'
            '[webassets]\nDART_SASS_LOAD_PATHS = ["lib/scss"]\n',
            "assets/site.scss": '@use "vendor/lib/scss/mixins"; @use "colours"; a { color: colours.$ink }',
            "assets/app.css": "@import 'vendor/lib/lib.css';",
            "lib/lib.css": "a{b:url(img/a.png)} c{d:url(../../own.png)} e{f:url(/s/vendor/lib/img/a.png)}",
            "lib/own.scss": '@use "scss/mixins";',
            "lib/scss/_mixins.scss": ".m { n: o }",
            "lib/scss/_colours.scss": "$ink: black;",
            "lib/img/a.png": b"png",
            "assets/own.png": b"own",
        }
    )
    project.compile()
    png = project.public("vendor/lib/img/a.png").removeprefix("vendor/lib/")
    assert png.startswith("img/a.")
    own = project.public("own.png")
    assert project.text("vendor/lib/lib.css") == f"a{{b:url({png})}}c{{d:url(../../{own})}}e{{f:url({png})}}"
    assert project.public("vendor/lib/lib.css") in project.text("app.css")
    assert project.text("vendor/lib/own.css") == ".m{n:o}"
    assert project.text("site.css") == ".m{n:o}a{color:black}"


def test_a_change_below_a_prefix_reaches_what_refers_to_it_and_no_more(project: Project) -> None:
    toml = 'sources = ["assets", {path = "lib", prefix = "vendor"}]\n'
    files = {"assets/app.css": "@import 'vendor/lib.css';", "assets/b.css": "b{}", "lib/lib.css": "a{}", "lib/c.css": "c{}"}
    project.write({"assetbuild.toml": toml, **files}).compile()
    result = project.write({"lib/lib.css": "changed{}"}).compile()
    assert {name.split(".")[0] for name in result.written} == {"app", "vendor/lib"}
    project.write({"assetbuild.toml": toml.replace("vendor", "other"), "assets/app.css": "@import 'other/lib.css';"}).compile()
    assert sorted(project.manifest["assets"]) == ["app.css", "b.css", "other/c.css", "other/lib.css"]


def test_a_missing_reference_below_a_prefix_is_told_with_the_path_as_it_would_be_written(project: Project) -> None:
    project.write(
        {
            "assetbuild.toml": 'sources = ["assets", {path = "lib", prefix = "vendor"}]\n',
            "assets/app.css": "@import 'vendor/Lib.css'; @import 'lib.css';",
            "lib/lib.css": "a{b:url(../vendor/c.png)}",
        }
    )
    with pytest.raises(BuildError) as caught:
        project.compile()
    assert [str(problem) for problem in caught.value.problems] == [
        'assets/app.css:1:10: "vendor/Lib.css" is in no source root; "vendor/lib.css" differs in letter case only',
        'assets/app.css:1:36: "lib.css" is in no source root; did you mean "vendor/lib.css"?',
        'lib/lib.css:1:9: "../vendor/c.png" is in no source root; put it there, '
        "or let it pass by `missing` in the configuration",
    ]
