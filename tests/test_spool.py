"""Texts that wait to be linked."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from assetbuild.errors import BuildError
from assetbuild.spool import Spool


def test_a_text_comes_back_and_a_later_one_replaces_it() -> None:
    with Spool() as spool:
        spool.put("a", b"one")
        spool.put("b", b"")
        spool.put("a", b"another")
        assert (spool.get("a"), spool.get("b")) == (b"another", b"")


def test_without_a_temporary_folder_one_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with (
        pytest.raises(BuildError, match="no temporary file can be made: No such file or directory; set TMPDIR"),
        Spool() as spool,
    ):
        spool.put("a", b"text")


FULL = f"""
import resource, signal
from assetbuild.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY}))
with Spool() as spool:
    spool.put("a", b"x" * 2000)
"""


def test_a_temporary_folder_that_is_full_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", FULL], cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("assetbuild.errors.BuildError: /")
    assert "temporary files cannot be written: File too large; free some space, or set TMPDIR" in last
