"""The benchmarks measure what they say: on a few generated files, without the network, assetbuild and the plain loop only."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import contenders, corpora, sections, table, targets
from benchmarks.contenders import Bench
from benchmarks.measure import ContenderError

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_a_run_leaves_a_table_and_its_raw_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--offline", "--files", "30", "--runs", "1", "--sections", "plain"]
    assert command.main([*few, "--work", str(tmp_path)]) == 0
    text = (tmp_path / "table.md").read_text("utf-8")
    assert capsys.readouterr().out == text
    rows = {(row["contender"], row["step"]): row for row in json.loads((tmp_path / "results.json").read_text())["rows"]}
    for name, step in (("plain loop", "cold"), *(("assetbuild, no filters", step) for step in sections.STEPS)):
        row = rows[name, step]
        assert not row["absent"] and row["files"] == 30
        assert [len(row["values"][what]) for what in ("wall", "processor", "peak")] == [1, 1, 1]
        assert all(row["values"][what][0] > 0 for what in ("wall", "processor", "peak"))
    assert rows["assetbuild, no filters", "unchanged"]["values"]["written"] == [0]
    # The sheet itself, three that import it, and the manifest.
    assert rows["assetbuild, no filters", "one file changed"]["values"]["written"] == [5]
    table_rows = [line for line in cells(text) if line[0] in ("plain loop", "assetbuild, no filters")]
    assert [line[2] for line in table_rows if line[0] != "plain loop"] == ["1.00", "1.00", "1.00"]
    assert "Django ManifestStaticFilesStorage | not run: needs the network" in text
    assert str(tmp_path) not in text and socket.gethostname() not in text


def test_each_line_of_a_table_has_the_cells_of_its_head() -> None:
    rows = [sections.Row("plain", "cold", "plain loop", 1, 1, absent="a | b")]
    for text in (table.figures(rows, {"day": "x"}), PAGE.read_text("utf-8")):
        tables = [cells(part) for part in text.split("\n\n") if part.startswith("|")]
        assert tables
        for lines in tables:
            assert {len(line) for line in lines} == {len(lines[0])}


def test_a_figure_to_reach_is_held_against_the_medians() -> None:
    def row(section: str, step: str, contender: str, **values: list[float]) -> sections.Row:
        return sections.Row(section, step, contender, 10, 10, 1_000_000, values)

    rows = [
        row("plain", "cold", "plain loop", wall=[1, 9, 2], processor=[1]),
        row("plain", "cold", "assetbuild, no filters", wall=[5], processor=[1.5]),
        row("plain", "unchanged", "assetbuild, no filters", wall=[0.25], processor=[0.5]),
        row("plain", "one file changed", "assetbuild, no filters", wall=[0.3], processor=[0.75]),
        row("minified", "cold", "assetbuild, built-in filters", wall=[3], processor=[3]),
        row("minified", "cold", "esbuild --minify, file by file", wall=[4], processor=[2]),
        row("watch", "any", "assetbuild, no filters", milliseconds=[40, 60, 70]),
        row("memory", "10 files", "assetbuild, no filters", tree=[180]),
        row("growth", "cold", "assetbuild, no filters", wall=[10], processor=[10]),
        replace(row("growth", "cold", "assetbuild, no filters", wall=[110], processor=[90]), files=100),
    ]
    found = {line[0].split(":")[0]: line[1:] for line in targets.lines(rows)}
    assert found["cold, no filters"] == ("2 ×", "2.50 ×", "1.50 ×", "no")
    assert found["cold, built-in filters, a MB of CSS and JS"] == ("1 ×", "0.75 ×", "1.50 ×", "yes")
    assert found["nothing changed, no filters"] == ("0.3 s", "0.25 s", "0.50 s", "yes")
    assert found["one file changed, no filters"] == ("0.1 s", "0.05 s", "0.25 s", "yes")
    assert found["watch"] == ("50 ms", "60 ms", "", "no")
    assert found["memory, 10 files, no filters"] == ("200 MB", "180 MB", "", "yes")
    assert found["growth, no filters"] == ("1.1 ×", "1.10 ×", "0.90 ×", "yes")
    assert found["`Assets.url()`"] == ("150 ns", "not run", "", "")


def test_figures_replace_those_that_stand_on_the_page_and_nothing_else() -> None:
    text = PAGE.read_text("utf-8")
    before, after = text.split(table.BEGIN)[0], text.split(table.END)[1]
    assert table.page(text, "FIGURES\n") == f"{before}{table.BEGIN}\n\nFIGURES\n\n{table.END}{after}"
    with pytest.raises(ValueError, match="there are no lines"):
        table.page(before, "FIGURES")


def test_generated_files_are_the_same_everywhere(tmp_path: Path) -> None:
    corpus = corpora.make("few", 30, tmp_path, None)
    whole = hashlib.sha256()
    for file in corpus.files:
        whole.update(file.encode() + (corpus.folder / file).read_bytes())
    assert whole.hexdigest() == "2ecd247922aa03ee6a8faaf3ebfd635fd6df477a508e1866530bce59b0e9194a"


def test_who_leaves_files_out_is_no_contender(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sys.executable, None)
    job = contenders.LOOP.job(bench, corpora.make("few", 30, tmp_path / "corpora", None))
    assert job
    with pytest.raises(ContenderError, match="30 of 31 files in the output"):
        sections.cold(replace(job, expected=31))


def test_an_edit_that_changes_nothing_in_the_output_is_noticed(tmp_path: Path) -> None:
    corpus = corpora.make("few", 30, tmp_path / "corpora", None)
    job = contenders.LOOP.job(Bench(tmp_path, sys.executable, None), corpus)
    assert job
    sections.cold(job)
    with pytest.raises(ContenderError, match="it made the same manifest"):
        sections.changed(replace(job, command=("true",)), corpus)
    assert (corpus.folder / corpus.touched).stat().st_mtime == corpora.MODIFIED
