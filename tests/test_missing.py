"""References that name nothing: the message that helps to mend each."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pytest

from assetbuild import missing
from assetbuild.missing import Missing, Report
from assetbuild.references import Reference
from tests.conftest import Project, toml


def told(report: Report, path: str) -> str:
    reference = Reference(0, len(path), path, "url", (0, len(path)))
    return report.problem(Missing("css/a.css", "assets/css/a.css", 1, 1, reference), "error").hint


def test_a_path_that_is_missing_often_is_searched_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(word: str, words: Sequence[str], n: int, cutoff: float) -> list[str]:
        nonlocal calls
        calls += 1
        return original(word, words, n, cutoff)

    original = difflib.get_close_matches
    monkeypatch.setattr(difflib, "get_close_matches", counted)
    report = Report(["css/base.css", "css/other.css"], ())
    assert {told(report, "bse.css") for _ in range(100)} == {'did you mean "base.css"?'}
    assert calls == 1
    for number in range(1000):
        told(report, f"gone{number}.css")
    assert calls == missing.SEARCHES
    # What needs no search is told all the same, and what was found stays known.
    assert told(report, "Base.css") == '"base.css" differs in letter case only'
    assert told(report, "../base.css") == 'did you mean "base.css"?'
    assert told(report, "bse.css") == 'did you mean "base.css"?'


def test_a_reference_that_is_let_pass_costs_no_look_for_its_place(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assetbuild.build.places", None)
    project.write({"assetbuild.toml": toml(missing="ignore"), "assets/a.css": "a{b:url(gone.png)}"})
    project.compile()
    assert project.manifest["assets"]["a.css"]["missing"] == ["gone.png"]
