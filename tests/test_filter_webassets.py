"""webassets' filters as steps of a chain. The filters are webassets' own and classes that a test wrote; the tools they run
are scripts that a test wrote, and they are really run."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assetbuild.filters import Filtered, FilterError, FilterUnavailableError, Language, Unit, modules, needs, webassets

Tool = Callable[..., Path]
Apply = Callable[..., Filtered]


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """A program that filters find by its name, as npm installs it beside the configuration: its body is Python."""

    def write(name: str, body: str) -> Path:
        file = tmp_path / "node_modules/.bin" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!{sys.executable}\n{textwrap.dedent(body)}")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file

    return write


@pytest.fixture
def apply(tmp_path: Path) -> Apply:
    """Write the source, load the filter, apply it."""

    def run(name: str, text: str, path: str = "css/a.css", time_limit: float = 30, **settings: object) -> Filtered:
        file = tmp_path / "assets" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        language = webassets_language(path)
        loaded = webassets.load(name, settings, search=(str(tmp_path),), time_limit=time_limit)
        return loaded.apply(text, Unit(path, str(file), (str(tmp_path / "assets"),), language))

    return run


def webassets_language(path: str) -> Language:
    suffix = path.rpartition(".")[2]
    return "css" if suffix == "css" else "js" if suffix == "js" else "other"


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str, str], str]]:
    """Write a module of the user's own beside the configuration."""
    names = []

    def write(name: str, body: str) -> str:
        (tmp_path / f"{name}.py").write_text("from webassets.filter import Filter, ExternalTool\n" + textwrap.dedent(body))
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)
        modules._imported.pop(name, None)


def failing(apply: Apply, *args: object, **keywords: object) -> FilterError:
    with pytest.raises(FilterError) as caught:
        apply(*args, **keywords)
    assert "\n" not in caught.value.message
    return caught.value


SHOUT = """
    class Shout(Filter):
        options = {"mark": "SHOUT_MARK"}
        def output(self, _in, out, **kw):
            out.write(_in.read().upper() + (self.mark or ""))
"""


# Names


def test_an_unknown_name_is_unavailable_and_the_nearest_are_named() -> None:
    with pytest.raises(FilterUnavailableError, match=r'no filter is called "libsas"; the nearest (is|are) libsass'):
        webassets.load("libsas", {})


def test_a_name_that_is_like_no_other_is_unavailable() -> None:
    with pytest.raises(FilterUnavailableError) as caught:
        webassets.load("xqzw", {})
    assert caught.value.message == 'no filter is called "xqzw"'


def test_cssrewrite_is_refused_in_one_sentence() -> None:
    with pytest.raises(FilterUnavailableError) as caught:
        webassets.load("cssrewrite", {})
    assert caught.value.message == "cssrewrite is not needed: assetbuild rewrites references itself"


def test_replace_is_refused_since_a_name_gives_it_no_arguments() -> None:
    with pytest.raises(FilterUnavailableError, match="the filter replace takes arguments"):
        webassets.load("replace", {})


def test_a_missing_program_is_found_out_before_any_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(FilterUnavailableError) as caught:
        webassets.load("less", {})
    assert caught.value.message == 'the program "lessc" was not found: npm install less'


def test_a_program_that_a_setting_names_is_looked_for_too() -> None:
    with pytest.raises(FilterUnavailableError, match='the program "/no/such/lessc" was not found'):
        webassets.load("less", {"LESS_BIN": "/no/such/lessc"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("closure_js", "the Python package closure is not installed: pip install closure, and a Java runtime"),
        ("closure_tmpl", "the Python package closure_soy is not installed: pip install closure-soy, and a Java runtime"),
        ("cssmin", "the Python package cssmin is not installed: pip install cssmin"),
        ("cssutils", "the Python package cssutils is not installed: pip install cssutils"),
        ("jinja2", "the Python package jinja2 is not installed: pip install Jinja2"),
        ("jsmin", "the Python package jsmin is not installed: pip install jsmin"),
        ("pyscss", "the Python package scss is not installed: pip install pyScss"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    find_spec = importlib.util.find_spec
    absent = needs.NEEDS[name].module
    monkeypatch.setitem(sys.modules, absent, None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None if module == absent else find_spec(module))
    with pytest.raises(FilterUnavailableError) as caught:
        webassets.load(name, {})
    assert caught.value.message == message


def test_a_package_that_only_python_2_runs_is_refused_installed_or_not(
    module: Callable[[str, str], str], tmp_path: Path
) -> None:
    for _ in range(2):
        with pytest.raises(FilterUnavailableError) as caught:
            webassets.load("slimit", {}, search=(str(tmp_path),))
        assert caught.value.message == "the Python package slimit was written for Python 2: use the filter rjsmin or uglifyjs"
        module("slimit", "from minifier import minify")


def test_a_missing_java_archive_is_told_in_one_sentence() -> None:
    with pytest.raises(FilterUnavailableError) as caught:
        webassets.load("yui_css", {})
    assert caught.value.message == (
        "its Java archive was not found: npm install yuicompressor, and set YUI_COMPRESSOR_PATH to its "
        "build/yuicompressor-2.4.8.jar"
    )


def test_a_setting_that_names_an_archive_is_relative_to_the_configurations_folder(tool: Tool, tmp_path: Path) -> None:
    tool("java", "")
    (tmp_path / "yui.jar").write_bytes(b"")
    assert webassets.load("yui_css", {"YUI_COMPRESSOR_PATH": "yui.jar"}, search=(str(tmp_path),)).name == "yui_css"


def test_every_name_that_webassets_knows_loads_or_says_in_a_sentence_why_not() -> None:
    from webassets.filter import _FILTERS

    assert "less" in _FILTERS
    for name in _FILTERS:
        try:
            assert webassets.load(name, {}).name == name
        except FilterUnavailableError as error:
            assert error.message
            assert "\n" not in error.message
            assert "Traceback" not in error.message


# Classes by import path


def test_a_filter_class_is_found_in_a_module_beside_the_configuration(apply: Apply, module: Callable[[str, str], str]) -> None:
    module("shouting", SHOUT)
    assert apply("shouting:Shout", "a{b:c}").text == "A{B:C}"


def test_the_import_path_is_as_it_was_afterwards(apply: Apply, module: Callable[[str, str], str]) -> None:
    module("shouting_path", SHOUT)
    before = list(sys.path)
    apply("shouting_path:Shout", "a")
    assert sys.path == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:Shout", "no_such_module cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("no.such_module:Shout", "no.such_module cannot be imported: ModuleNotFoundError: No module named 'no'"),
        ("shout_names:Shuot", "shout_names has no Shuot; the nearest is Shout"),
        ("shout_names:Other", "shout_names:Other is not a subclass of webassets.filter.Filter"),
        ("shout_names:", "shout_names has no filter named behind the colon"),
    ],
)
def test_a_wrong_import_path_is_unavailable(module: Callable[[str, str], str], tmp_path: Path, name: str, message: str) -> None:
    module("shout_names", textwrap.dedent(SHOUT) + "\nclass Other: pass\n")
    with pytest.raises(FilterUnavailableError) as caught:
        webassets.load(name, {}, search=(str(tmp_path),))
    assert caught.value.message == message


@pytest.mark.parametrize("body", ["1 / 0", "raise SystemExit(3)", "import no_such_thing", "def f(:"])
def test_a_module_that_cannot_be_imported_is_unavailable(module: Callable[[str, str], str], tmp_path: Path, body: str) -> None:
    module("broken_module", body)
    with pytest.raises(FilterUnavailableError, match="broken_module cannot be imported: "):
        webassets.load("broken_module:Shout", {}, search=(str(tmp_path),))


def test_a_class_that_needs_arguments_is_unavailable(module: Callable[[str, str], str], tmp_path: Path) -> None:
    module("needy", "class Needy(Filter):\n    def __init__(self, what): pass\n")
    with pytest.raises(FilterUnavailableError, match="it cannot be used here: TypeError"):
        webassets.load("needy:Needy", {}, search=(str(tmp_path),))


def test_an_edited_class_has_another_identity_and_is_the_one_that_runs(
    apply: Apply, module: Callable[[str, str], str], tmp_path: Path
) -> None:
    def identity() -> tuple[str, ...]:
        return webassets.load("edited:Shout", {}, search=(str(tmp_path),)).identity()

    module("edited", SHOUT)
    first = identity()
    assert identity() == first
    module("edited", SHOUT.replace(".upper()", ".upper() + 'edited'"))
    assert identity() != first
    assert apply("edited:Shout", "a").text == "Aedited"


# Options


def test_a_setting_reaches_the_filter(apply: Apply, module: Callable[[str, str], str]) -> None:
    module("shouting", SHOUT)
    assert apply("shouting:Shout", "a", SHOUT_MARK="!").text == "A!"


def test_an_option_may_stand_in_the_environment(
    apply: Apply, module: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module("shouting", SHOUT)
    monkeypatch.setenv("SHOUT_MARK", "?")
    assert apply("shouting:Shout", "a").text == "A?"
    assert apply("shouting:Shout", "a", SHOUT_MARK="!").text == "A!"


def test_the_identity_tells_tool_version_implementation_and_options(
    module: Callable[[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def identity(**settings: object) -> tuple[str, ...]:
        return webassets.load("shouting:Shout", settings, search=(str(tmp_path),)).identity()

    module("shouting", SHOUT)
    plain = identity()
    assert plain[0] == "webassets"
    assert plain[2:4] == ("shouting:Shout", "shouting:Shout")
    assert identity() == plain
    assert identity(UNRELATED="x") == plain
    assert identity(SHOUT_MARK="!")[-1] == 'SHOUT_MARK="!"'
    monkeypatch.setenv("SHOUT_MARK", "!")
    assert identity() == identity(SHOUT_MARK="!")


def test_the_identity_of_an_npm_tool_tells_its_packages_version(tool: Tool, tmp_path: Path) -> None:
    package = tmp_path / "node_modules/less"
    (package / "bin").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "less", "version": "4.2.0"}')
    tool("lessc", "").rename(package / "bin/lessc")
    (tmp_path / "node_modules/.bin/lessc").symlink_to("../less/bin/lessc")
    assert "lessc less@4.2.0" in webassets.load("less", {}, search=(str(tmp_path),)).identity()


def test_the_identity_of_another_tool_changes_with_its_file(tool: Tool, tmp_path: Path) -> None:
    def identity(body: str) -> tuple[str, ...]:
        tool("lessc", body)
        return webassets.load("less", {}, search=(str(tmp_path),)).identity()

    assert identity("print(1)") != identity("print(23)")
    assert identity("print(1)") == identity("print(1)")


# Hooks


def test_the_hooks_of_one_source_run_in_webassets_order(apply: Apply, module: Callable[[str, str], str]) -> None:
    module(
        "hooks",
        """
        class All(Filter):
            def open(self, out, source_path, **kw):
                out.write(open(source_path).read() + ">open")
            def input(self, _in, out, **kw):
                out.write(_in.read() + ">input")
            def concat(self, out, hunks, **kw):
                [(hunk, info)] = hunks
                out.write(hunk.data() + ">concat " + info["source"])
            def output(self, _in, out, **kw):
                out.write(_in.read() + ">output")
        """,
    )
    assert apply("hooks:All", "text").text == "text>open>input>concat css/a.css>output"


def test_the_hooks_are_told_what_webassets_tells_them(apply: Apply, module: Callable[[str, str], str], tmp_path: Path) -> None:
    module(
        "told",
        """
        class Told(Filter):
            def input(self, _in, out, source_path, output_path, source, output):
                out.write(f"{source_path}|{source}|{output}|{output_path.endswith(source)}|{self.ctx.directory}|{self.ctx.url}")
        """,
    )
    file, root = tmp_path / "assets/css/a.css", tmp_path / "assets"
    assert apply("told:Told", "x").text == f"{file}|css/a.css|css/a.css|True|{root}|/"


def test_a_filter_without_hooks_changes_nothing(apply: Apply, module: Callable[[str, str], str]) -> None:
    module("idle", "class Idle(Filter): pass")
    assert apply("idle:Idle", "a\r\n").text == "a\r\n"


@pytest.mark.parametrize("name", ["opening:Opening", "handlebars"])
def test_a_filter_that_reads_the_file_itself_must_be_first_in_its_chain(
    apply: Apply, module: Callable[[str, str], str], tool: Tool, tmp_path: Path, name: str
) -> None:
    module("opening", "class Opening(Filter):\n    def open(self, out, source_path, **kw): out.write('x')")
    tool("handlebars", "print('x')")
    apply(name, "as it is on disk")
    loaded = webassets.load(name, {}, search=(str(tmp_path),))
    unit = Unit("css/a.css", str(tmp_path / "assets/css/a.css"), (str(tmp_path / "assets"),), "css")
    with pytest.raises(FilterError, match="it reads the file itself, and so must be the first of its chain"):
        loaded.apply("as an earlier filter made it", unit)


@pytest.mark.parametrize("text", ["a\r\nb\rc\n", "\ufeffa{b:c}", "é\u2028😀", "", "\0"])
def test_a_text_goes_through_without_a_change_that_the_filter_did_not_make(
    apply: Apply, module: Callable[[str, str], str], text: str
) -> None:
    module("echo", "class Echo(Filter):\n    def output(self, _in, out, **kw): out.write(_in.read())")
    assert apply("echo:Echo", text).text == text


def test_every_call_has_a_filter_object_of_its_own(apply: Apply, module: Callable[[str, str], str]) -> None:
    module(
        "counting",
        """
        class Counting(Filter):
            count = 0
            def output(self, _in, out, **kw):
                self.count += 1
                out.write(str(self.count))
        """,
    )
    assert [apply("counting:Counting", "").text for _ in range(3)] == ["1", "1", "1"]


def test_filters_that_change_the_working_folder_do_not_meet_in_threads(apply: Apply, module: Callable[[str, str], str]) -> None:
    module(
        "moving",
        """
        import os, tempfile, time
        class Moving(Filter):
            def output(self, _in, out, **kw):
                folder = tempfile.mkdtemp()
                os.chdir(folder)
                time.sleep(0.01)
                out.write(str(os.getcwd() == os.path.realpath(folder)))
        """,
    )
    before, results = os.getcwd(), list[str]()
    threads = [threading.Thread(target=lambda: results.append(apply("moving:Moving", "").text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["True"] * 8
    assert os.getcwd() == before


def test_a_librarys_warnings_to_its_authors_are_not_shown(apply: Apply, module: Callable[[str, str], str]) -> None:
    module(
        "deprecated",
        """
        import warnings
        class Deprecated(Filter):
            def setup(self): warnings.warn("soon", DeprecationWarning)
            def output(self, _in, out, **kw):
                warnings.warn("now", FutureWarning)
                out.write("x")
        """,
    )
    assert apply("deprecated:Deprecated", "a") == Filtered("x")


def test_a_filter_runs_in_the_configurations_folder_wherever_the_build_was_started(
    apply: Apply, module: Callable[[str, str], str], tmp_path: Path
) -> None:
    module("placed", "import os\nclass Placed(Filter):\n    def output(self, _in, out, **kw): out.write(os.getcwd())")
    before = os.getcwd()
    assert (apply("placed:Placed", "a").text, os.getcwd()) == (str(tmp_path), before)


def test_what_a_filter_prints_is_a_warning_and_no_output(
    apply: Apply, module: Callable[[str, str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    module("printing", "class Printing(Filter):\n    def output(self, _in, out, **kw): print('old syntax'); out.write('x')")
    filtered = apply("printing:Printing", "a")
    assert (filtered.text, [note.message for note in filtered.notes]) == ("x", ["printing:Printing says: old syntax"])
    assert capfd.readouterr() == ("", "")


def test_temporary_files_are_gone_afterwards(apply: Apply, module: Callable[[str, str], str]) -> None:
    module(
        "littering",
        """
        import tempfile
        class Littering(Filter):
            def output(self, _in, out, **kw): out.write(tempfile.mkdtemp())
        """,
    )
    before = tempfile.gettempdir()
    made = Path(apply("littering:Littering", "").text)
    assert not made.exists()
    assert tempfile.gettempdir() == before


# Errors


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no good')", "ValueError: no good"),
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("raise RuntimeError", "RuntimeError"),
        ("raise webassets.exceptions.FilterError('broken.\\nand more')", "broken"),
        ("raise SystemExit(3)", "it tried to end the program with status 3"),
        ("self.output(_in, out)", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_what_a_filter_raises_is_passed_on_in_one_sentence(
    apply: Apply, module: Callable[[str, str], str], body: str, message: str
) -> None:
    module("raising", f"import webassets.exceptions\nclass Raising(Filter):\n    def output(self, _in, out, **kw): {body}")
    assert failing(apply, "raising:Raising", "a").message.startswith(message)


def test_the_source_has_its_logical_path_in_a_tools_message(apply: Apply, tool: Tool) -> None:
    tool("babel", "import sys; sys.exit('SyntaxError: ' + sys.argv[-1] + ': Unexpected token (1:5)')")
    error = failing(apply, "babel", "const", "js/a.js")
    assert error.message == '"babel" failed with status 1: SyntaxError: js/a.js: Unexpected token (1:5)'


# External tools


def test_a_tool_of_webassets_is_run_on_standard_input(apply: Apply, tool: Tool) -> None:
    tool("lessc", "import sys; print(sys.stdin.read().replace('@c', 'red'), end='')")
    assert apply("less", "a{b:@c}\r\n", "css/a.less").text == "a{b:red}\r\n"


def test_a_tool_runs_where_its_source_stands(apply: Apply, tool: Tool, tmp_path: Path) -> None:
    tool("lessc", "import os; print(os.getcwd(), end='')")
    assert apply("less", "", "css/a.less").text == str(tmp_path / "assets/css")


def test_a_relative_program_is_taken_from_the_configurations_folder(apply: Apply, tool: Tool) -> None:
    tool("mylessc", "print('mine')")
    assert apply("less", "", "css/a.less", LESS_BIN="node_modules/.bin/mylessc").text == "mine\n"


@pytest.mark.parametrize("name", ["{input}.js", "{0}.js", "a b;$(id).js", "{output}.js", "{self.__class__}.js"])
def test_a_file_name_is_never_formatted_nor_read_by_a_shell(apply: Apply, tool: Tool, tmp_path: Path, name: str) -> None:
    tool("babel", "import sys; print(sys.argv[-1], end='')")
    assert apply("babel", "", f"js/{name}").text == str(tmp_path / "assets/js" / name)


def test_files_that_stand_for_input_and_output_are_made_for_the_tool(apply: Apply, tool: Tool) -> None:
    tool(
        "uglifyjs",
        """
        import sys
        _, source, option, target = sys.argv
        assert option == "--output" and not sys.stdin.read()
        open(target, "w", newline="").write(open(source, newline="").read() + "//min")
        """,
    )
    assert apply("uglifyjs", "a;\r\n", "js/a.js").text == "a;\r\n//min"


def test_the_output_of_requirejs_is_a_file_of_its_own(apply: Apply, tool: Tool, tmp_path: Path) -> None:
    tool(
        "r.js",
        """
        import sys
        given = dict(word.split("=", 1) for word in sys.argv[2:])
        open(given["out"], "w").write(given["name"] + "|" + given["baseUrl"])
        print("Tracing dependencies")
        """,
    )
    before = sorted(tmp_path.iterdir())
    assert apply("requirejs", "", "js/{a}.js").text == "js/{a}|assets"
    assert sorted({*before, tmp_path / "assets"}) == sorted(tmp_path.iterdir())


ARGV = """
    class Templated(ExternalTool):
        argv = ["copy", "{source_path}", "--in={input}", "--out={output}"]
        method = "input"
"""


@pytest.mark.parametrize("name", ["a.css", "{input}.css", "{output}.css", "x={output}.css"])
def test_a_class_with_a_template_for_its_arguments_gets_them(
    apply: Apply, tool: Tool, module: Callable[[str, str], str], tmp_path: Path, name: str
) -> None:
    tool(
        "copy",
        """
        import sys
        source, target = (part.partition("=")[2] for part in sys.argv[2:])
        open(target, "w").write(sys.argv[1] + "|" + open(source).read())
        """,
    )
    module("templated", ARGV)
    assert apply("templated:Templated", "text", name).text == f"{tmp_path}/assets/{name}|text"


def test_a_tool_that_fails_is_an_error_with_its_own_words(apply: Apply, tool: Tool) -> None:
    tool("lessc", "import sys; sys.stderr.write('\\x1b[31mParseError: bad\\x1b[0m\\n    at f (x.js:1)\\n'); sys.exit(1)")
    assert failing(apply, "less", "", "css/a.less").message == '"lessc" failed with status 1: ParseError: bad'


def test_a_tool_that_crashes_is_an_error(apply: Apply, tool: Tool) -> None:
    tool("lessc", "import os; os.kill(os.getpid(), 9)")
    assert failing(apply, "less", "", "css/a.less").message == '"lessc" was ended by signal 9'


def test_a_tool_that_hangs_is_stopped(apply: Apply, tool: Tool) -> None:
    tool("lessc", "import time; time.sleep(600)")
    message = failing(apply, "less", "", "css/a.less", time_limit=0.3).message
    assert message == '"lessc" did not end within 0.3 seconds and was stopped'


def test_a_tool_that_writes_garbage_is_an_error(apply: Apply, tool: Tool) -> None:
    tool("lessc", "import sys; sys.stdout.buffer.write(b'a\\xff')")
    assert failing(apply, "less", "", "css/a.less").message == '"lessc" wrote what is not UTF-8: byte 0xff at position 1'


@pytest.mark.parametrize("name", ["coffeescript", "handlebars", "jade", "node-scss", "typescript", "cleancss"])
def test_filters_that_start_programs_by_themselves_are_fenced_too(apply: Apply, tool: Tool, name: str) -> None:
    for program in ("coffee", "handlebars", "jade", "node-sass", "tsc", "cleancss"):
        tool(program, "import time; time.sleep(600)")
    assert "did not end within 0.3 seconds" in failing(apply, name, "a", "a.x", time_limit=0.3).message


def test_webassets_is_as_it_was_afterwards(apply: Apply, tool: Tool) -> None:
    from webassets.filter import ExternalTool, cleancss, coffeescript

    def replaced() -> tuple[object, ...]:
        return (
            vars(ExternalTool)["subprocess"],
            ExternalTool._evaluate,
            vars(coffeescript)["subprocess"],
            vars(cleancss)["Popen"],
        )

    tool("coffee", "print('x')")
    tool("cleancss", "import sys; sys.exit(1)")
    before = replaced()
    apply("coffeescript", "a", "a.coffee")
    assert replaced() == before
    failing(apply, "cleancss", "a")
    assert replaced() == before


def test_typescript_is_compiled_without_the_option_that_it_has_dropped(apply: Apply, tool: Tool) -> None:
    tool(
        "tsc",
        """
        import os, sys
        if "--outFile" in sys.argv: sys.exit("error TS5102: Option 'outFile' has been removed.")
        folder, source = sys.argv[2:4]
        name = os.path.basename(source).replace(".ts", ".js")
        open(os.path.join(folder, name), "w").write(open(source).read().replace(": number", ""))
        """,
    )
    assert apply("typescript", "let x: number = 1;\n", "js/a.ts").text == "let x = 1;\n"


def test_a_typescript_error_names_the_source_and_not_a_temporary_file(apply: Apply, tool: Tool) -> None:
    tool("tsc", "import sys; print(sys.argv[3] + '(1,5): error TS2322: wrong type.'); sys.exit(2)")
    message = failing(apply, "typescript", "let x", "js/a.ts").message
    assert message == '"tsc" failed with status 2: js/a.ts(1,5): error TS2322: wrong type'


def test_an_autoprefixer_that_only_prints_its_help_is_refused(tool: Tool, tmp_path: Path) -> None:
    package = tmp_path / "node_modules/autoprefixer"
    (package / "bin").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "autoprefixer", "version": "10.4.0"}')
    tool("autoprefixer", "").rename(package / "bin/autoprefixer")
    (tmp_path / "node_modules/.bin/autoprefixer").symlink_to("../autoprefixer/bin/autoprefixer")
    with pytest.raises(FilterUnavailableError, match="use the filter autoprefixer6"):
        webassets.load("autoprefixer", {}, search=(str(tmp_path),))


# Files that a filter reads


def test_datauri_takes_files_of_the_roots_and_reports_them(apply: Apply, tmp_path: Path) -> None:
    (tmp_path / "assets/img").mkdir(parents=True)
    (tmp_path / "assets/img/a.png").write_bytes(b"PNG")
    filtered = apply("datauri", "a{b:url(../img/a.png)}")
    assert filtered.text == "a{b:url(data:image/png;base64,UE5H)}"
    assert filtered.read == (str(tmp_path / "assets/img/a.png"),)


def test_datauri_takes_nothing_from_outside_the_roots(apply: Apply, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"SECRET")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/link.png").symlink_to(tmp_path / "secret.png")
    text = "a{b:url(../../secret.png);c:url(../link.png)}"
    assert apply("datauri", text) == Filtered(text)


# Minifiers


@pytest.mark.parametrize("name", ["rcssmin", "rjsmin", "cssmin", "jsmin"])
def test_minifiers_promise_to_keep_the_meaning_and_read_nothing(name: str) -> None:
    try:
        loaded = webassets.load(name, {})
    except FilterUnavailableError as error:
        assert error.message == f"the Python package {name} is not installed: pip install {name}"
    else:
        assert loaded.keeps_meaning
        assert loaded.pure


def test_other_filters_promise_neither(module: Callable[[str, str], str], tmp_path: Path) -> None:
    module("shouting", SHOUT)
    loaded = webassets.load("shouting:Shout", {}, search=(str(tmp_path),))
    assert not loaded.keeps_meaning
    assert not loaded.pure


def minifier(module: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, body: str) -> None:
    """A package of that name whose minifier does this, in place of the real one."""
    module(name, body)
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_minified_text_with_the_same_tokens_is_accepted(
    apply: Apply, module: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    minifier(module, monkeypatch, tmp_path, "cssmin", "def cssmin(text): return 'a{b:c}'")
    assert apply("cssmin", "a { b: c }\n") == Filtered("a{b:c}")


def test_a_minified_style_sheet_that_means_something_else_is_refused(
    apply: Apply, module: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    minifier(module, monkeypatch, tmp_path, "cssmin", "def cssmin(text): return 'a{b:d}'")
    filtered = apply("cssmin", "a { b: c }\n")
    assert (filtered.text, filtered.refused) == ("a { b: c }\n", True)
    assert [(note.offset, note.message) for note in filtered.notes] == [
        (7, "cssmin would change what this means, so the file stays as it is written")
    ]


def test_a_minified_script_that_means_something_else_is_refused(
    apply: Apply, module: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    body = "class JavascriptMinify:\n    def minify(self, _in, out): out.write('return 1')"
    minifier(module, monkeypatch, tmp_path, "jsmin", body)
    filtered = apply("jsmin", "return\n1", "js/a.js")
    assert (filtered.text, filtered.refused) == ("return\n1", True)


def test_a_script_that_does_not_lex_is_left_as_it_is(
    apply: Apply, module: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    body = "class JavascriptMinify:\n    def minify(self, _in, out): out.write(_in.read())"
    minifier(module, monkeypatch, tmp_path, "jsmin", body)
    filtered = apply("jsmin", "var a = `", "js/a.js")
    assert (filtered.text, filtered.refused, len(filtered.notes)) == ("var a = `", True, 1)
