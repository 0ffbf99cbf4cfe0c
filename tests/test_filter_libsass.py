"""Sass: what it imports, what it may not, what it says when something is wrong. A tree is a dict of files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.filters import Filtered, FilterError, FilterUnavailableError, Unit, libsass

Compile = Callable[..., Filtered]


@pytest.fixture
def compile_sass(tmp_path: Path) -> Compile:
    """Write a tree below tmp_path and compile `assets/css/site.scss`, or the text that is given, in it."""

    def run(
        text: str,
        files: dict[str, str | bytes] | None = None,
        roots: tuple[str, ...] = ("assets",),
        logical_path: str = "css/site.scss",
        **settings: object,
    ) -> Filtered:
        for name, content in (files or {}).items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        absolute = tuple(str(tmp_path / root) for root in roots)
        unit = Unit(logical_path, os.path.join(absolute[0], logical_path), absolute, "other")
        return libsass.load("libsass", settings, (str(tmp_path),)).apply(text, unit)

    return run


def failing(compile_sass: Compile, *args: object, **keywords: object) -> FilterError:
    with pytest.raises(FilterError) as caught:
        compile_sass(*args, **keywords)
    assert "\n" not in caught.value.message
    return caught.value


def test_a_sheet_becomes_css(compile_sass: Compile) -> None:
    assert compile_sass("$c: red; a { b: $c }").text == "a {\n  b: red; }\n"


def test_the_indented_syntax_is_told_by_the_suffix(compile_sass: Compile) -> None:
    assert compile_sass("a\n  b: c\n", logical_path="css/site.sass").text == "a {\n  b: c; }\n"


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("nested", "a {\n  b: c; }\n"),
        ("expanded", "a {\n  b: c;\n}\n"),
        ("compact", "a { b: c; }\n"),
        ("compressed", "a{b:c}\n"),
    ],
)
def test_the_style_is_a_setting(compile_sass: Compile, style: str, text: str) -> None:
    assert compile_sass("a{b:c}", LIBSASS_STYLE=style).text == text


def test_the_style_may_stand_in_the_environment(compile_sass: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBSASS_STYLE", "compressed")
    assert compile_sass("a{b:c}").text == "a{b:c}\n"


def test_a_setting_wins_over_the_environment(compile_sass: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBSASS_STYLE", "compressed")
    assert compile_sass("a{b:c}", LIBSASS_STYLE="compact").text == "a { b: c; }\n"


def test_a_style_that_does_not_exist_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(FilterUnavailableError, match="LIBSASS_STYLE is 'tiny'; it must be one of nested, expanded"):
        libsass.load("libsass", {"LIBSASS_STYLE": "tiny"})


@pytest.mark.parametrize(
    ("file", "imported"),
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
        ("_p.scss", "p"),
        ("_p.scss", "../p"),
        ("lib/_p.scss", "../lib/p"),
        ("lib/_p.scss", "lib/p"),
    ],
)
def test_an_import_is_found_beside_its_file_and_from_the_top_of_the_tree(
    compile_sass: Compile, tmp_path: Path, file: str, imported: str
) -> None:
    filtered = compile_sass(f"@import '{imported}';", {f"assets/{file}": "p{q:r}"})
    assert filtered.text == "p {\n  q: r; }\n"
    assert filtered.read == (str(tmp_path / "assets" / file),)


def test_an_indented_sheet_can_be_imported(compile_sass: Compile) -> None:
    assert compile_sass("@import 'p';", {"assets/css/_p.sass": "p\n  q: r\n"}).text == "p {\n  q: r; }\n"


def test_the_file_beside_the_importing_one_comes_before_the_top_of_the_tree(compile_sass: Compile) -> None:
    files: dict[str, str | bytes] = {"assets/_p.scss": "top{q:r}", "assets/css/_p.scss": "near{q:r}"}
    assert compile_sass("@import 'p';", files).text.startswith("near")


def test_the_roots_are_one_tree_and_the_first_that_has_the_path_wins(compile_sass: Compile) -> None:
    files: dict[str, str | bytes] = {"one/css/_p.scss": "one{q:r}", "two/css/_p.scss": "two{q:r}", "two/css/_o.scss": "o{q:r}"}
    filtered = compile_sass("@import 'p', 'o';", files, roots=("one", "two"))
    assert filtered.text == "one {\n  q: r; }\n\no {\n  q: r; }\n"


def test_what_an_imported_file_imports_is_relative_to_that_file(compile_sass: Compile, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"assets/lib/_a.scss": "@import 'b';", "assets/lib/_b.scss": "b{q:r}"}
    filtered = compile_sass("@import '../lib/a';", files)
    assert filtered.text == "b {\n  q: r; }\n"
    assert filtered.read == tuple(str(tmp_path / "assets/lib" / name) for name in ("_a.scss", "_b.scss"))


@pytest.mark.parametrize("includes", [["assets/vendor"], ["vendor"], "assets/vendor"])
def test_includes_are_folders_in_which_imports_are_looked_for(compile_sass: Compile, includes: object) -> None:
    files: dict[str, str | bytes] = {"assets/vendor/lib/_p.scss": "p{q:r}"}
    assert compile_sass("@import 'lib/p';", files, LIBSASS_INCLUDES=includes).text == "p {\n  q: r; }\n"


def test_includes_outside_the_roots_are_refused(compile_sass: Compile) -> None:
    with pytest.raises(
        FilterUnavailableError, match='LIBSASS_INCLUDES names "vendor", which is no folder inside a source root'
    ):
        compile_sass("a{b:c}", {"vendor/_p.scss": "p{q:r}"}, LIBSASS_INCLUDES=["vendor"])


@pytest.mark.parametrize("imported", ["../../secret", "../secret/../../secret", "../../assets-secret/s", "../.."])
def test_an_import_never_leaves_the_roots(compile_sass: Compile, imported: str) -> None:
    files: dict[str, str | bytes] = {"secret.scss": "SECRET", "assets-secret/s.scss": "SECRET", "assets/secret/x": ""}
    error = failing(compile_sass, f"\n@import '{imported}';", files)
    assert (error.message, error.line, error.column) == (f'"{imported}" leads out of the source roots', 2, 9)


def test_an_absolute_import_is_refused_even_inside_the_roots(compile_sass: Compile, tmp_path: Path) -> None:
    path = tmp_path / "assets/css/p"
    error = failing(compile_sass, f"@import '{path}';", {"assets/css/_p.scss": "p{q:r}"})
    assert error.message == f'"{path}" is an absolute path: imports stay inside the source roots'


@pytest.mark.parametrize(
    "imported", ["//etc/passwd", "//fonts.example/css?family=A", "https://x.example/y", "x.css", "a b.css"]
)
def test_what_sass_leaves_to_the_browser_is_never_looked_for(compile_sass: Compile, imported: str) -> None:
    filtered = compile_sass(f"@import '{imported}';")
    assert imported in filtered.text
    assert filtered.read == ()


def test_a_link_that_leads_out_of_the_roots_is_refused(compile_sass: Compile, tmp_path: Path) -> None:
    (tmp_path / "assets/css").mkdir(parents=True)
    (tmp_path / "assets/css/_p.scss").symlink_to(tmp_path / "secret.scss")
    error = failing(compile_sass, "@import 'p';", {"secret.scss": "SECRET"})
    assert error.message == '"css/_p.scss" is a link that leads out of the source roots'


def test_a_link_inside_the_roots_is_followed(compile_sass: Compile, tmp_path: Path) -> None:
    (tmp_path / "assets/css").mkdir(parents=True)
    (tmp_path / "assets/css/_p.scss").symlink_to(tmp_path / "assets/other.scss")
    assert compile_sass("@import 'p';", {"assets/other.scss": "p{q:r}"}).text == "p {\n  q: r; }\n"


def test_a_root_may_itself_be_a_link(compile_sass: Compile, tmp_path: Path) -> None:
    (tmp_path / "real/css").mkdir(parents=True)
    (tmp_path / "assets").symlink_to(tmp_path / "real")
    assert compile_sass("@import 'p';", {"real/css/_p.scss": "p{q:r}"}).text == "p {\n  q: r; }\n"


def test_a_missing_import_is_an_error_at_its_place(compile_sass: Compile) -> None:
    error = failing(compile_sass, "a{b:c}\n\n@import 'nope';")
    assert (error.message, error.line, error.column, error.file) == ('"nope" is in no source root', 3, 9, "")


def test_two_files_that_an_import_may_mean_are_an_error(compile_sass: Compile) -> None:
    error = failing(compile_sass, "@import 'p';", {"assets/css/_p.scss": "", "assets/css/p.scss": ""})
    assert error.message == 'it is not clear which is meant, "css/_p.scss" or "css/p.scss"'


def test_an_error_in_the_sheet_has_line_and_column(compile_sass: Compile) -> None:
    error = failing(compile_sass, "\r\n\r\néé { b: $c }")
    assert (error.message, error.line, error.column, error.file) == ('Undefined variable: "$c"', 3, 9, "")


@pytest.mark.parametrize(("name", "text"), [("_p.scss", "\n\na { b: $c }"), ("_p.sass", "\n\na\n  b: $c\n")])
def test_an_error_in_an_imported_file_names_that_file(compile_sass: Compile, tmp_path: Path, name: str, text: str) -> None:
    error = failing(compile_sass, "@import 'p';", {f"assets/css/{name}": text})
    assert error.message == 'Undefined variable: "$c"'
    assert error.line >= 3
    assert error.file == str(tmp_path / "assets/css" / name)


def test_files_that_import_each_other_are_an_error(compile_sass: Compile) -> None:
    files: dict[str, str | bytes] = {"assets/css/_a.scss": "@import 'b';", "assets/css/_b.scss": "@import 'a';"}
    error = failing(compile_sass, "@import 'a';", files)
    assert error.message.startswith("An @import loop has been found: css/site.scss imports css/_a.scss")


def test_the_message_of_error_is_passed_on(compile_sass: Compile) -> None:
    error = failing(compile_sass, "@mixin f { @error 'no such size'; }\na { @include f }")
    assert (error.message, error.line) == ("no such size", 1)


def test_warnings_of_the_sheet_are_notes(compile_sass: Compile, capfd: pytest.CaptureFixture[str]) -> None:
    filtered = compile_sass("@warn 'old'; @debug 1 + 1; a{b:c}")
    assert [note.message for note in filtered.notes] == ["Sass says: old", "Sass says: 2"]
    assert capfd.readouterr() == ("", "")


def test_an_imported_file_that_is_not_utf8_is_an_error(compile_sass: Compile) -> None:
    error = failing(compile_sass, "@import 'p';", {"assets/css/_p.scss": b"a{b:'\xff'}"})
    assert error.message == '"css/_p.scss" is not UTF-8: byte 0xff at position 5'


def test_a_byte_order_mark_in_an_imported_file_is_no_part_of_a_selector(compile_sass: Compile) -> None:
    assert compile_sass("@import 'p';", {"assets/css/_p.scss": b"\xef\xbb\xbfp{q:r}"}).text == "p {\n  q: r; }\n"


def test_a_nul_character_is_an_error_at_its_place(compile_sass: Compile) -> None:
    error = failing(compile_sass, "a{b:c}\n\0")
    assert (error.message, error.line, error.column) == ("this text holds a NUL character", 2, 1)


def test_a_nul_character_in_an_imported_file_is_an_error_there(compile_sass: Compile, tmp_path: Path) -> None:
    error = failing(compile_sass, "@import 'p';", {"assets/css/_p.scss": "a{b:c}\n\0"})
    assert (error.line, error.column, error.file) == (2, 1, str(tmp_path / "assets/css/_p.scss"))


def test_the_output_holds_no_path_of_this_machine(compile_sass: Compile, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"assets/css/_p.scss": "/* p */ p{q:r}", "assets/css/q.sass": "q\n  r: s\n"}
    assert str(tmp_path) not in compile_sass("@import 'p', 'q'; /* s */", files).text


def test_the_identity_tells_versions_and_options() -> None:
    filters = [libsass.load("libsass", {"LIBSASS_STYLE": style}) for style in ("compact", "compressed")]
    assert filters[0].identity() != filters[1].identity()
    assert filters[0].identity()[-1] == "style=compact"


def test_sass_is_neither_pure_nor_meaning_keeping() -> None:
    tool = libsass.load("libsass", {})
    assert not tool.pure
    assert not tool.keeps_meaning


def test_an_empty_sheet_is_an_empty_sheet(tmp_path: Path) -> None:
    unit = Unit("a.scss", str(tmp_path / "a.scss"), (str(tmp_path),), "other")
    assert libsass.load("libsass", {}).apply("", unit).text == ""
