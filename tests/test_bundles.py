"""Bundles: what is in them, in which order, and what becomes of the parts."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from assetbuild import config as configuration
from assetbuild import pool
from assetbuild.errors import AssetbuildError, BuildError, ConfigError
from assetbuild.explain import explain
from assetbuild.verify import verify
from tests.conftest import Project


def bundle(name: str, *contents: str, **keys: object) -> str:
    """A table of the configuration."""
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in {"contents": list(contents), **keys}.items())
    return f"[bundles.{json.dumps(name)}]\n{lines}"


def build(project: Project, files: Mapping[str, str | bytes], *tables: str, top: str = "") -> Project:
    written: dict[str, str | bytes] = {f"assets/{path}": text for path, text in files.items()}
    project.write({**written, "assetbuild.toml": top + "".join(tables)}).compile()
    assert verify(project.folder / "dist").findings == ()
    return project


def failure(project: Project, files: Mapping[str, str | bytes], *tables: str, top: str = "") -> AssetbuildError:
    with pytest.raises(AssetbuildError) as caught:
        build(project, files, *tables, top=top)
    return caught.value


ABC = {f"js/{name}.js": f"state.push('{name}')" for name in "abc"}


def test_parts_come_in_order_and_a_globs_matches_sorted(project: Project) -> None:
    build(project, ABC, bundle("all.js", "js/c.js", "js/*.js"))
    assert project.text("all.js") == "state.push('c');state.push('a');state.push('b')"


def test_a_part_is_in_a_bundle_once(project: Project) -> None:
    build(project, ABC, bundle("all.js", "js/a.js", "js/a.js", "js/*.js", "js/a.js"))
    assert project.text("all.js").count("'a'") == 1


def test_what_a_part_s_comment_of_a_source_map_parted_stays_parted(project: Project) -> None:
    files = {"js/a.js": "function a(){return/*# sourceMappingURL=a.map\n*/1}", "js/a.map": "{}"}
    build(project, files, bundle("all.js", "js/a.js", filters=[]))
    assert project.text("all.js") == "function a(){return\n1}"


def test_other_bundles_are_parts_and_their_parts_come_once(project: Project) -> None:
    tables = (bundle("all.js", "lib.js", "js/*.js"), bundle("lib.js", "js/b.js", "js/a.js"))
    build(project, ABC, *tables)
    assert project.text("lib.js") == "state.push('b');state.push('a')"
    assert project.text("all.js") == "state.push('b');state.push('a');state.push('c')"


def test_a_bundle_whose_filters_do_more_than_minify_is_one_part(project: Project) -> None:
    project.write({"loudly.py": SHOUT})
    build(project, ABC, bundle("lib.js", "js/a.js", filters=["loudly:Shout"]), bundle("all.js", "lib.js", "js/b.js"))
    assert project.text("lib.js") == "STATE.PUSH('A')"
    assert project.text("all.js") == "STATE.PUSH('A');state.push('b')"


SHOUT = """
from webassets.filter import Filter


class Shout(Filter):
    def output(self, _in, out, **kwargs):
        out.write(_in.read().upper())
"""


def test_parts_are_not_published_on_their_own(project: Project) -> None:
    build(project, ABC, bundle("all.js", "js/a.js", "js/b.js"))
    assert sorted(project.manifest["assets"]) == ["all.js", "js/c.js"]


def test_publish_parts_publishes_them(project: Project) -> None:
    build(project, ABC, bundle("all.js", "js/*.js", publish_parts=True))
    assert sorted(project.manifest["assets"]) == ["all.js", "js/a.js", "js/b.js", "js/c.js"]


def test_a_reference_to_a_part_that_is_not_published_says_so(project: Project) -> None:
    error = failure(project, {"a.css": "a{}", "b.css": "\n@import 'a.css';"}, bundle("all.css", "a.css"))
    assert str(error) == (
        'assets/b.css:2:10: "a.css" is a part of the bundle "all.css" and not published on its own; '
        'refer to the bundle, or set publish_parts = true in [bundles."all.css"]'
    )
    assert error.exit_status == 1


def test_a_bundle_is_an_asset_that_others_refer_to(project: Project) -> None:
    files = {"css/a.css": "a{color:red}", "js/m.js": "export const u = new URL('../css/all.css', import.meta.url)"}
    build(project, files, bundle("css/all.css", "css/a.css"))
    assert project.public("css/all.css").removeprefix("css/") in project.text("js/m.js")
    before = project.public("js/m.js")
    project.write({"assets/css/a.css": "a{color:blue}"}).compile()
    assert project.public("js/m.js") != before


def test_references_keep_their_meaning_wherever_the_part_stood(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "vendor/x/css/x.css": "a{background:url(../img/a%20b.png?q#f)} b{background:url(data:,)} c{background:url(#d)}",
        "vendor/x/img/a b.png": b"P",
        "theme/t.css": "i{background:url('/static/theme/u.png')}",
        "theme/u.png": b"U",
    }
    build(project, files, bundle("deep/down/all.css", "vendor/x/css/x.css", "theme/t.css"))
    p = project.public("vendor/x/img/a b.png").replace(" ", "%20")
    assert project.text("deep/down/all.css") == (
        f"a{{background:url(../../{p}?q#f)}}b{{background:url(data:,)}}c{{background:url(#d)}}"
        f"i{{background:url('../../{project.public('theme/u.png')}')}}"
    )


def test_what_a_part_refers_to_and_nothing_answers_is_reported_at_its_place_in_the_part(project: Project) -> None:
    files = {
        "css/a.css": "a{}\nb{background:url(no.png)}",
        "css/sub/b.css": "@import '../c.css';",
        "css/c.css": "i{src:url(x)}",
    }
    error = failure(project, files, bundle("all.css", "css/a.css", "css/sub/b.css"))
    assert [str(p) for p in error.problems] == [
        'assets/css/a.css:2:18: "no.png" is in no source root; put it there, or let it pass by `missing` in the configuration',
        'assets/css/c.css:1:11: "x" is in no source root; put it there, or let it pass by `missing` in the configuration',
    ]


def test_what_may_be_missing_stays_so_in_the_bundle(project: Project) -> None:
    files = {"css/a.css": "b{background:url(../img/no.png)}"}
    build(project, files, bundle("x/all.css", "css/a.css"), top='missing = "ignore"\n')
    assert project.text("x/all.css") == "b{background:url(../img/no.png)}"
    assert project.manifest["assets"]["x/all.css"]["missing"] == ["../img/no.png"]


def test_parts_go_through_their_own_chains_without_minifiers_and_the_whole_through_the_bundles(project: Project) -> None:
    project.write({"loudly.py": SHOUT})
    tables = '[filters]\n"css/loud.css" = ["loudly:Shout", "rcssmin"]\n'
    files = {"css/loud.css": "a  {  }", "css/low.css": "b  {  }"}
    build(project, files, tables, bundle("raw.css", "css/*.css", filters=[]), bundle("all.css", "css/*.css"))
    assert project.text("raw.css") == "A  {  }\nb  {  }\n"
    assert project.text("all.css") == "A{}b{}"


def test_a_bundle_is_minified_even_if_it_is_called_min(project: Project) -> None:
    build(project, {"a.js": "var  a  =  1"}, bundle("app.min.js", "a.js"))
    assert project.text("app.min.js") == "var a=1"


def test_keep_names_keeps_a_bundles_name(project: Project) -> None:
    build(project, ABC, bundle("sw.js", "js/*.js"), top='keep_names = ["sw.js"]\n')
    assert project.public("sw.js") == "sw.js"


def test_source_map_comments_of_parts_go(project: Project) -> None:
    files = {"a.js": "f()\n//# sourceMappingURL=a.js.map", "a.js.map": "{}", "b.js": "g()"}
    build(project, files, bundle("all.js", "a.js", "b.js", filters=[]))
    assert "sourceMapping" not in project.text("all.js")


def test_nothing_changed_writes_nothing_and_a_change_in_a_part_writes_the_bundle_alone(project: Project) -> None:
    build(project, ABC, bundle("all.js", "js/a.js", "js/b.js"))
    assert project.compile().unchanged
    project.write({"assets/js/a.js": "state.push('A')"})
    assert list(project.compile().written) == [project.public("all.js")]


def test_the_bytes_do_not_depend_on_the_number_of_workers(project: Project) -> None:
    build(
        project,
        {**ABC, "js/big.js": "var x = 1;\n" * 60_000},
        bundle("all.js", "js/*.js"),
        bundle("two.js", "all.js", "js/a.js"),
    )
    before = project.tree()
    assert project.compile(jobs=4).unchanged
    assert project.tree() == before


def test_explain_tells_what_a_bundle_is_made_of_and_what_a_part_is_in(project: Project) -> None:
    build(project, ABC, bundle("all.js", "js/a.js", "js/b.js"))
    config = configuration.load(cwd=project.folder, environ={})
    assert explain(config, "all.js").parts == ("assets/js/a.js", "assets/js/b.js")
    with pytest.raises(BuildError, match=r'"js/a.js" is a part of the bundle "all.js" and not published on its own'):
        explain(config, "js/a.js")


MODULE = "export let a = 1"


@pytest.mark.parametrize(
    ("files", "contents", "message"),
    [
        (
            {"a.js": f"f();\n{MODULE}"},
            ["a.js"],
            "assets/a.js:2:1: this is an ES module, and a bundle joins classic scripts; "
            'take it out and load it with <script type="module">: its imports are linked as they are',
        ),
        ({"a.mjs": "f()"}, ["a.mjs"], "assets/a.mjs:1:1: this is an ES module"),
        ({"a.js": "f(`"}, ["a.js"], "assets/a.js:1:3: this template has no end; mend it: in a bundle"),
        ({"a.js": "function f() {"}, ["a.js"], "assets/a.js:1:14: the brackets of this script do not match"),
        ({"a.css": "a{}"}, ["a.css"], 'assets/a.css: this cannot be a part of the bundle "all.js": the two are of different'),
        ({"a.js": ""}, ["b.js"], 'bundle "all.js": "b.js" in its contents is in no source root; did you mean "a.js"?'),
        ({"a.js": ""}, ["x/*.js"], 'bundle "all.js": its contents match nothing'),
        ({"all.js": ""}, ["all.js"], 'bundle "all.js": assets/all.js has this logical path too'),
        ({"ALL.js": "", "a.js": ""}, ["a.js"], 'bundle "all.js": assets/ALL.js has this logical path too'),
    ],
)
def test_what_cannot_be_a_script_bundle_is_refused(
    project: Project, files: Mapping[str, str], contents: list[str], message: str
) -> None:
    error = failure(project, files, bundle("all.js", *contents))
    assert message in str(error)
    assert error.exit_status == 1


def test_a_bundle_that_is_a_part_of_itself_is_refused(project: Project) -> None:
    error = failure(project, ABC, bundle("a.js", "b.js"), bundle("b.js", "c.js"), bundle("c.js", "js/a.js", "a.js"))
    assert 'bundle "a.js": the bundle is a part of itself: a.js → b.js → c.js → a.js' in str(error)


def test_all_that_is_wrong_with_bundles_is_said_at_once(project: Project) -> None:
    files = {"m.js": MODULE, "b.js": "f(", "c.css": "@namespace url(x);a{}", "d.css": "b{}"}
    error = failure(project, files, bundle("all.js", "m.js", "b.js"), bundle("all.css", "c.css", "d.css"))
    assert [p.file for p in error.problems] == ["assets/b.js", "assets/c.css", "assets/m.js"]


def test_an_unknown_filter_of_a_bundle_is_a_mistake_of_the_configuration(project: Project) -> None:
    error = failure(project, ABC, bundle("all.js", "js/*.js", filters=["rjsmim"]))
    assert isinstance(error, ConfigError)
    assert 'bundle "all.js": rjsmim' in str(error)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"1.css": "@namespace 'x';a{}", "2.css": "b{}"},
            "assets/1.css:1:1: its default namespace would hold for 2.css too, and a bundle is one sheet",
        ),
        (
            {"1.css": "@namespace p 'x';p|a{}", "2.css": "\n@namespace p 'y';p|b{}"},
            'assets/2.css:2:1: the prefix "p" is another one than in 1.css, and a bundle is one sheet',
        ),
    ],
)
def test_namespaces_that_would_change_other_parts_are_refused(project: Project, files: Mapping[str, str], message: str) -> None:
    assert message in str(failure(project, files, bundle("all.css", "*.css")))


def warnings(project: Project, files: Mapping[str, str], *tables: str) -> list[str]:
    project.write({f"assets/{path}": text for path, text in files.items()} | {"assetbuild.toml": "".join(tables)})
    return [str(problem) for problem in project.compile().warnings]


def test_an_import_below_other_rules_is_dropped_with_a_warning(project: Project) -> None:
    said = warnings(project, {"1.css": "a{}\n@import 'x.css';b{}", "x.css": "i{}"}, bundle("all.css", "1.css"))
    assert said == ["assets/1.css:2:1: browsers ignore an @import below other rules; left out of the bundle"]
    assert project.text("all.css") == "a{}b{}"


def test_an_outside_import_that_moves_above_other_rules_is_told(project: Project) -> None:
    files = {"1.css": "a{}", "2.css": "@import url(https://example.com/x.css);b{}"}
    said = warnings(project, files, bundle("all.css", "1.css", "2.css"))
    assert "assets/2.css:1:1: this import of what is not in the sources moves to the top of the bundle" in said[0]
    assert project.text("all.css") == "@import url(https://example.com/x.css);a{}b{}"


def test_a_directive_that_loses_its_effect_is_told(project: Project) -> None:
    said = warnings(project, {"1.js": "f()", "2.js": "// b\n'use strict';g()"}, bundle("all.js", "1.js", "2.js"))
    assert 'assets/2.js:2:1: this "use strict" is without effect in the bundle' in said[0]


def test_a_glob_that_matches_nothing_is_told(project: Project) -> None:
    said = warnings(project, ABC, bundle("all.js", "js/a.js", "lib/*.js"))
    assert said == ['bundle "all.js": "lib/*.js" in its contents matches no source']


def test_what_is_said_of_the_whole_is_told_at_its_place_in_the_part(project: Project) -> None:
    controls = "".join(map(chr, [*range(1, 9), *range(14, 28), 127]))
    said = warnings(project, {"1.js": "\n\nf()", "2.js": f"g('{controls}')"}, bundle("all.js", "*.js"))
    assert said == [
        'assets/1.js:1:1: in the bundle "all.js": rjsmin would change the meaning here; published as it was written'
    ]
    assert project.text("all.js").count("\n") > 2


def test_charset_is_written_once_and_first(project: Project) -> None:
    files = {"1.css": "/*! kept */a{}", "2.css": '@charset "utf-8";b{content:"ä"}', "3.css": '@charset "UTF-8";i{}'}
    build(project, files, bundle("all.css", "*.css"))
    assert project.text("all.css").startswith('@charset "UTF-8";')
    assert project.text("all.css").lower().count("@charset") == 1


def test_an_import_chain_of_any_length_is_put_in_place(project: Project) -> None:
    files = {f"{n}.css": f"@import '{n + 1}.css';.a{n}{{}}" for n in range(1100)} | {"1100.css": ".end{}"}
    build(project, files, bundle("all.css", "0.css"), top="compress = []\n")
    assert project.text("all.css").startswith(".end{}.a1099{}")


def test_imports_that_double_at_each_step_stay_linear(project: Project) -> None:
    files = {f"{n}.css": f"@import '{n + 1}.css';@import './{n + 1}.css?x';.a{n}{{}}" for n in range(60)} | {"60.css": ".end{}"}
    build(project, files, bundle("all.css", "0.css"))
    assert project.text("all.css").count(".end") == 1


def test_with_layers_imports_that_double_at_each_step_are_refused(project: Project) -> None:
    files = {f"{n}.css": f"@import '{n + 1}.css' layer(x);@import '{n + 1}.css';" for n in range(60)} | {"60.css": ".end{}"}
    error = failure(project, files, bundle("all.css", "0.css"))
    assert "assets/0.css: its imports lead to more than 10,000 sheets" in str(error)


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        ("function init() {}\ninit()", "init(1)\nfunction init() {}", "2:10"),
        ("a\nasync function init() {}", "/* function init */ function* init() {}", "1:31"),
        ("var a = 1, init = 2", "async function init() {}", "1:16"),
        ("for (var init = 0;;) {}", "x()\nfunction init() {}", "2:10"),
        ("var {a: init} = {}", "`${{}}`\nfunction init() {}", "2:10"),
    ],
)
def test_a_function_that_an_earlier_part_declares_too_is_warned_of(
    project: Project, first: str, second: str, place: str
) -> None:
    project.write({"assets/1.js": first, "assets/2.js": second, "assetbuild.toml": bundle("all.js", "1.js", "2.js")})
    assert [str(p) for p in project.compile().warnings] == [
        f'assets/2.js:{place}: "init" is declared in 1.js too: in a bundle the last one holds from the start, for 1.js as '
        "well; put each part into (function () { … })()"
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("function init() {}", "var init = 2"),
        ("var init", "var init = 2"),
        ("(function () { function init() {} })()", "function init() {}"),
        ("var f = function init() {}; !function init() {}()", "function init() {}"),
        ("var f = {init: 1, function: 2}, g = f.function\ninit = 3", "function init() {}"),
        ("{ let init = 1 }", "class init {}"),
        ("var x = class init {}", "let init"),
    ],
)
def test_names_that_two_parts_may_declare(project: Project, first: str, second: str) -> None:
    project.write({"assets/1.js": first, "assets/2.js": second, "assetbuild.toml": bundle("all.js", "1.js", "2.js")})
    assert project.compile().warnings == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("let one = 1", "const one = 2"),
        ("var one", "x()\nlet one"),
        ("const {a, one} = x", "function one() {}"),
        ("class one {}", "var a = [1, 2],\n  one = 2"),
        ("function one() {}", "class one {}"),
    ],
)
def test_a_name_of_let_const_or_class_that_is_declared_twice_would_keep_the_bundle_from_running(
    project: Project, first: str, second: str
) -> None:
    error = failure(project, {"1.js": first, "2.js": second}, bundle("all.js", "1.js", "2.js"))
    assert "assets/2.js:" in str(error)
    assert '"one" is declared in 1.js too: with let, const or class a name can be declared only once' in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a()\nreturn", "2:1: this return is in no function"),
        ("/* */ else { a() }", '1:7: this begins with "else", and one part of a bundle cannot continue into the next'),
        ("catch (e) {}", '1:1: this begins with "catch", and one part of a bundle cannot continue into the next'),
        ("a({\n  b: [1)\n})", "2:8: the brackets of this script do not match"),
        ("a()\nb({", "2:2: the brackets of this script do not match"),
        ("a()\n}", "2:1: the brackets of this script do not match"),
    ],
)
def test_a_part_that_would_take_the_others_down_is_refused_at_its_place(project: Project, text: str, message: str) -> None:
    error = failure(project, {"1.js": "if (a) {}", "2.js": text}, bundle("all.js", "1.js", "2.js"))
    assert str(error).startswith(f"assets/2.js:{message}")


def test_a_part_that_is_no_text_cannot_be_joined(project: Project) -> None:
    error = failure(project, {"a.png": b"\x89PNG", "b.png": b"ab\xff"}, bundle("all.bin", "a.png", "b.png"))
    assert [str(p) for p in error.problems] == [
        "assets/a.png: this is no text (byte 0x89 at position 0): it cannot be joined",
        "assets/b.png: this is no text (byte 0xff at position 2): it cannot be joined",
    ]


def test_a_prefix_that_only_another_part_declares_is_refused(project: Project) -> None:
    files = {"a.css": "@namespace svg 'http://www.w3.org/2000/svg';svg|a{}", "b.css": "i[a|='x']{}\nsvg|a, b{}"}
    error = failure(project, files, bundle("all.css", "a.css", "b.css"))
    assert str(error).startswith('assets/b.css:2:1: the prefix "svg" is declared in a.css, and would hold here too')
    build(project, {**files, "b.css": "i[svg|='x']{} a||b{}"}, bundle("all.css", "a.css", "b.css"))


def test_an_import_of_the_sheet_itself_is_dropped_without_a_word(project: Project) -> None:
    files = {"assets/a.css": "i{}", "assets/b.css": "@import '';@import url(#f);b{}"}
    project.write({**files, "assetbuild.toml": bundle("all.css", "a.css", "b.css")})
    assert project.compile().warnings == ()
    assert project.text("all.css") == "i{}b{}"


def test_a_layer_anywhere_leaves_no_copies_of_sheets_without_layers(project: Project) -> None:
    files = {"a.css": "@import 'x.css';@import 'l.css';@import 'x.css';", "x.css": "i{}", "l.css": "@layer l{b{}}"}
    build(project, files, bundle("all.css", "a.css"))
    assert project.text("all.css") == "@layer l{b{}}i{}"


def test_an_outside_import_behind_a_layer_without_a_name_is_warned_of(project: Project) -> None:
    files = {"assets/a.css": "@import 'x.css' layer;\n@import 'https://a.example/b.css' layer;", "assets/x.css": "i{}"}
    project.write({**files, "assetbuild.toml": bundle("all.css", "a.css")})
    assert (
        "assets/a.css:2:1: this import moves to the top of the bundle, and its layer below one without a name that came "
        in ("\n".join(map(str, project.compile().warnings)))
    )


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Something in it for each time that workers are started."""
    started: list[int] = []
    run = pool.run

    def counted(*args: object, **keys: object) -> object:
        started.append(1)
        return run(*args, **keys)  # type: ignore[arg-type]

    monkeypatch.setattr(pool, "run", counted)
    return started


def test_workers_are_started_for_much_work_and_for_filters_that_may_hang(project: Project, started: list[int]) -> None:
    build(project, {"a.css": "a  {}", "b.js": "let  b"})
    assert not started
    project.write({"mine.py": "from webassets.filter import Filter\nclass Mine(Filter):\n    pass\n"})
    build(project, {"c.css": "c  {}"}, '[filters]\n"c.css" = ["mine:Mine"]\n')
    assert len(started) == 1
    build(project, {"d.css": "d  {}\n" * 10_000})
    assert len(started) == 2


def test_a_long_chain_of_imports_takes_no_workers_for_each_level(project: Project, started: list[int]) -> None:
    files = {f"x{n}.css": f"@import 'x{n + 1}.css';" for n in range(300)} | {"x300.css": "i{}"}
    build(project, files, bundle("all.css", "x0.css"), bundle("parts.css", *(f"x{n}.css" for n in range(1, 3))))
    assert project.text("all.css") == project.text("parts.css") == "i{}"
    assert len(started) < 5


def test_a_bracket_that_closes_nothing_does_not_end_the_condition_of_an_import(project: Project) -> None:
    files = {"a.css": "@import url(http://x/a.css) supports(];a", "b.css": "b{c:d}"}
    build(project, files, bundle("all.css", "a.css", "b.css"))
    assert project.text("all.css") == "@import url(http://x/a.css) supports(];a);\nb{c:d}\n"


def test_a_script_that_ends_in_what_is_no_blank_in_javascript_is_parted_from_the_next(project: Project) -> None:
    files = {"a.js": "a;\x1d", "b.js": "b"}
    build(project, files, bundle("all.js", "a.js", "b.js"), top="[filters]\n'*.js' = []\n")
    assert project.text("all.js") == "a;\x1d\n;\nb"
