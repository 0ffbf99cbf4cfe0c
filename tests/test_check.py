"""check: each path that a template names and no source gives is one finding, at its first character; nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assetbuild import cli, config
from assetbuild.check import Checked, check
from assetbuild.missing import SEARCHES
from tests.conftest import Project


def checked(folder: Path, template: str, toml: str = "") -> Checked:
    for name in ("assets/css/app.css", "assets/img/a.svg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates/page.html").write_bytes(template.encode())
    (folder / "assetbuild.toml").write_text(toml)
    return check(config.load(cwd=folder, environ={}))


def places(found: Checked) -> list[tuple[int, int]]:
    return [(problem.line, problem.column) for problem in found.findings]


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ('{{ asset("no.css") }}', (1, 11)),
        ("<p>é</p>\r\n\r\n  {{ asset('no.css') }}", (3, 13)),
        ('\ufeff{{ asset("no.css") }}', (1, 11)),
        ('{{ "no.css"|asset }}', (1, 5)),
        ('{{ asset_tag("no.css", defer=true) }}', (1, 15)),
        ('{{ asset_integrity("no.css") }}', (1, 21)),
        ('{{ asset(path="no.css") }}', (1, 16)),
        ('  {%- if x -%}  \n  {{- asset("no.css") -}}  {%- endif %}', (2, 14)),
        ('{% macro m() %}{{ asset("no.css") }}{% endmacro %}', (1, 26)),
        ('{% extends "b" %}{% block c %}\n{{ asset("no.css") }}{% endblock %}', (2, 11)),
        ('{{ asset("css/app.css" if x else "no.css") }}', (1, 35)),
        ('{{ asset("css/app.css" or "no.css") }}', (1, 28)),
        ('{# asset("n1") #}{% raw %}{{ asset("n2") }}{% endraw %}{{ asset("no.css") }}', (1, 66)),
        ('no.css {{ "no.css" }} {{ asset("no.css") }}', (1, 33)),
        ('{% cache 5, asset("no.css") %}{% endcache %}', (1, 20)),
        ('{% do x(asset("no.css")) %}{% for a in b %}{% break %}{% endfor %}', (1, 16)),
        ('{% trans n=asset("no.css") %}{{ n }}{% endtrans %}', (1, 19)),
        ('{% load static %}\n{% static "no.css" %}', (2, 12)),
        ("{% asset 'no.css' as url %}", (1, 11)),
        ('{% comment %}{% static "n1" %}{% endcomment %}{% asset_tag "no.css" %}', (1, 61)),
        ('{% for asset in assets %}{{ asset("n1") }}{% endfor %}{{ asset("no.css") }}', (1, 65)),
        ('{% for x in asset("no.css") %}{% set asset = x %}{% endfor %}', (1, 20)),
        ('{% macro m(asset) %}{{ asset("n1") }}{% endmacro %}{{ asset("no.css") }}', (1, 62)),
        ('{% with asset = asset("no.css") %}{{ asset("n1") }}{% endwith %}', (1, 24)),
        ('{% block a %}{% set asset = 1 %}{{ asset("n1") }}{% endblock %}{{ asset("no.css") }}', (1, 74)),
        ('{% import "m" as asset_tag %}{{ asset_tag("n1") }}{{ asset("no.css") }}', (1, 61)),
        ("{{ " + "1 + " * 3000 + 'asset("no.css") }}', (1, 12011)),
        ('{% verbatim x %}{% static "n1" %}{% endverbatim %}{% endverbatim x %}{% static "no.css" %}', (1, 81)),
    ],
)
def test_a_path_that_no_source_gives_is_found_at_its_first_character(
    template: str, place: tuple[int, int], tmp_path: Path
) -> None:
    assert places(checked(tmp_path, template)) == [place]


@pytest.mark.parametrize(
    ("template", "literals", "dynamic"),
    [
        ('{{ asset("css/app.css") }}{{ asset("img/a.svg?v=1#star") }}', 2, 0),
        ('{% set x = "no.css" %}{{ asset(x) }}', 0, 1),
        ('{{ asset("no" ~ ".css") }}', 0, 1),
        ('{{ asset(x or "css/app.css") }}', 1, 1),
        ('{% macro asset(x) %}{% endmacro %}{{ asset("no.css") }}', 0, 0),
        ('{{ other.asset("no.css") }}', 0, 0),
        ('{% set asset = x %}{% block a %}{{ asset("no.css") }}{% endblock %}', 0, 0),
        ('{% from "m" import asset %}{% for a in b %}{{ asset("no.css") }}{% endfor %}', 0, 0),
        ('{% load static %}{{ x|date:"Y" }}{% static x %}{% static "img/" %}{% static "no"|add:x %}', 0, 3),
        ('{% load static %}{# {% static "no.css" %} #}{% static "css/app.css" %}', 1, 0),
    ],
)
def test_what_is_there_is_no_finding_and_what_is_dynamic_is_counted(
    template: str, literals: int, dynamic: int, tmp_path: Path
) -> None:
    found = checked(tmp_path, template)
    assert (found.findings, found.literals, found.dynamic) == ((), literals, dynamic)


def test_delimiters_and_line_statements_are_those_of_the_configuration(tmp_path: Path) -> None:
    toml = '[jinja]\nvariable_start_string = "<<"\nvariable_end_string = ">>"\nline_statement_prefix = "%%"\n'
    found = checked(tmp_path, '{{ asset("n") }}\n%% set x = asset("no.css")\n<< asset("no.js") >>\n', toml)
    assert places(found) == [(2, 19), (3, 11)]


@pytest.mark.parametrize("template", ["a\n{% if x %}", "a\n{{ x|date:'Y' }}", "a\n{% endif %}"])
def test_a_template_that_jinja_refuses_is_a_finding(template: str, tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, template).findings
    assert finding.line == 2
    assert finding.message.startswith("Jinja refuses this template: ")


def test_beside_a_template_of_djangos_a_file_that_jinja_refuses_is_djangos(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/base.html").write_text("{% load static %}")
    assert checked(tmp_path, "{{ x|date:'Y' }}").findings == ()


def test_the_command_prints_findings_on_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(tmp_path, '{{ asset("css/ap.css") }}')
    monkeypatch.chdir(tmp_path)
    assert cli.main(["check"]) == 1
    out, err = capsys.readouterr()
    assert out == 'templates/page.html:1:11: no source gives "css/ap.css"; did you mean "css/app.css"?\n'
    assert err == "1 template, 1 literal path, 0 dynamic; 1 finding\n"
    assert cli.main(["check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["column"] == 11
    assert not (tmp_path / "dist").exists()
    assert not (tmp_path / ".assetbuild").exists()


def test_the_command_says_that_there_was_nothing_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "assets").mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().err.endswith("; no folder of `templates` has a template\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("é\ncaf\xe9".encode("latin-1"), "templates/b.html:1:1: this template is not UTF-8; save it as UTF-8"),
        (b"\xef\xbb\xbfa\ncaf\xe9", "templates/b.html:2:4: this template is not UTF-8; save it as UTF-8"),
        ("a".encode("utf-16"), "templates/b.html:1:1: this template is not UTF-8; save it as UTF-8"),
        (b"a\n b\0", "templates/b.html:2:3: this template holds a null character; save it as UTF-8"),
    ],
)
def test_a_template_that_nobody_can_read_is_a_finding_and_a_picture_is_none(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    for name in ("b.html", "logo.png", ".DS_Store", "a.pyc"):
        (tmp_path / "templates" / name).write_bytes(data)
    found = checked(tmp_path, '{{ asset("css/app.css") }}')
    assert ([str(one) for one in found.findings], found.templates) == ([said], 1)


def test_a_template_that_is_nested_too_deeply_is_a_finding(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}").findings
    assert "nested too deeply" in finding.message


def test_folders_that_are_written_down_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assetbuild.toml").write_text('templates = ["templats"]')
    monkeypatch.chdir(tmp_path)
    assert cli.main(["check"]) == 2
    expected = 'assetbuild.toml: templates: there is no such folder: "templats"; name one that is there\n'
    assert capsys.readouterr().err == expected


def test_unused_assets_are_those_that_nothing_leads_to(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(
        {
            "assets/app.css": "a { background: url(a.svg#x) }",
            "assets/a.svg": '<svg xmlns="http://www.w3.org/2000/svg"><use href="b.svg#y"/></svg>',
            "assets/b.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
            "assets/sw.js": 'import "./kept.js";',
            "assets/kept.js": "",
            "assets/old.css": "a { background: url(old.svg) }",
            "assets/old.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
            "assets/part.js": "",
            "assets/round1.js": 'import "./round2.js";',
            "assets/round2.js": 'import "./round1.js";',
            "templates/page.html": '{{ asset("app.css?v=1") }}{{ asset("no.css") }}',
            "assetbuild.toml": 'keep_names = ["sw.js"]\n[bundles."all.js"]\ncontents = ["part.js"]\n',
        }
    )
    monkeypatch.chdir(project.folder)
    assert cli.main(["check", "--unused", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["unused"] == ["all.js", "old.css", "old.svg", "round1.js", "round2.js"]
    files = [problem["file"] for problem in document["problems"]]
    assert files == ["assetbuild.toml", *(f"assets/{name}" for name in document["unused"][1:]), "templates/page.html"]
    (project.folder / "templates/page.html").write_text('{{ asset("app.css") }}{{ asset("all.js") }}{{ asset("old.css") }}')
    assert cli.main(["check"]) == 0
    assert cli.main(["check", "--unused"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f'assets/{name}: no template leads to "{name}"; remove it, or exclude it' for name in ("round1.js", "round2.js")
    ]
    assert err.endswith("2 findings\n")
    assert not (project.folder / "dist").exists()


def test_with_so_many_findings_that_it_is_no_matter_of_spelling_the_search_ends(tmp_path: Path) -> None:
    names = [f"css/ap{number}.css" for number in range(SEARCHES + 2)]
    found = checked(tmp_path, "".join(f'{{{{ asset("{name}") }}}}' for name in [*names, names[0]])).findings
    assert [one.hint.startswith("did you mean") for one in found] == [True] * SEARCHES + [False] * 2 + [True]
