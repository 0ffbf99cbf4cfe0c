"""check: each path that a template names and no source gives is one finding, at its first character; nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assetbuild import cli, config
from assetbuild.check import Checked, check


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
