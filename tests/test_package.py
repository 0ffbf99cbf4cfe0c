"""What people install: the wheel, with and without the compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import assetbuild

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "assetbuild", copy / "assetbuild", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_module_and_the_typing_marker(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("assetbuild/")}
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "assetbuild").rglob("*.py")}
    assert inside == modules | {"assetbuild/py.typed", "assetbuild/dev/client.js"}


def test_nothing_is_required_without_an_extra(wheel: Path) -> None:
    (metadata,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert f"Version: {assetbuild.__version__}\n" in text
    required = [line for line in text.splitlines() if line.startswith("Requires-Dist")]
    assert required
    assert [line for line in required if "extra ==" not in line] == []


def test_without_the_extra_the_helper_works_and_the_command_says_what_to_install(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment)
    python = environment / "bin/python"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(next((environment / "lib").glob("python3*/site-packages")))
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "manifest.json").write_text(
        '{"version": 1, "mode": "production", "digest": "sha256-0", "base_url": "/s/", "previous": [], "assets": '
        '{"a.css": {"path": "a.1.css", "integrity": "sha256-0", "size": 1, "type": "text/css"}}}'
    )
    code = "from assetbuild import Assets; print(Assets('dist').url('a.css'))"
    done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "/s/a.1.css\n"
    done = subprocess.run([python, "-m", "assetbuild", "compile"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'pip install "assetbuild[build]"' in done.stderr
