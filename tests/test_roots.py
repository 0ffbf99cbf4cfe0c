"""Nothing leaves the source roots, whatever a reference or a file is called, and nothing of it reaches a terminal as it is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from assetbuild import cli
from assetbuild.errors import BuildError, ConfigError
from assetbuild.verify import verify
from tests.conftest import Project, toml

SECRET = "secret-that-is-outside"
#: What leads to a file beside the source root, or would, were it read otherwise than it is.
OUTWARD = {
    "dots": "../secret.txt",
    "dots in the middle": "x/../../secret.txt",
    "encoded dots": "%2e%2e/secret.txt",
    "one encoded dot": ".%2E/secret.txt",
    "an encoded slash": "..%2fsecret.txt",
    "all encoded": "%2e%2e%2fsecret.txt",
    "encoded twice": "%252e%252e/secret.txt",
    "backslashes": "..\\secret.txt",
    "encoded backslashes": "..%5csecret.txt",
    "a NUL": "../secret.txt%00.png",
    "a line end": "..%0a/secret.txt",
    "fullwidth dots": "\uff0e\uff0e/secret.txt",
    "a fullwidth slash": "..\uff0fsecret.txt",
    "a division slash": "..\u2215secret.txt",
    "leaders for dots": "\u2024\u2024/secret.txt",
    "a two dot leader": "\u2025/secret.txt",
    "overlong UTF-8": "%c0%ae%c0%ae/secret.txt",
    "a blank": ".. /secret.txt",
    "many dots": "....//secret.txt",
    "a folder of that name": "../secret.txt/x",
    "a process's root": "../../../../../../../../proc/self/root/etc/passwd",
}
#: What a URL has at its head where it is no reference to the tree.
ELSEWHERE = {
    "absolute": "/etc/passwd",
    "absolute, to the secret": "{folder}/secret.txt",
    "of a file": "file://{folder}/secret.txt",
    "of a host": "//host/secret.txt",
    "of a drive": "C:\\secret.txt",
    "of a share": "\\\\host\\secret.txt",
    "of a device": "\\\\.\\secret.txt",
}


def placed(language: str, path: str) -> str:
    """A text with a reference to this path."""
    if language == "css":
        return f'a{{b:url("{path}")}}'.replace("\\", "\\\\")
    if language == "mjs":
        return (
            f'import "./{path}"'.replace("\\", "\\\\")
            if not path.startswith(("/", "\\", "C:", "file:"))
            else f"import {path!r}"
        )
    if language == "svg":
        return f'<svg><use href="{path}"/></svg>'
    return json.dumps({"icons": [{"src": path}]})


def outside(project: Project) -> None:
    (project.folder / "secret.txt").write_text(SECRET)


def unharmed(project: Project) -> None:
    """No byte of the secret is published, and nothing but the output and the cache was written."""
    assert not [path for path, data in project.tree().items() if SECRET.encode() in data]
    assert {p.name for p in project.folder.iterdir()} <= {"assets", "dist", ".assetbuild", "assetbuild.toml", "secret.txt"}
    assert (project.folder / "secret.txt").read_text() == SECRET


LANGUAGES = ("css", "mjs", "svg", "webmanifest")


@pytest.mark.parametrize("what", OUTWARD)
def test_a_reference_that_would_lead_out_of_the_roots_names_nothing(project: Project, what: str) -> None:
    outside(project)
    project.write({f"assets/a.{language}": placed(language, OUTWARD[what]) for language in LANGUAGES})
    with pytest.raises(BuildError) as caught:
        project.compile()
    assert [problem.file for problem in caught.value.problems] == [f"assets/a.{language}" for language in LANGUAGES]
    for problem in caught.value.problems:
        assert "climbs out of the tree" in problem.message or "is in no source root" in problem.message
        assert str(problem).isprintable()
    unharmed(project)


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_is_no_reference_to_the_tree_stays_as_it_was(project: Project, what: str) -> None:
    outside(project)
    texts = {language: placed(language, ELSEWHERE[what].format(folder=project.folder)) for language in LANGUAGES}
    project.write({f"assets/a.{language}": text for language, text in texts.items()}).compile()
    for language, text in texts.items():
        assert project.text(f"a.{language}").replace(" ", "") == text.replace(" ", "")
    unharmed(project)


@pytest.mark.parametrize(
    "path", ["../secret.txt", "x/../../secret.txt", "%2e%2e/secret.txt", "..\\secret.txt", "/etc/passwd", "a\0b", "../*.txt"]
)
def test_a_bundle_takes_in_nothing_from_outside_the_roots(project: Project, path: str) -> None:
    outside(project)
    project.write(
        {"assets/a.css": "a{}", "assetbuild.toml": f'[bundles."all.css"]\ncontents = ["a.css", {json.dumps(path)}]\n'}
    )
    with pytest.raises((BuildError, ConfigError)):
        project.compile()
    unharmed(project)


@pytest.mark.parametrize("name", ["../out.css", "/out.css", "a/../../out.css", "..\\out.css", "a//b.css", "\0.css", "\x1b.css"])
def test_a_bundle_is_not_written_outside_the_output(project: Project, name: str) -> None:
    outside(project)
    project.write({"assets/a.css": "a{}", "assetbuild.toml": f'[bundles.{json.dumps(name)}]\ncontents = ["a.css"]\n'})
    with pytest.raises(ConfigError) as caught:
        project.compile()
    assert all(str(problem).isprintable() for problem in caught.value.problems)
    unharmed(project)


#: Names that mean something to Windows, to a shell, to a URL or to who unpacks archives; here they are names like others.
STRANGE = (
    *(
        "con.css",
        "aux",
        "nul.txt",
        "com1.js",
        "a:b.css",
        "C:",
        "a.",
        "a ",
        " b",
        "~",
        "~root.txt",
        "-rf",
        "a|b",
        "a<b>.txt",
        'a"b',
    ),
    *(
        "*.css",
        "?.txt",
        "[a].txt",
        "%2e%2e",
        "%2fetc",
        "%00",
        "a..",
        "$HOME",
        "`id`",
        "a;b",
        "a&b",
        "#a",
        "a#b.css",
    ),
    *(
        "a.zip",
        "a.tar.gz",
        "a.css.gz",
        "a.css.br",
        "a.js.map",
        "a.phar",
        "a.jar",
        "data:,a",
        "http:",
        "\u2024\u2024",
        "\uff0e\uff0e",
    ),
    *("\u2215", "\uff0f", "e\u0301.txt", "\u00e9.css", "\u0430.css", "\U0001f600.svg", "\u01c5.txt", "\ufb01.txt"),
)


def test_names_that_mean_something_elsewhere_are_names_like_others(project: Project) -> None:
    outside(project)
    names = [name for name in STRANGE if not (name.endswith("~") or (name.startswith("#") and name.endswith("#")))]
    for name in names:
        (project.folder / "assets" / f"in {name}").mkdir()
        for path in (f"assets/{name}", f"assets/in {name}/{name}"):
            (project.folder / path).write_text("<svg/>" if name.endswith("svg") else "")
    links = "".join(f'a{{b:url("{quote(path)}")}}' for name in names for path in (f"./{name}", f"in {name}/{name}"))
    project.write({"assets/links.css": links}).compile()
    published = project.manifest["assets"]
    assert set(names) <= published.keys()
    assert {f"in {name}/{name}" for name in names} <= published.keys()
    assert verify(project.folder / "dist").findings == ()
    found = {str(p.relative_to(project.folder / "dist")) for p in (project.folder / "dist").rglob("*") if p.is_file()}
    assert {entry["path"] for entry in published.values()} <= found
    assert project.text("links.css").count("url(") == 2 * len(names)
    unharmed(project)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.css", "A.css"),
        ("Dir/a.css", "dir/a.css"),
        ("\u00e9.css", "e\u0301.css"),
        ("\u00e9/a.css", "e\u0301/a.css"),
        ("\u00c9.css", "e\u0301.css"),
        ("stra\u00dfe.css", "STRASSE.css"),
        ("\u03c3.css", "\u03c2.css"),
        ("\u212b.css", "\u00e5.css"),
        ("fi.txt", "\ufb01.txt"),
    ],
)
def test_names_that_are_one_on_other_file_systems_are_an_error_that_names_both(project: Project, one: str, other: str) -> None:
    project.write({f"assets/{one}": "a{}", f"assets/{other}": "b{}"})
    with pytest.raises(BuildError) as caught:
        project.compile()
    (problem,) = caught.value.problems
    assert one in str(problem)
    assert other in str(problem)


def test_names_that_only_look_alike_are_two(project: Project) -> None:
    names = ["a.css", "\u0430.css", "\uff41.css"]
    project.write({f"assets/{name}": name for name in names}).compile()
    assert project.manifest["assets"].keys() == set(names)


#: Where a link inside the roots leads: inside them, and outside of them.
@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("way", ["file", "folder", "relative", "of a link", "a second name for the root's parent"])
def test_links_lead_out_of_the_roots_only_where_that_is_asked_for(project: Project, way: str, follow: bool) -> None:
    outside(project)
    (project.folder / "secret.txt").rename(project.folder / "dist.txt")
    place = project.folder.parent / f"{project.folder.name}-outside"
    place.mkdir()
    (place / "secret.txt").write_text(SECRET)
    link = project.folder / "assets/link"
    targets: Mapping[str, Path | str] = {
        "file": place / "secret.txt",
        "folder": place,
        "relative": f"../../{place.name}",
        "of a link": "other",
        "a second name for the root's parent": f"../assets/../../{place.name}",
    }
    link.symlink_to(targets[way])
    if way == "of a link":
        (project.folder / "assets/other").symlink_to(place)
    project.write({"assets/a.css": "a{}", "assetbuild.toml": toml(follow_symlinks=follow)})
    if follow:
        project.compile()
        assert any(SECRET.encode() in data for data in project.tree().values())
    else:
        with pytest.raises(BuildError, match="leads out of the source roots"):
            project.compile()
        assert not (project.folder / "dist").exists()


ESCAPES = ("\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\r", "\n", "\u202e", "\u2028", "\x7f", "\x00")


@pytest.mark.parametrize("escape", ESCAPES, ids=ascii)
def test_what_a_terminal_would_act_on_is_never_written_to_it(
    project: Project, escape: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("COLUMNS", "200")
    project.write({"assets/a.css": "a{}", "templates/t.html": f'{{{{ asset("x{escape}y") }}}}'}).compile()
    text = project.folder.joinpath("dist/manifest.json").read_text()
    made = json.loads(text)

    def ran(*words: str) -> str:
        cli.main(words)
        said = "".join(capsys.readouterr())
        # Line ends, and the tabs between the columns of a list, are ours.
        assert all(line.isprintable() for line in re.split("[\n\t]", said)), (words, said)
        assert escape == "\n" or escape not in said
        return said

    entry = dict(made["assets"]["a.css"])
    made["assets"] = {f"x{escape}y.css": {**entry, "path": f"x{escape}y.css", "type": f"t{escape}", "missing": [f"m{escape}"]}}
    made |= {"base_url": f"/{escape}/", "mode": "production", "digest": f"d{escape}"}
    made["previous"] = [{"digest": f"e{escape}", "files": {f"z{escape}": {"integrity": f"i{escape}", "size": 1}}}]
    project.folder.joinpath("dist/manifest.json").write_text(json.dumps(made))
    assert "x" in ran("verify")
    ran("list")
    ran("explain", f"x{escape}y.css")
    ran("explain", "x")
    ran("serve-config", "nginx")
    ran("serve-config", "caddy")
    ran("check")
    project.folder.joinpath("dist/manifest.json").write_text(text)
    if escape != "\x00":
        project.write({f"assets/b{escape}.css": "b{}"})
        assert "control characters" in ran("compile") or escape in ("\u202e",)
        os.unlink(project.folder / f"assets/b{escape}.css")
    project.write(
        {"assets/c.css": f'a{{b:url("{quote("x" + escape)}.png")}}', "assets/d.svg": f"<svg><use href='x{escape}.svg'/></svg>"}
    )
    ran("compile")
    project.write({"assetbuild.toml": f"output = {json.dumps('o' + escape)}\n{json.dumps('k' + escape)} = 1\n"})
    ran("compile")
    ran("compile", "--output", f"o{escape}".replace("\0", "0"))
