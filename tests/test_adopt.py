"""What webassets' bundles become: a dict of files in, the adopted configuration out. Nothing is built here."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import webassets.filter

from assetbuild import config as configuration
from assetbuild import interrupts, pool
from assetbuild.adopt import Adopted, adopt
from assetbuild.adopt.translation import unversioned
from assetbuild.config import Bundle
from assetbuild.errors import ConfigError, Problem
from assetbuild.filters import Unit
from assetbuild.filters.chains import Chain, load
from assetbuild.patterns import Pattern
from assetbuild.sources import Source
from assetbuild.unit import Compiled, Job, Tools, compile_unit

Adopt = Callable[..., Adopted]
Refused = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path) -> Iterator[None]:
    """The modules of a test's project are gone afterwards."""
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def adopted(tmp_path: Path) -> Adopt:
    """Adopt a project: `site_env:env`, unless told otherwise. Its files besides the module are empty where a list is given."""

    def run(
        module: str = "", files: tuple[str, ...] = (), *, bundles_from: str = "site_env:env", toml: str = "", **texts: str
    ) -> Adopted:
        if module:
            head = "from webassets import Bundle, Environment\nfrom webassets.filter import *\n"
            start = 'env = Environment("static", "/static")\n' if "Environment(" not in module else ""
            texts["site_env.py"] = head + start + module
        texts["assetbuild.toml"] = f'bundles_from = "{bundles_from}"\n{toml}'
        for name, text in {**dict.fromkeys(files, ""), **texts}.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (tmp_path / "static").mkdir(exist_ok=True)
        return adopt(configuration.load(cwd=tmp_path, environ={}))

    return run


@pytest.fixture
def refused(adopted: Adopt) -> Refused:
    """The messages of the ConfigError that adopting raises."""

    def run(*args: object, **keywords: object) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            adopted(*args, **keywords)
        return [str(problem) for problem in caught.value.problems]

    return run


def patterns(*paths: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(path, from_top=True) for path in paths)


def only(adopted: Adopted) -> Bundle:
    (bundle,) = adopted.config.bundles
    return bundle


def texts(found: tuple[Pattern, ...]) -> list[str]:
    return [pattern.text for pattern in found]


# Roots


def test_bundles_name_files_below_a_prefix_by_their_path_in_the_tree(adopted: Adopt) -> None:
    toml = 'sources = ["x", {path = "static", prefix = "lib"}]'
    found = adopted('env.register("a", "js/a.js", output="b.js")', ("static/js/a.js", "x/js/a.js"), toml=toml)
    assert texts(only(found).contents) == ["lib/js/a.js"]


def test_without_bundles_from_the_configuration_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    config = configuration.load(cwd=tmp_path, environ={})
    assert adopt(config) == Adopted(config)


def test_the_directory_becomes_a_source_root(adopted: Adopt, tmp_path: Path) -> None:
    config = adopted('env.register("a", "a.js", output="out.js")', ("static/a.js",)).config
    assert (config.sources, config.bundles_from) == ((tmp_path / "static",), None)
    assert config.bundles == (Bundle("out.js", patterns("a.js"), (), part_filters=()),)


def test_a_directory_that_is_configured_already_stands_once(adopted: Adopt, tmp_path: Path) -> None:
    config = adopted(
        'env.register("a", "a.js", output="b.js")', ("static/a.js", "x/y"), toml='sources = ["x", "static"]'
    ).config
    assert config.sources == (tmp_path / "x", tmp_path / "static")


def test_load_paths_follow_the_directory_and_may_be_globs(adopted: Adopt, tmp_path: Path) -> None:
    module = 'env.append_path("lib/*", "/lib")\nenv.append_path("own")\nenv.register("a", "x.js", "*.js", output="out.js")'
    found = adopted(module, ("lib/b/x.js", "lib/a/w.js", "own/v.js"))
    assert found.config.sources == tuple(tmp_path / name for name in ("static", "lib/a", "lib/b", "own"))
    assert texts(only(found).contents) == ["x.js", "w.js", "v.js"]


def test_a_load_path_inside_another_root_is_no_root_of_its_own(adopted: Adopt, tmp_path: Path) -> None:
    found = adopted('env.append_path("static/src")\nenv.register("a", "a.js", output="b.js")', ("static/src/a.js",))
    assert found.config.sources == (tmp_path / "static",)
    assert texts(only(found).contents) == ["src/a.js"]


def test_a_file_that_another_root_hides_is_an_error_that_names_both(refused: Refused) -> None:
    files = ("assets/a.js", "static/a.js")
    (message,) = refused('env.register("x", "a.js", output="b.js")', files)
    assert message.startswith('assetbuild.toml: bundle "x": contents: "static/a.js" is hidden by "assets/a.js"')


def test_a_file_outside_all_roots_is_an_error_that_says_what_to_add(refused: Refused) -> None:
    (message,) = refused('env.register("x", "../lib/dist/a.js", output="b.js")', ("lib/dist/a.js",))
    assert '"lib/dist/a.js" is in no source root; add "lib/dist" to sources' in message


def test_the_artifact_may_not_be_in_an_adopted_root(refused: Refused) -> None:
    (message,) = refused('env.register("x", "a.js", output="b.js")', ("static/a.js",), toml='output = "static/dist"')
    assert 'directory: "static/dist" is inside the source root "static"' in message


def test_what_webassets_has_built_is_no_source(adopted: Adopt) -> None:
    module = 'env.register("x", "*.js", output="all.%(version)s.js")\nenv.register("y", "a.js", output="y.js")'
    config = adopted(module, ("static/a.js", "static/b.js")).config
    passed = [path for path in ("all.0123abcd.js", "all.1700000000.js", "y.js") for p in config.exclude if p.matches(path)]
    assert passed == ["all.0123abcd.js", "all.1700000000.js", "y.js"]
    assert not any(p.matches(path) for p in config.exclude for path in ("all.js", "all.bundle.js", "a.js"))


def test_parts_that_would_be_passed_over_are_kept(adopted: Adopt) -> None:
    found = adopted('env.register("x", "node_modules/d/d.js", output="b.js")', ("static/node_modules/d/d.js",))
    assert texts(found.config.keep_names) == texts(only(found).contents) == ["node_modules/d/d.js"]


def test_a_part_that_exclude_leaves_out_is_an_error(refused: Refused) -> None:
    (message,) = refused('env.register("x", "a.js", output="b.js")', ("static/a.js",), toml='exclude = ["a.js"]')
    assert '"static/a.js" is left out by exclude' in message


# Contents


def test_globs_are_the_files_that_webassets_finds_sorted(adopted: Adopt) -> None:
    found = adopted('env.register("x", "z.js", "*.js", output="gen/b.js")', ("static/z.js", "static/b.js", "static/a.js"))
    assert texts(only(found).contents) == ["z.js", "a.js", "b.js"]


def test_names_with_glob_characters_are_taken_as_they_are(adopted: Adopt) -> None:
    found = adopted('env.register("x", "*.js", output="b.js")', ("static/a[1]{2}.js",))
    (pattern,) = only(found).contents
    assert pattern.matches("a[1]{2}.js")
    assert not pattern.matches("a1{2}.js")


def test_a_glob_that_finds_nothing_is_left_to_the_build(adopted: Adopt) -> None:
    assert texts(only(adopted('env.register("x", "no/*.js", output="b.js")')).contents) == ["no/*.js"]


def test_absolute_contents_are_known_by_their_path_in_the_tree(adopted: Adopt) -> None:
    module = 'import os\nenv.register("x", os.path.abspath("static/a.js"), output="b.js")'
    assert texts(only(adopted(module, ("static/a.js",))).contents) == ["a.js"]


def test_another_bundles_output_is_that_bundle(adopted: Adopt) -> None:
    module = 'env.register("x", "a.js", output="gen/x.js")\nenv.register("y", "gen/x.js", "b.js", output="y.js")'
    config = adopted(module, ("static/a.js", "static/b.js")).config
    assert [texts(bundle.contents) for bundle in config.bundles] == [["a.js"], ["gen/x.js", "b.js"]]


def test_a_files_second_mention_is_dropped_with_a_warning_where_webassets_would_keep_it(adopted: Adopt) -> None:
    module = 'env.register("x", "a.js", "*.js", remove_duplicates=False, output="gen/b.js")'
    found = adopted(module, ("static/a.js",))
    assert texts(only(found).contents) == ["a.js"]
    assert ['"static/a.js" is in it twice' in str(warning) for warning in found.warnings] == [True]


def test_depends_are_patterns(adopted: Adopt) -> None:
    module = 'env.register("x", "a.scss", filters="libsass", depends=["**/*.scss", "./b/../c.scss"], output="b.css")'
    assert texts(only(adopted(module, ("static/a.scss",))).depends) == ["**/*.scss", "c.scss"]


# Nested bundles


def test_a_nested_bundle_is_a_bundle_that_is_only_a_part(adopted: Adopt) -> None:
    module = 'env.register("x", "a.js", Bundle("b.js", filters="rjsmin"), output="app.js")'
    outer, inner = adopted(module, ("static/a.js", "static/b.js")).config.bundles
    assert outer == Bundle("app.js", patterns("a.js", "app.js/(1).js"), (), part_filters=())
    assert inner == Bundle("app.js/(1).js", patterns("b.js"), ("rjsmin",), part_filters=(), published=False)


def test_a_nested_bundle_with_an_output_is_merged_and_not_published(adopted: Adopt) -> None:
    module = 'env.register("x", Bundle("a.js", output="a.out.js"), output="app.js")'
    config = adopted(module, ("static/a.js",)).config
    assert [(bundle.name, bundle.published) for bundle in config.bundles] == [("app.js", True), ("app.js/(1).js", False)]


def test_an_empty_nested_bundle_is_left_out(adopted: Adopt) -> None:
    assert texts(only(adopted('env.register("x", "a.js", Bundle("no/*"), output="b.js")', ("static/a.js",))).contents) == [
        "a.js"
    ]


def test_a_nested_bundles_name_is_never_that_of_a_source(adopted: Adopt) -> None:
    module = 'env.register("x", Bundle("a.js"), output="app.js")'
    found = adopted(module, ("static/a.js", "static/app.js/(1).js"))
    assert texts(found.config.bundles[0].contents) == ["app.js/(2).js"]


def test_a_container_is_several_bundles_with_its_filters(adopted: Adopt) -> None:
    inner = 'Bundle("b.css", filters="libsass", output="b.out.css")'
    module = f'env.register("x", Bundle("a.css", output="a.out.css"), Bundle({inner}, filters="cssmin"), filters="rcssmin")'
    config = adopted(module, ("static/a.css", "static/b.css")).config
    assert [(bundle.name, bundle.filters) for bundle in config.bundles] == [
        ("a.out.css", ("rcssmin",)),
        ("b.out.css", ("libsass", "cssmin", "rcssmin")),
    ]


def test_a_bundle_that_is_in_itself_is_an_error(refused: Refused) -> None:
    (message,) = refused('a = Bundle("a.js", output="b.js")\na.contents = (a, "a.js")\nenv.register("x", a)', ("static/a.js",))
    assert "it is in itself" in message


def test_a_bundle_without_an_output_is_only_a_part(adopted: Adopt) -> None:
    module = 'lib = env.register("lib", "a.js")\nenv.register("x", lib, output="b.js")'
    found = adopted(module, ("static/a.js",))
    assert [bundle.name for bundle in found.config.bundles if bundle.published] == ["b.js"]
    assert found.warnings == ()


def test_a_bundle_with_filters_and_no_output_that_nothing_holds_is_a_warning(adopted: Adopt) -> None:
    found = adopted('env.register("lost", "a.js", filters="rjsmin")', ("static/a.js",))
    assert found.config.bundles == ()
    assert 'bundle "lost": output: it has filters and no output' in str(found.warnings[0])


def test_a_bundle_without_output_and_filters_that_nothing_holds_is_a_warning(adopted: Adopt) -> None:
    yml = "lost:\n  contents: a.js\npart:\n  contents: a.js\nx:\n  contents: part\n  output: x.js\n"
    found = adopted(files=("static/a.js",), bundles_from="w.yml", toml='sources = ["static"]', **{"w.yml": yml})
    assert [str(warning) for warning in found.warnings] == [
        'w.yml:1:1: bundle "lost": output: it has no output, and is in no other bundle: it is not built'
    ]


def test_bundles_that_are_not_to_be_merged_are_those_that_webassets_makes_of_them(adopted: Adopt) -> None:
    module = 'env.register("x", "js/*.js", merge=False, filters="rjsmin", output="gen/%(path)s.%(version)s.js")'
    config = adopted(module, ("static/js/a.js", "static/js/b.js")).config
    assert [(bundle.name, texts(bundle.contents)) for bundle in config.bundles] == [
        ("gen/js/a.js", ["js/a.js"]),
        ("gen/js/b.js", ["js/b.js"]),
    ]


# Outputs


@pytest.mark.parametrize(
    ("output", "logical_path"),
    [
        ("gen/packed.%(version)s.js", "gen/packed.js"),
        ("packed-%(version)s.js", "packed.js"),
        ("packed_%(version)s.min.js", "packed.min.js"),
        ("packed.js?%(version)s", "packed.js"),
        ("packed.js?v=%(version)s", "packed.js"),
        ("base/%(version)s_main.css", "base/main.css"),
        ("%(version)s/main.css", "main.css"),
        ("gen/%(version)s/main.css", "gen/main.css"),
        ("main%(version)s.css", "main.css"),
        ("gen/%(version)s.css", "gen/css"),
        ("plain.css", "plain.css"),
    ],
)
def test_an_output_loses_its_version_and_the_separator(output: str, logical_path: str) -> None:
    assert unversioned(output) == logical_path


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("../b.js", '"../b.js" is outside the directory'),
        ("/b.js", '"/b.js" is outside the directory'),
        ("gen/%(version)s.js", "has nothing but a version for a name"),
        ("gen/all", '"gen/all" has no suffix'),
    ],
)
def test_an_output_that_is_no_logical_path_is_an_error(refused: Refused, output: str, message: str) -> None:
    (found,) = refused(f'env.register("x", "a.js", output="{output}")', ("static/a.js",))
    assert found.startswith('assetbuild.toml: bundle "x": output: ')
    assert message in found


def test_two_bundles_with_one_output_are_an_error_that_names_both(refused: Refused) -> None:
    module = 'env.register("x", "a.js", output="o.js")\nenv.register("y", "b.js", output="o.%(version)s.js")'
    (message,) = refused(module, ("static/a.js", "static/b.js"))
    assert 'bundle "y": output: "o.js" is the output of bundle "x" too' in message


def test_an_output_that_is_a_sources_path_is_an_error_that_names_both(refused: Refused) -> None:
    module = 'env.append_path("src")\nenv.register("x", "a.js", output="a.js")'
    (message,) = refused(module, ("src/a.js",))
    assert message.startswith('assetbuild.toml: bundle "x": output: "a.js" is the path of the source "src/a.js" too')


def test_an_output_that_webassets_has_built_beside_the_sources_is_none(adopted: Adopt) -> None:
    found = adopted('env.register("x", "a.js", output="b.js")', ("static/a.js", "static/b.js"))
    assert only(found).name == "b.js"


def test_one_bundle_under_two_names_is_one(adopted: Adopt) -> None:
    module = 'a = env.register("x", "a.js", output="o.js")\nenv.register("y", a)\nenv.register("all", a)'
    assert only(adopted(module, ("static/a.js",))).name == "o.js"


def test_a_bundle_of_the_file_and_one_of_webassets_with_one_name_are_an_error(refused: Refused) -> None:
    toml = '[bundles."o.js"]\ncontents = ["a.js"]'
    (message,) = refused('env.register("x", "a.js", output="o.js")', ("static/a.js",), toml=toml)
    assert '[bundles."o.js"] has this name too' in message


# Filters


def test_filters_are_split_into_those_of_parts_and_those_of_the_whole(adopted: Adopt) -> None:
    module = 'env.register("x", "a.css", filters="stylus,datauri,rcssmin", output="b.css")'
    bundle = only(adopted(module, ("static/a.css",)))
    assert (bundle.part_filters, bundle.filters) == (("stylus", "datauri"), ("rcssmin",))


def test_parents_filters_run_on_the_parts_of_what_is_nested_but_not_twice(adopted: Adopt) -> None:
    module = 'env.register("x", "a.css", Bundle("b.css", filters="datauri,stylus"), filters="stylus,rcssmin", output="o.css")'
    outer, inner = adopted(module, ("static/a.css", "static/b.css")).config.bundles
    assert (outer.part_filters, outer.filters) == (("stylus",), ("rcssmin",))
    assert (inner.part_filters, inner.filters) == (("datauri", "stylus"), ())


def test_a_filter_that_opens_its_file_comes_first(adopted: Adopt) -> None:
    found = adopted('env.register("x", "a.css", filters="datauri,less_ruby", output="o.css")', ("static/a.css",))
    assert only(found).part_filters == ("less_ruby", "datauri")


def test_two_filters_that_open_their_file_are_an_error(refused: Refused) -> None:
    (message,) = refused('env.register("x", "a.css", filters="less_ruby,dustjs", output="o.css")', ("static/a.css",))
    assert "only one filter of a bundle may have open(): less_ruby, dustjs" in message


def test_cssrewrite_is_left_out_since_references_are_rewritten_anyway(adopted: Adopt) -> None:
    found = adopted('env.register("x", "a.css", filters="cssrewrite", output="b.css")', ("static/a.css",))
    assert (only(found).part_filters, only(found).filters, found.warnings) == ((), (), ())


def test_cssrewrite_with_rules_of_its_own_is_a_warning(adopted: Adopt) -> None:
    module = 'env.register("x", "a.css", filters=get_filter("cssrewrite", replace=str.upper), output="b.css")'
    (warning,) = adopted(module, ("static/a.css",)).warnings
    assert 'bundle "x": filters: cssrewrite has rules of its own, which are passed over' in str(warning)


@pytest.mark.parametrize("name", ["rcssmin", "rjsmin", "cssmin", "jsmin"])
def test_minifiers_keep_their_names_however_they_are_given(adopted: Adopt, name: str) -> None:
    module = f'env.register("x", "a.css", filters=[get_filter("{name}")], config={{"X": 1}}, output="b.css")'
    assert only(adopted(module, ("static/a.css",))).filters == (name,)


def test_objects_get_names_that_tell_where_they_are_from(adopted: Adopt) -> None:
    module = (
        "class Mine(Filter):\n    def output(self, _in, out, **kw): out.write(_in.read().upper())\n"
        "def shout(_in, out): out.write(_in.read() + '!')\n"
        'env.register("x", "a.js", filters=[Mine, Mine(), shout, lambda i, o: o.write("?" + i.read())], output="b.js")'
    )
    found = adopted(module, ("static/a.js",))
    names = only(found).filters or ()
    assert names == (
        "site_env:env b.js filter 1 (Mine)",
        "site_env:env b.js filter 2 (Mine)",
        "site_env:env b.js filter 3 (shout)",
        "site_env:env b.js filter 4 (<lambda>)",
    )
    text = "a"
    for name in names:
        tool = load(name, {}, (), 30, "whole")
        assert tool.identity() == load(name, {}, (), 30, "whole").identity()
        text = tool.apply(text, Unit("b.js", "", (), "js")).text
    assert text == "?A!"


def test_the_identity_of_an_object_tells_its_state_and_its_source(adopted: Adopt) -> None:
    module = 'env.register("x", "a.js", filters=get_filter("replace", pattern="a", repl="{}"), output="b.js")'
    first = load((only(adopted(module.format("b"), ("static/a.js",))).filters or ())[0], {}, (), 30, "whole").identity()
    sys.modules.pop("site_env")
    other = load((only(adopted(module.format("cc"))).filters or ())[0], {}, (), 30, "whole").identity()
    assert [pair for pair in zip(first, other, strict=True) if pair[0] != pair[1]] == [('repl="b"', 'repl="cc"')]


def test_objects_are_known_to_workers(adopted: Adopt) -> None:
    module = 'env.register("x", "a.js", filters=lambda i, o: o.write("made;"), output="b.js")'
    config = adopted(module, ("static/a.js",)).config
    (bundle,) = config.bundles
    job = Job(Source("a.js", str(config.sources[0] / "a.js"), 0, 0), Chain(bundle.filters or (), hooks="whole"), "b.js", "a.js")
    tools = Tools(str(config.folder), (), config.webassets, (str(config.folder),), 30)
    ((_, compiled),) = pool.run(functools.partial(compile_unit, tools=tools), [job], weights=[1])
    assert isinstance(compiled, Compiled)
    assert (compiled.text, compiled.problems) == (b"made;", ())


def test_settings_are_the_environments_and_the_file_wins(adopted: Adopt) -> None:
    module = 'env.config["less_bin"] = "a"\nenv.config["other"] = 1\nenv.config["debug"] = False'
    found = adopted(module, toml='[webassets]\nLESS_BIN = "b"')
    assert found.config.webassets == {"other": 1, "LESS_BIN": "b"}


def test_a_bundles_config_is_for_its_own_filters(adopted: Adopt) -> None:
    module = (
        'env.register("x", "a.scss", filters="libsass", config={"libsass_style": "compressed"}, output="x.css")\n'
        'env.register("y", "a.scss", filters=get_filter("libsass", style="expanded"), output="y.css")\n'
        'env.register("z", "a.scss", filters="libsass", output="z.css")\n'
    )
    found = adopted(module, **{"static/a.scss": "a { b { c: d } }"})
    made = []
    for bundle in found.config.bundles:
        (name,) = bundle.part_filters or ()
        unit = Unit("a.scss", str(found.config.sources[0] / "a.scss"), tuple(map(str, found.config.sources)), "other")
        made.append(load(name, {}, (), 30, "parts").apply("a { b { c: d } }", unit).text)
        assert load(name, {}, (), 30, "whole").apply("joined", unit).text == "joined"
    assert made == ["a b{c:d}\n", "a b {\n  c: d;\n}\n", "a b {\n  c: d; }\n"]


def test_templates_are_made_scripts_one_by_one_under_the_names_they_have_together(adopted: Adopt) -> None:
    module = 'env.register("x", "t/a/one.jst", "t/b/two.jst", filters="jst,rjsmin", output="t.js")'
    found = adopted(module, **{"static/t/a/one.jst": "<1>", "static/t/b/two.jst": "<2>"})
    bundle = only(found)
    (name,) = bundle.part_filters or ()
    assert bundle.filters == ("rjsmin",)
    unit = Unit("t/a/one.jst", str(found.config.sources[0] / "t/a/one.jst"), (), "other")
    assert "window.JST['a/one'] = template(\"<1>\");" in load(name, {}, (), 30, "parts").apply("<1>", unit).text


def test_a_filter_that_joins_the_parts_is_given_them_joined_with_a_warning(adopted: Adopt) -> None:
    module = (
        "class Wrap(Filter):\n    name = 'wrap'\n"
        "    def concat(self, out, hunks, **kw): out.write('(' + '|'.join(h.data() for h, _ in hunks) + ')')\n"
        'env.register("x", "a.js", filters=["rjsmin", Wrap], output="b.js")'
    )
    found = adopted(module, ("static/a.js",))
    assert only(found).filters == ("site_env:env b.js filter 2 (wrap) concat", "rjsmin")
    assert ["wrap is given the parts as one text" in str(warning) for warning in found.warnings] == [True]


# What cannot be honoured


def test_a_remote_url_is_an_error(refused: Refused) -> None:
    (message,) = refused('env.register("x", "https://example.com/a.js", output="b.js")')
    assert 'bundle "x": contents: "https://example.com/a.js" is a remote URL' in message


def test_extra_is_a_warning_that_names_bundle_and_key(adopted: Adopt) -> None:
    (warning,) = adopted('env.register("x", "a.js", extra={"media": "print"}, output="b.js")', ("static/a.js",)).warnings
    assert warning.severity == "warning"
    assert 'bundle "x": extra: ' in warning.message


@pytest.mark.parametrize("debug", [True, "merge"])
def test_debug_is_a_warning_that_names_bundle_and_key(adopted: Adopt, debug: object) -> None:
    module = f'env.debug = {debug!r}\nenv.register("x", "a.js", debug={debug!r}, output="b.js")'
    messages = [warning.message for warning in adopted(module, ("static/a.js",)).warnings]
    what = f"{debug!r} is passed over: a build is always that of production"
    assert messages == [f'bundle "x": debug: {what}', f"debug: {what}"]


def test_productions_debug_says_nothing(adopted: Adopt) -> None:
    assert adopted('env.register("x", "a.js", debug=False, output="b.js")', ("static/a.js",)).warnings == ()


def test_a_url_that_is_not_the_base_url_is_a_warning(adopted: Adopt) -> None:
    (warning,) = adopted('env = Environment("static", "/media")').warnings
    assert str(warning) == (
        'assetbuild.toml: url: webassets had "/media"; URLs begin with base_url, which is "/static/"; '
        'set base_url = "/media" if that is meant'
    )


def test_everything_that_is_wrong_is_said_at_once(refused: Refused) -> None:
    module = (
        'env.register("x", "gone.js", "no/such.js", output="../b.js")\nenv.register("y", "http://a.example/a", output="y.js")'
    )
    messages = refused(module)
    assert [message.partition("; ")[0] for message in messages] == [
        'assetbuild.toml: bundle "x": contents: "gone.js" is no file: looked for in static',
        'assetbuild.toml: bundle "x": contents: "no/such.js" is no file: looked for in static',
        'assetbuild.toml: bundle "x": output: "../b.js" is outside the directory',
        'assetbuild.toml: bundle "y": contents: "http://a.example/a" is a remote URL: a build fetches nothing',
    ]


def test_a_missing_file_is_an_error_that_says_where_it_was_looked_for(refused: Refused) -> None:
    assert refused('env.register("x", "gone.js", "a", output="b.js")', ("static/a/b.js",)) == [
        'assetbuild.toml: bundle "x": contents: "a" is no file: looked for static/a',
        'assetbuild.toml: bundle "x": contents: "gone.js" is no file: looked for in static',
    ]


# Modules


@pytest.mark.parametrize(
    ("module", "bundles_from", "message"),
    [
        ("1 / 0", "site_env:env", "site_env cannot be imported: ZeroDivisionError: division by zero"),
        ("import no_such_module", "site_env:env", "No module named 'no_such_module'"),
        ("", "no_such_module:env", "no_such_module cannot be imported: ModuleNotFoundError"),
        ("raise SystemExit(3)", "site_env:env", "site_env cannot be imported: SystemExit: 3"),
        ("pass", "site_env:environ", 'site_env has no environ; did you mean "site_env:env"?'),
        ("x = 3", "site_env:x", "site_env:x is no webassets environment but int"),
        ("class Stop(BaseException): pass\nraise Stop('no')", "site_env:env", "site_env cannot be imported: Stop: no"),
        (
            "class Stop(BaseException): pass\ndef make(): raise Stop('no')",
            "site_env:make",
            "site_env:make cannot be called: Stop: no",
        ),
        (
            "def __getattr__(name): raise ValueError('no')",
            "site_env:lazy",
            "site_env:lazy cannot be read: ValueError: no",
        ),
        ("def make(config): pass", "site_env:make", "make(config) needs arguments; name a function that takes none"),
        ("async def make(): pass", "site_env:make", "site_env:make is an async function, which is not awaited; name a"),
        ("def make(): raise ValueError('no')", "site_env:make", "site_env:make cannot be called: ValueError: no"),
        ('Bundle("a", filters="nope")', "site_env:env", "ValueError: No filter 'nope'"),
        ("from flask_assets import Environment as E\nx = E()", "site_env:x", "is an environment without its Flask application"),
        ("from flask import Flask\nx = Flask('x')", "site_env:x", "is an application without a webassets environment"),
    ],
)
def test_a_module_without_an_environment_is_an_error(refused: Refused, module: str, bundles_from: str, message: str) -> None:
    (found,) = refused(module, bundles_from=bundles_from)
    assert found.startswith("assetbuild.toml: bundles_from: ")
    assert message in found


@pytest.mark.parametrize("error", [KeyboardInterrupt, interrupts.Terminated])
@pytest.mark.parametrize("place", ["raise {}", "def env(): raise {}"])
def test_an_interrupt_while_a_module_is_opened_is_no_fault_of_the_module(
    adopted: Adopt, place: str, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        adopted("from assetbuild.interrupts import Terminated\n" + place.format(f"{error.__name__}(15)"))


def test_what_a_module_writes_to_standard_output_goes_to_standard_error(
    adopted: Adopt, capfd: pytest.CaptureFixture[str]
) -> None:
    module = (
        'import os, subprocess\nos.write(1, b"written\\n")\nos.system("echo system")\nsubprocess.run(["echo", "run"])\n'
        'import sys\nsys.__stdout__.write("buffered\\n")\n'
    )
    adopted(module)
    os.write(1, b"after\n")
    out, err = capfd.readouterr()
    assert out == "after\n"
    assert {"written", "system", "run"} <= set(err.split())


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("def make(): return env", "make"),
        ("def make(debug=False, **options): return env", "make"),
        ("class Holder: inner = env", "Holder.inner"),
        ('bundles = {"x": Bundle("a.js", output="b.js")}\nenv = None', "bundles"),
    ],
)
def test_an_environment_may_be_made_by_a_function_or_be_a_dict_of_bundles(adopted: Adopt, module: str, attribute: str) -> None:
    module = 'env.register("x", "a.js", output="b.js")\n' + module
    found = adopted(module, ("static/a.js",), bundles_from=f"site_env:{attribute}", toml='sources = ["static"]')
    assert texts(only(found).contents) == ["a.js"]


def test_the_process_is_afterwards_as_it_was(adopted: Adopt, tmp_path: Path) -> None:
    before = Path.cwd(), list(sys.path)
    adopted('print("noise")\nenv.register("x", "a.js", output="b-%(version)s.js")', ("static/a.js",))
    assert (Path.cwd(), list(sys.path)) == before
    written = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert written == {"a.js", "assetbuild.toml", "site_env.py"}


# Flask-Assets

FLASK = """
from flask import Blueprint, Flask
from flask_assets import Environment

app = Flask(__name__, static_folder="static")
app.config.update(ASSETS_DEBUG=True, SECRET_KEY="x", LESS_BIN="lessc")
bp = Blueprint("bp", __name__, static_folder="bp_static")
app.register_blueprint(bp)
env = Environment(app)
"""


def test_blueprints_folders_are_roots_and_their_prefixes_are_understood(adopted: Adopt, tmp_path: Path) -> None:
    module = FLASK + 'env.register("x", "a.js", "bp/*.js", depends="bp/**/*.ts", output="bp/gen/x.js")'
    found = adopted(module, ("static/a.js", "bp_static/c.js", "bp_static/b.js"))
    assert found.config.sources == (tmp_path / "static", tmp_path / "bp_static")
    assert only(found) == Bundle(
        "bp/gen/x.js", patterns("a.js", "b.js", "c.js"), (), depends=patterns("**/*.ts"), part_filters=()
    )


def test_files_of_two_blueprints_with_one_path_are_an_error_that_says_what_to_do(refused: Refused) -> None:
    module = FLASK.replace("env =", 'app.register_blueprint(Blueprint("shop", __name__, static_folder="shop_static"))\nenv =')
    module += 'env.register("x", "bp/css/s.css", "shop/css/s.css", output="x.css")'
    (message,) = refused(module, ("static/a.js", "bp_static/css/s.css", "shop_static/css/s.css"))
    assert message == (
        'assetbuild.toml: bundle "x": contents: "shop_static/css/s.css" is hidden by "bp_static/css/s.css", which has the same '
        'path in the tree; rename one of the two, or move this one into "shop_static/shop"'
    )


def test_a_blueprints_file_in_a_folder_named_as_the_blueprint_is_not_hidden(adopted: Adopt) -> None:
    module = FLASK + 'env.register("x", "css/s.css", "bp/bp/css/s.css", output="x.css")'
    found = adopted(module, ("static/css/s.css", "bp_static/bp/css/s.css"))
    assert texts(only(found).contents) == ["css/s.css", "bp/css/s.css"]


def test_a_flask_applications_config_is_the_filters_settings(adopted: Adopt) -> None:
    found = adopted(FLASK)
    assert found.config.webassets == {"LESS_BIN": "lessc"}
    assert [warning.message.partition(":")[0] for warning in found.warnings] == ["debug"]


def test_an_application_without_a_blueprints_file_is_an_error(refused: Refused) -> None:
    (message,) = refused(FLASK + 'env.register("x", "bp/gone.js", output="x.js")')
    assert '"bp/gone.js" is no file: looked for bp_static/gone.js' in message


def test_filters_of_an_application_work_in_its_context(adopted: Adopt) -> None:
    module = FLASK + 'app.config["NAME"] = "shop"\nenv.register("x", "a.js", filters="jinja2", output="x.js")'
    found = adopted(module, ("static/a.js",))
    (name,) = only(found).part_filters or ()
    unit = Unit("a.js", str(found.config.sources[0] / "a.js"), (), "js")
    assert load(name, {}, (), 30, "parts").apply("{{ config.NAME }}", unit).text == "shop"


# YAML


def test_a_file_with_only_bundles_has_the_configured_roots(adopted: Adopt) -> None:
    yml = "x:\n  contents: [a.js, y]\n  output: x.js\ny:\n  contents: b.js\n"
    found = adopted(files=("static/a.js", "static/b.js"), bundles_from="w.yml", toml='sources = ["static"]', **{"w.yml": yml})
    assert [texts(bundle.contents) for bundle in found.config.bundles] == [["a.js", "x.js/(1).js"], ["b.js"]]


def test_an_environments_directory_is_relative_to_the_file(adopted: Adopt, tmp_path: Path) -> None:
    yml = "directory: ../static\nbundles:\n  x:\n    contents: a.js\n    output: x.js\n"
    found = adopted(files=("static/a.js",), bundles_from="conf/w.yml", **{"conf/w.yml": yml})
    assert found.config.sources == (tmp_path / "static",)


def test_filter_classes_of_a_file_are_known_by_their_names(adopted: Adopt) -> None:
    yml = "directory: static\nfilters: [yaml_filters.Mine]\nbundles:\n  x: {contents: a.js, filters: mine, output: x.js}\n"
    body = "from webassets.filter import Filter\nclass Mine(Filter):\n    name = 'mine'\n    output = lambda *a, **k: None"
    try:
        found = adopted(files=("static/a.js",), bundles_from="w.yml", **{"w.yml": yml, "yaml_filters.py": body})
    finally:
        webassets.filter._FILTERS.pop("mine", None)
    assert only(found).filters == ("w.yml x.js filter 1 (mine)",)


def test_an_edited_filter_class_of_a_file_is_taken_anew(adopted: Adopt) -> None:
    yml = "directory: static\nfilters: [edited_filters.Mine]\nbundles:\n  x: {contents: a.js, output: x.js}\n"
    body = "from webassets.filter import Filter\nclass Mine(Filter):\n    name = 'mine'\n    said = %d\n"
    try:
        for number in (1, 22):
            texts = {"w.yml": yml, "edited_filters.py": body % number}
            adopted(files=("static/a.js",), bundles_from="w.yml", **texts)
            assert webassets.filter._FILTERS["mine"].said == number
    finally:
        webassets.filter._FILTERS.pop("mine", None)


def test_the_yaml_file_is_no_asset(adopted: Adopt) -> None:
    found = adopted(bundles_from="static/w.yml", toml='sources = ["static"]', **{"static/w.yml": "x: {}\n"})
    assert any(pattern.matches("w.yml") for pattern in found.config.exclude)


def test_bundles_without_any_folder_are_an_error(refused: Refused) -> None:
    (message,) = refused(bundles_from="w.yml", **{"w.yml": "a:\n  contents: static/a.js\n  output: b.js\n"})
    assert message == "w.yml: this environment has no directory; give it one, or name the folders in sources"


@pytest.mark.parametrize(
    ("yml", "problem"),
    [
        ("a: [1", Problem("w.yml", 1, 6, "this is not YAML: expected ',' or ']', but got '<stream end>'")),
        ("a:\n\t- b", Problem("w.yml", 2, 1, "this is not YAML: found character '\\t' that cannot start any token")),
        ("", Problem("w.yml", 0, 0, "this file holds no bundles")),
        ("- a", Problem("w.yml", 0, 0, "this file holds no bundles")),
        ("a:\n  filters: libsas", Problem("w.yml", 2, 3, 'bundle "a": filters: no filter is called "libsas"')),
        ("a:\n  contents: 3", Problem("w.yml", 2, 3, 'bundle "a": contents: must be a path or a list of paths and of bundles')),
        ("a:\n  output: 3", Problem("w.yml", 2, 3, 'bundle "a": output: must be a path')),
        ("a: {}\na: {}", Problem("w.yml", 2, 1, 'bundle "a": there is one of this name in line 1 already')),
        ("a:\n  contents: gone.js\n  output: b.js", Problem("w.yml", 2, 3, 'bundle "a": contents: "gone.js" is no file')),
        ("bundles: 3", Problem("w.yml", 1, 1, "bundles: must be a table of bundles")),
        ("filters: [no.such]\nbundles: {}", Problem("w.yml", 1, 1, 'filters: "no.such" cannot be imported')),
        ("a: &a\n  contents: [*a]\n  output: b.js", Problem("w.yml", 2, 3, 'bundle "a": contents: it is in itself')),
        ("a:\n  contents: &b [{contents: *b}]", Problem("w.yml", 2, 3, 'bundle "a": contents: it is in itself')),
        pytest.param("[" * 9999, Problem("w.yml", 0, 0, "this is nested too deeply"), id="deep"),
        ("a: {depends: [[b]]}", Problem("w.yml", 1, 5, 'bundle "a": depends: must be a path or a list of paths')),
        ("a: {contents: [a], output: a.js}", Problem("w.yml", 1, 5, 'bundle "a": contents: it is in itself: a → a')),
        (
            "a: {contents: [b], output: a.js}\nb: {contents: [c], output: b.js}\nc: {contents: [b], output: c.js}",
            Problem("w.yml", 2, 5, 'bundle "b": contents: it is in itself: b → c → b'),
        ),
        ("a: !!python/name:os.system x", Problem("w.yml", 1, 4, "this is not YAML: could not determine a constructor for")),
    ],
)
def test_what_is_wrong_in_a_file_has_its_place(adopted: Adopt, yml: str, problem: Problem) -> None:
    with pytest.raises(ConfigError) as caught:
        adopted(bundles_from="w.yml", toml='sources = ["static"]', **{"w.yml": yml})
    (found,) = caught.value.problems
    assert (found.file, found.line, found.column) == (problem.file, problem.line, problem.column)
    assert found.message.startswith(problem.message)


def test_a_key_that_webassets_passes_over_is_a_warning(adopted: Adopt) -> None:
    yml = "a:\n  contents: a.js\n  filter: rjsmin\n  output: b.js\n"
    found = adopted(files=("static/a.js",), bundles_from="w.yml", toml='sources = ["static"]', **{"w.yml": yml})
    assert [str(warning) for warning in found.warnings] == [
        'w.yml:3:3: bundle "a": filter: webassets knows no such key and passes it over; did you mean "filters"?'
    ]


# The examples of webassets' documentation, in its own structures

DOCUMENTED = {
    "a bundle": (
        "Bundle('common/a.js', 'portal/js/b.js', filters='jsmin', output='gen/packed.js')",
        {"gen/packed.js": (["common/a.js", "portal/js/b.js"], ("jsmin",), ())},
    ),
    "nesting": (
        "Bundle('portal/js/b.js', Bundle('common/a.js', filters='jspacker'), filters='rjsmin', output='gen/packed.js')",
        {
            "gen/packed.js": (["portal/js/b.js", "gen/packed.js/(1).js"], ("rjsmin",), ()),
            "gen/packed.js/(1).js": (["common/a.js"], ("jspacker",), ()),
        },
    ),
    "a bundle that needs compiling in one that only minifies": (
        "Bundle('common/a.js', Bundle('*.coffee', filters='coffeescript'), filters='jsmin', output='packed.js')",
        {
            "packed.js": (["common/a.js", "packed.js/(1).js"], ("jsmin",), ()),
            "packed.js/(1).js": (["c.coffee"], ("coffeescript",), ()),
        },
    ),
    "globs and what else it depends on": (
        "Bundle('*.scss', filters='libsass', output='style.css', depends='**/*.scss')",
        {"style.css": (["s.scss"], ("libsass",), ("libsass",))},
    ),
    "a filter with options": (
        "Bundle('s.scss', filters=get_filter('libsass', style='compressed'), output='style.css')",
        {"style.css": (["s.scss"], *2 * (("site_env:env style.css filter 1 (libsass)",),))},
    ),
    "a list of names": (
        "Bundle('s.scss', filters=['scss', 'autoprefixer6', 'cssmin'], output='style.css')",
        {"style.css": (["s.scss"], ("scss", "cssmin"), ("scss", "autoprefixer6"))},
    ),
    "no filters": ("Bundle('common/a.js', output='a.js', filters=None)", {"a.js": (["common/a.js"], (), ())}),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_bundles_are_adopted(adopted: Adopt, name: str) -> None:
    source, expected = DOCUMENTED[name]
    files = ("common/a.js", "portal/js/b.js", "c.coffee", "s.scss")
    found = adopted(f'env.register("example", {source})', tuple(f"static/{file}" for file in files))
    made = {bundle.name: (texts(bundle.contents), bundle.filters, bundle.part_filters) for bundle in found.config.bundles}
    assert made == expected
    assert found.warnings == ()
