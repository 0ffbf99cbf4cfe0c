"""All that reads what others wrote, with bytes that none should write: the seeds, and what a fuzzer and hypothesis make."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tests.fuzz.fuzz import SEEDS, WORDS
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parent.parent

each = pytest.mark.parametrize("target", TARGETS)


@each
def test_what_must_hold_holds_for_every_seed(target: str) -> None:
    seeds = sorted((SEEDS / target).iterdir())
    assert len(seeds) > 10
    for seed in seeds:
        try:
            TARGETS[target](seed.read_bytes())
        except Exception as error:
            error.add_note(f"the seed is {seed}")
            raise


@each
def test_what_must_hold_holds_for_words_of_the_language_in_any_order(target: str) -> None:
    # Every text is a byte that some targets take for a choice, and words with now and then a character between.
    words = st.lists(st.sampled_from(WORDS[target]) | st.characters(codec="utf-8"), max_size=20).map("".join)

    @settings(max_examples=examples(20), suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 255), words)
    def holds(choice: int, text: str) -> None:
        TARGETS[target](bytes([choice]) * (target in ("rewriting", "verify")) + text.encode())

    holds()


with_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None and not os.environ.get("CI"),
    reason="the extra fuzz is not installed: pip install 'assetbuild[fuzz]' on Linux",
)


def fuzz(root: Path, findings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tests/fuzz/fuzz.py", *arguments, "--findings", str(findings)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@with_atheris
def test_a_short_run_of_the_fuzzer_finds_nothing(tmp_path: Path) -> None:
    seeds = sum(1 for target in TARGETS for _ in (SEEDS / target).iterdir())
    done = fuzz(ROOT, tmp_path, "mixed", "60", "--runs", str(seeds + 500))
    assert (done.returncode, done.stdout) == (0, "nothing found\n"), done.stderr[-3000:]
    assert f"Done {seeds + 500} runs" in done.stderr


@with_atheris
def test_a_fault_is_found_kept_and_told(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "assetbuild", tmp_path / "assetbuild", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(SEEDS.parent, tmp_path / "tests/fuzz", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests/__init__.py", tmp_path / "tests")
    file = tmp_path / "assetbuild/references/sourcemap.py"
    guard = "return found.start(1) == place + len(_WORD)"
    assert guard in file.read_text()
    file.write_text(file.read_text().replace(guard, "return True"))
    done = fuzz(tmp_path, tmp_path / "findings", "rewriting", "60", "--runs", "200")
    (finding, *_) = (tmp_path / "findings").iterdir()
    assert (done.returncode, finding.name in done.stdout, "AssertionError" in done.stderr) == (1, True, True)
    assert fuzz(tmp_path, tmp_path / "none", "rewriting", str(finding)).returncode == 1


def test_an_unknown_target_is_told_of_with_all_that_are_known(tmp_path: Path) -> None:
    done = fuzz(ROOT, tmp_path, "nothing")
    assert done.returncode == 2
    assert f"there is no target nothing: all, mixed, {', '.join(TARGETS)}" in done.stderr
