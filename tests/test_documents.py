"""documents: what is written beside the artifact takes the place of nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from assetbuild import cli
from tests.conftest import Project

SITE = {"assetbuild.toml": "compress = []\n", "assets/a.css": "/*! a v1.0.0 | MIT License */\na{}"}


@pytest.fixture
def site(inside: Project) -> Project:
    return inside.write(SITE)


@pytest.mark.parametrize("option", ["--provenance", "--sbom"])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "names no file"),
        ("assetbuild.toml", "names the configuration, assetbuild.toml"),
        ("linked.toml", "names the configuration, linked.toml"),
        ("app.py", "names app.py, which is there and no"),
        ("list.json", "names list.json, which is there and no"),
        ("dist", "names a file in dist"),
        ("dist/p.json", "names a file in dist"),
        ("linked/p.json", "names a file in assets"),
        ("earlier/manifest.json", "names a file in earlier"),
        ("earlier/p.json", "names a file in earlier"),
        ("folder", "names a folder, folder"),
        ("new/", "names a folder, new/"),
        ("web/p.json", "names a file in web"),
    ],
)
def test_nothing_of_the_users_is_overwritten_and_no_artifact_spoilt(
    site: Project, capsys: pytest.CaptureFixture[str], option: str, where: str, said: str
) -> None:
    assert cli.main(["compile", "--quiet", "--output", "earlier"]) == 0
    site.write(
        {
            "app.py": "print()\n",
            "list.json": "[]",
            "folder/x": "",
            "web/b.js": "b()",
            "assetbuild.toml": 'compress = []\nbundles_from = "bundles.yml"\n',
            "bundles.yml": "directory: web\nbundles:\n  all:\n    contents: b.js\n    output: all.js\n",
        }
    )
    (site.folder / "linked.toml").symlink_to("assetbuild.toml")
    (site.folder / "linked").symlink_to("assets")
    before = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file() and ".assetbuild" not in path.parts}
    previous = "earlier/manifest.json" if where == "earlier/p.json" else "earlier"
    assert cli.main(["compile", "--previous", previous, option, where]) == 2
    assert f"{option} {said}" in capsys.readouterr().err
    after = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file() and ".assetbuild" not in path.parts}
    assert after == before


def test_both_at_one_place_are_refused_and_each_at_the_others_too(site: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compile", "--provenance", "p.json", "--sbom", "./p.json"]) == 2
    assert "--sbom names the same file as --provenance; give each a file of its own" in capsys.readouterr().err
    assert not (site.folder / "dist").exists()
    assert cli.main(["compile", "--provenance", "p.json", "--sbom", "s.json"]) == 0
    assert cli.main(["compile", "--provenance", "s.json", "--sbom", "p.json", "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert [one["message"] for one in said["problems"]] == [
        "--provenance names s.json, which is there and no statement of provenance",
        "--sbom names p.json, which is there and no bill of materials",
    ]


def test_what_an_earlier_build_wrote_is_replaced_and_what_a_link_leads_to(site: Project) -> None:
    (site.folder / "p.json").symlink_to("kept/real.json")
    site.write({"kept/real.json": "", "s.json": '{"bomFormat": "CycloneDX"}'})
    for sheet in ("a{}", "b{}"):
        site.write({"assets/a.css": sheet})
        assert cli.main(["compile", "--provenance", "p.json", "--sbom", "s.json"]) == 0
    assert (site.folder / "p.json").is_symlink()
    assert cli.main(["verify", "--provenance", "kept/real.json"]) == 0
    assert json.loads((site.folder / "s.json").read_bytes())["metadata"]["component"]["version"] == site.manifest["digest"]
    site.write({"p.json": json.dumps({"payloadType": "application/vnd.in-toto+json", "payload": "", "signatures": []})})
    assert cli.main(["compile", "--provenance", "p.json"]) == 0
    assert sorted(path.name for path in (site.folder / "kept").iterdir()) == ["real.json"]


def test_a_pipe_is_written_to_and_none_takes_its_place(site: Project) -> None:
    os.mkfifo(site.folder / "pipe")
    command = [sys.executable, "-m", "assetbuild", "compile", "--provenance", "/dev/stdout", "--sbom", "pipe"]
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parent.parent)}
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE) as reader:
        written = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True).stdout
        bill, _ = reader.communicate(timeout=30)
    assert json.loads(written)["_type"].startswith("https://in-toto.io/")
    assert json.loads(bill)["bomFormat"] == "CycloneDX"
    assert (site.folder / "pipe").is_fifo()


def test_what_the_shell_has_led_standard_output_into_is_written_to_and_stays(site: Project) -> None:
    command = [sys.executable, "-m", "assetbuild", "compile", "--quiet", "--sbom", "/dev/stdout"]
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parent.parent)}
    with open("said", "w+b") as said:
        said.write(b"before\n")
        said.flush()
        subprocess.run(command, stdout=said, env=environment, check=True)
        assert os.path.samestat(os.stat("said"), os.fstat(said.fileno()))
    first, _, bill = (site.folder / "said").read_text().partition("\n")
    assert first == "before"
    assert json.loads(bill)["bomFormat"] == "CycloneDX"


def test_a_file_in_memory_is_replaced_as_any_other(site: Project) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        pytest.skip("/dev/shm is not here")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        file = Path(folder) / "bill.json"
        for sheet in ("a{}", "b{}"):
            site.write({"assets/a.css": sheet})
            assert cli.main(["compile", "--quiet", "--sbom", str(file)]) == 0
            assert json.loads(file.read_bytes())["bomFormat"] == "CycloneDX"
