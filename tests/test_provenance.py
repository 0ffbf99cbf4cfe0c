"""provenance: a statement that names the artifact and all that it was made of; and what verify says of one."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from assetbuild import cli
from tests.conftest import Project

SITE: dict[str, str | bytes] = {
    "assets/a.css": "a  { b : url(i.png) }",
    "assets/i.png": b"\x89PNG",
    "assets/site.scss": "@use 'colours'; a { b: colours.$c }",
    "assets/_colours.scss": "$c: red",
    "assets/draft.css~": "nobody's",
    "parts/p.js": "let  p",
    "assetbuild.toml": 'sources = ["assets", {path = "parts", prefix = "lib"}]\n[webassets]\nSECRET = "hush"\n',
}


@pytest.fixture
def site(inside: Project) -> Project:
    return inside.write(SITE)


def run(*words: str) -> int:
    return cli.main([*words, "--quiet"])


def statement(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "p.json").read_bytes())
    return document


def resolved(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = statement(folder)["predicate"]["buildDefinition"]["resolvedDependencies"]
    return found


def test_it_names_the_artifact_as_sha256sum_does_and_every_file_that_was_read(site: Project) -> None:
    assert run("compile", "--provenance", "p.json") == 0
    said = statement(site.folder)
    assert (said["_type"], said["predicateType"]) == ("https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1")
    subjects = {one["name"]: one["digest"]["sha256"] for one in said["subject"]}
    names = sorted(p.relative_to(site.folder / "dist").as_posix() for p in (site.folder / "dist").rglob("*") if p.is_file())
    names.remove("manifest.json")
    lines = subprocess.run(["sha256sum", *names], cwd=site.folder / "dist", capture_output=True, check=True).stdout
    assert subjects == {
        "files": hashlib.sha256(lines).hexdigest(),
        "manifest.json": hashlib.sha256((site.folder / "dist/manifest.json").read_bytes()).hexdigest(),
    }
    read = {one["name"]: one["digest"]["sha256"] for one in said["predicate"]["buildDefinition"]["resolvedDependencies"]}
    files = {name: digest for name, digest in read.items() if not name.startswith("tool: ")}
    expected = set(SITE) - {"assets/draft.css~"}
    assert files == {name: hashlib.sha256((site.folder / name).read_bytes()).hexdigest() for name in expected}
    assert {"tool: rcssmin", "tool: rjsmin", "tool: dart_sass", "tool: compressor"} >= {n for n in read if n not in files}


def test_a_folder_in_which_a_sheet_was_looked_for_in_vain_is_no_material(site: Project) -> None:
    site.write({"assets/site.scss": "@use 'node_modules/lib/said'", "assets/node_modules/lib/said/_index.scss": "a { b: c }"})
    assert run("compile", "--provenance", "p.json") == 0
    names = {one["name"] for one in resolved(site.folder)}
    assert {name for name in names if "node_modules" in name} == {"assets/node_modules/lib/said/_index.scss"}


def test_it_is_the_same_for_the_same_and_tells_nothing_of_the_machine(
    site: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("compile", "--provenance", "p.json")
    first = (site.folder / "p.json").read_bytes()
    run("compile", "--provenance", "p.json")
    assert (site.folder / "p.json").read_bytes() == first, "nothing had changed"
    other = Project(tmp_path_factory.mktemp("elsewhere")).write(SITE)
    monkeypatch.chdir(other.folder)
    run("compile", "--provenance", "p.json")
    assert (other.folder / "p.json").read_bytes() == first
    assert str(site.folder).encode() not in first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    run("compile", "--provenance", "p.json")
    assert statement(other.folder)["predicate"]["runDetails"]["metadata"] == {"finishedOn": "2023-11-14T22:13:20Z"}


def test_where_a_package_is_installed_makes_no_difference(
    inside: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside.write({"assetbuild.toml": 'sources = ["package:mylib/static"]\n'})
    said = []
    for place in (".venv/lib/python3.11/site-packages", str(tmp_path_factory.mktemp("lib") / "dist-packages")):
        folder = inside.folder / place
        inside.write({f"{folder}/mylib/__init__.py": "", f"{folder}/mylib/static/a.css": "/*! a v1.0.0 | MIT */\na{}"})
        with monkeypatch.context() as patch:
            patch.syspath_prepend(folder)
            assert run("compile", "--provenance", "p.json", "--sbom", "s.json") == 0
        said.append([(inside.folder / name).read_bytes() for name in ("p.json", "s.json")])
    assert said[0] == said[1]
    assert "package:mylib/static/a.css" in {one["name"] for one in resolved(inside.folder)}


@pytest.mark.parametrize(
    ("bundles", "files"),
    [
        ("bundles.yml", {"bundles.yml": "directory: web\nbundles: {all: {contents: b.js, output: all.js}}\n"}),
        (
            "env_with_names:env",
            {
                "env_with_names.py": "from webassets import Bundle, Environment\nfrom names_for_env import NAMES\n"
                "env = Environment('web', '/static')\nenv.register('all', Bundle(*NAMES, output='all.js'))\n",
                "names_for_env.py": "NAMES = ['b.js']\n",
            },
        ),
    ],
)
def test_what_bundles_are_from_was_read_too(inside: Project, bundles: str, files: dict[str, str | bytes]) -> None:
    inside.write({**files, "web/b.js": "b()", "assetbuild.toml": f'bundles_from = "{bundles}"\n'})
    assert run("compile", "--provenance", "p.json") == 0
    found = {one["name"]: one["digest"]["sha256"] for one in resolved(inside.folder)}
    for name in (*files, "web/b.js", "assetbuild.toml"):
        assert found[name] == hashlib.sha256((inside.folder / name).read_bytes()).hexdigest()


def test_after_a_change_it_says_what_changed(site: Project) -> None:
    run("compile", "--provenance", "p.json")
    before = statement(site.folder)
    site.write({"assets/_colours.scss": "$c: blue"})
    run("compile", "--provenance", "p.json")
    after = statement(site.folder)

    def read(said: dict[str, Any]) -> set[str]:
        found = said["predicate"]["buildDefinition"]["resolvedDependencies"]
        return {f"{one['name']} {one['digest']['sha256']}" for one in found}

    assert {line.split()[0] for line in read(before) ^ read(after)} == {"assets/_colours.scss"}
    assert before["subject"] != after["subject"]


@pytest.mark.parametrize("signed", [False, True], ids=["statement", "envelope"])
def test_verify_holds_an_artifact_against_it(site: Project, capsys: pytest.CaptureFixture[str], signed: bool) -> None:
    run("compile", "--provenance", "p.json")
    if signed:
        payload = base64.b64encode((site.folder / "p.json").read_bytes()).decode()
        envelope = {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []}
        (site.folder / "p.json").write_text(json.dumps(envelope))
    assert run("verify", "--provenance", "p.json") == 0
    site.write({"assets/a.css": "c{}"}).compile()
    assert run("verify", "--provenance", "p.json") == 1
    said = capsys.readouterr().out
    assert (
        len(re.findall(r"p\.json: speaks of another artifact: (?:files|manifest\.json) [0-9a-f]{64}, here [0-9a-f]{64}", said))
        == 2
    )


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"payload": "?"}', '{"_type": "x", "predicateType": "y", "subject": []}', "[" * 9999]
)
def test_what_is_no_statement_is_a_finding(site: Project, capsys: pytest.CaptureFixture[str], text: str) -> None:
    site.compile()
    site.write({"p.json": text})
    assert run("verify", "--provenance", "p.json") == 1
    assert "p.json: this is no in-toto statement of assetbuild's" in capsys.readouterr().out
    assert run("verify", "--provenance", "gone.json") == 2


@pytest.mark.parametrize("where", ["dist/p.json", "assets/p.json"])
def test_it_is_not_written_into_the_artifact_nor_among_the_sources(site: Project, where: str) -> None:
    assert run("compile", "--provenance", where) == 2
    assert not (site.folder / where).exists()


@pytest.mark.usefixtures("site")
def test_where_it_cannot_be_written_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compile", "--provenance", "gone/p.json") == 1
    assert "gone/p.json could not be written" in capsys.readouterr().err
