"""Words on the command line → one call → an exit status. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from assetbuild import ManifestError, __version__, interrupts
from assetbuild.errors import AssetbuildError, Problem, printable
from assetbuild.report import Progress, Reporter, is_terminal

# What a command does is imported when it is asked for: `--version` and `--help` answer at once.
if TYPE_CHECKING:
    from assetbuild.adopt import Adopted
    from assetbuild.config import Application, Config
    from assetbuild.dev.live import LiveReload
    from assetbuild.dev.watch import Audience
    from assetbuild.documents import Document
    from assetbuild.index import Index

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

_EXIT_STATUSES = """\b
Exit status:
  0    done
  1    the build failed, or a check found something
  2    wrong options or configuration
  130  interrupted; 143 and 129 by SIGTERM and SIGHUP
"""

_ENVIRONMENT = """\b
Environment (the command line wins over it, it wins over the file):
  ASSETBUILD_CONFIG     the configuration file
  ASSETBUILD_OUTPUT     the artifact's folder
  ASSETBUILD_BASE_URL   the base URL
  ASSETBUILD_CACHE_DIR  where intermediate results are kept
  SOURCE_DATE_EPOCH     the modification time of all files, in seconds
  NO_COLOR, FORCE_COLOR
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What every command may be told."""

    config: str | None
    output: str | None
    as_json: bool
    quiet: bool
    verbose: bool
    jobs: int | None

    @property
    def reporter(self) -> Reporter:
        return Reporter(quiet=self.quiet, verbose=self.verbose)

    def load(self, *, build: bool = True, **given: Any) -> Config:
        """given: what else the command line says, as `config.load` has it."""
        from assetbuild import config

        given |= {"output": self.output, "application": click.get_current_context().find_object(config.Application)}
        if build:
            from assetbuild.filters import names

            given["filter_fault"] = names.fault
        return config.load(self.config, build=build, **given)

    def progress(self, reporter: Reporter) -> Progress:
        return Progress(reporter)


class _Command(click.Command):
    """Help in two groups: what is a command's own, and what all have in common."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {"Options": [], "Common options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups["Common options" if parameter.name in _COMMON else "Options"].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class _Group(click.Group):
    command_class = _Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            if any(name in parameter.opts for command in self.commands.values() for parameter in command.params):
                words = f"{ctx.command_path} COMMAND {name}"
                raise click.UsageError(f"{name} is an option of commands, and stands behind the word: {words}", ctx) from None
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (the name is click's)
        return list(self.commands)  # In the order in which one needs them.


_COMMON = ("config", "output", "as_json", "quiet", "verbose", "jobs", "help")

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _common(command: Callable[..., int]) -> Callable[..., int]:
    """Adds the common options and hands them over as one value."""

    @click.option("--config", metavar="FILE", help="The configuration; else assetbuild.toml or pyproject.toml, upward.")
    @click.option("--output", metavar="DIR", help="The artifact's folder, relative to here; else what the configuration says.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for scripts.")
    @click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
    @click.option("-v", "--verbose", is_flag=True, help="Print each file that is written, and tracebacks.")
    @click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="Worker processes at most; else one for each core.")
    @functools.wraps(command)
    def with_options(
        *arguments: object,
        config: str | None,
        output: str | None,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        jobs: int | None,
        **others: object,
    ) -> int:
        if quiet and verbose:
            raise click.UsageError("--quiet and --verbose contradict each other.")
        return command(Options(config, output, as_json, quiet, verbose, jobs), *arguments, **others)

    return with_options


@click.group(cls=_Group, context_settings=_CONTEXT, no_args_is_help=False, epilog=_EXIT_STATUSES + "\n\n" + _ENVIRONMENT)
@click.version_option(__version__, prog_name="assetbuild", message="%(prog)s %(version)s")
def assetbuild() -> None:
    """Turn folders of CSS, JavaScript, images and fonts into one immutable artifact: fingerprinted files and a manifest.

    \b
    Examples:
      assetbuild init                          write a configuration for the project at hand
      assetbuild compile                       build assets/ into dist/
      assetbuild compile --base-url https://cdn.example.com/a/
      assetbuild verify dist --production      before the artifact is deployed
      assetbuild explain css/app.css           why it has the name that it has
    """


@assetbuild.command(epilog=_EXIT_STATUSES)
@_common
def init(options: Options) -> int:
    """Write a commented configuration for the project at hand.

    It is read for Flask, Django, Starlette or FastAPI, folders of static files and of templates, bundles of webassets, and
    Jinja's delimiters; none of its code is run. What is built is named in .gitignore and .dockerignore. Nothing is
    overwritten. --config names the file to write, --output the artifact's folder in it.

    \b
    Examples:
      assetbuild init
      assetbuild init --output build/static
    """
    from assetbuild.config import NAME, PYPROJECT
    from assetbuild.init import init as begin

    file = Path(os.path.abspath(options.config or NAME))
    if file.name == PYPROJECT or options.config == "":
        raise click.UsageError("--config names a new file; add a table [tool.assetbuild] to pyproject.toml by hand.")
    if options.output == "":
        raise click.UsageError("--output may not be empty.")
    begun = begin(file, options.output and os.path.relpath(options.output, file.parent))
    shown = _shown(begun.file)
    if options.as_json:
        found = begun.survey
        document = {
            "ok": True,
            "file": shown,
            "framework": found.framework,
            "sources": list(found.sources),
            "made": _shown(begun.made) if begun.made else None,
            "added": {name: list(lines) for name, lines in begun.added.items()},
            "next": list(begun.next),
            "problems": [],
        }
        _print_json(document)
    elif not options.quiet:
        reporter = options.reporter
        reporter.line(f"{shown}: written" + (f", for {begun.survey.framework}" if begun.survey.framework else ""))
        if begun.made:
            reporter.line(f"{_shown(begun.made)}: made, for no folder of static files was found")
        for name, lines in begun.added.items():
            reporter.line(f"{_shown(begun.file.parent / name)}: {', '.join(lines)} added")
        for number, step in enumerate(begun.next, 1):
            reporter.text(f"{number}. " + step.replace("\n", "\n     "))
    return DONE


@assetbuild.command(epilog=_EXIT_STATUSES)
@_common
@click.option("--base-url", metavar="URL", help='What helpers put before a path: "/static/", "https://cdn.example.com/a/".')
@click.option("--provenance", metavar="FILE", help="Write where the artifact came from, as an in-toto statement.")
@click.option("--sbom", metavar="FILE", help="Write which libraries are in it by their licence comments, as CycloneDX.")
@click.option("--previous", multiple=True, metavar="DIR", help="Carry the files of an earlier artifact along; may be repeated.")
@click.option("--keep", type=int, metavar="N", help="Keep the files of so many earlier releases.")
@click.option("--keep-days", type=int, metavar="N", help="Keep those of releases up to so many days old.")
def compile(  # noqa: A001 (a command's word is its function's name)
    options: Options,
    base_url: str | None,
    provenance: str | None,
    sbom: str | None,
    previous: tuple[str, ...],
    keep: int | None,
    keep_days: int | None,
) -> int:
    """Build the artifact.

    Files are written first and the manifest last, so that whoever reads the folder finds a whole old artifact or a whole new
    one. A failed build leaves everything as it was; a second run with nothing changed writes nothing.

    \b
    Examples:
      assetbuild compile
      assetbuild compile --output /srv/static --base-url /assets/
      assetbuild compile --previous last-release/dist
      SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) assetbuild compile --json
    """
    from assetbuild import report
    from assetbuild.adopt import adopt
    from assetbuild.compile import project

    config = options.load(base_url=base_url, previous=previous, keep=keep, keep_days=keep_days)
    reporter = options.reporter
    asked = _asked(provenance, sbom)

    def waiting() -> None:
        if not options.quiet:
            reporter.line(f"{_shown(config.output)}: another build is at work there, and is waited for")

    try:
        adopted = adopt(config)
        if asked:
            from assetbuild.documents import check

            check([document for document, _ in asked], adopted.config)
        built = project(adopted, jobs=options.jobs, progress=options.progress(reporter), waiting=waiting, whole=bool(asked))
    finally:
        reporter.clear()
    result = built.result
    for document, make in asked:
        document.write(make(adopted, built.index))
    shown = _shown(config.output)
    if options.as_json:
        _print_json(report.result_data(result, shown))
    else:
        reporter.problems(result.warnings)
        reporter.summary(result, shown)
    return DONE


def _asked(provenance: str | None, sbom: str | None) -> list[tuple[Document, Callable[[Adopted, Index], bytes]]]:
    """The documents that are to be beside the artifact, each with what makes it."""
    asked: list[tuple[Document, Callable[[Adopted, Index], bytes]]] = []
    if provenance is not None:
        from assetbuild import documents
        from assetbuild.provenance import statement

        def stated(adopted: Adopted, index: Index) -> bytes:
            return statement(adopted.config, index, __version__, adopted.read)

        asked.append((documents.provenance(provenance), stated))
    if sbom is not None:
        from assetbuild import documents
        from assetbuild.sbom import bill

        asked.append((documents.bill(sbom), lambda adopted, index: bill(adopted.config, index, __version__)))
    return asked


@assetbuild.command(epilog=_EXIT_STATUSES, context_settings={"ignore_unknown_options": False})
@_common
@click.option("--base-url", metavar="URL", help="What helpers prepend to public paths when the environment says nothing.")
@click.option("--poll", is_flag=True, help="Look for changes every 0.3 s; for file systems that tell of none.")
@click.option("--live-reload", is_flag=True, help="Tell open pages of every rebuild.")
@click.option("--live-reload-port", type=click.IntRange(0, 65535), metavar="PORT", help="The port for that; 0: any.")
@click.option("--live-reload-host", metavar="ADDRESS", help="The address to listen on, 127.0.0.1 unless this says so.")
@click.option("--live-reload-allow", metavar="HOST", multiple=True, help="A name by which pages may ask; can be repeated.")
@click.argument("command", nargs=-1, metavar="[-- COMMAND...]")
def watch(
    options: Options,
    base_url: str | None,
    poll: bool,
    live_reload: bool,
    live_reload_port: int | None,
    live_reload_host: str | None,
    live_reload_allow: tuple[str, ...],
    command: tuple[str, ...],
) -> int:
    """Build, then build again after every change, for development.

    Nothing is minified or compressed. What is wrong is shown, and the last good artifact stays until it is mended. With a
    command, that runs beside it, and both end together.

    \b
    Examples:
      assetbuild watch
      assetbuild watch --live-reload
      assetbuild watch -- flask run --debug
    """
    from assetbuild.dev import address
    from assetbuild.dev import watch as watching

    reporter = options.reporter
    told = _told_as_json(options) if options.as_json else _told_in_lines(reporter)
    server = None
    config = options.load(build=False)
    last = address.named(config)
    if last:
        from assetbuild.dev.live import answers

        if answers(last):
            # Each would write its own manifest, and take the other's for a change.
            raise AssetbuildError(
                "another `assetbuild watch` tells pages of this output's rebuilds; end it, or name another --output"
            )
    if live_reload or live_reload_port is not None or live_reload_host or live_reload_allow:
        server = _live_reload(options, live_reload_port, live_reload_host, live_reload_allow, last or address.kept(config))
    try:
        return watching.watch(
            lambda: options.load(base_url=base_url), told, poll=poll, jobs=options.jobs, server=server, command=command
        )
    except interrupts.Terminated as error:
        if error.number != signal.SIGTERM:
            raise
        return DONE


def _live_reload(options: Options, port: int | None, host: str | None, names: Sequence[str], last: str | None) -> LiveReload:
    """last: where the last `watch` was to be heard, so that pages which are open find this one."""
    from assetbuild.dev.live import LOOPBACK, LiveReload

    log = options.reporter.line
    try:
        server = LiveReload(host or "127.0.0.1", port, allowed_hosts=names, resume=last, log=log)
    except ValueError as error:
        message = str(error).replace("with allowed_hosts", "with --live-reload-allow")
        raise click.UsageError(f"live reload: {message}.") from None
    if host and (f"[{host}]" if ":" in host else host) not in LOOPBACK:
        log(f"live reload listens on {host}: whoever reaches it, and asks by an allowed name, learns what is built")
    return server


def _told_in_lines(reporter: Reporter) -> Audience:
    from assetbuild import report
    from assetbuild.dev.watch import Audience, Rebuild

    def rebuilt(rebuild: Rebuild) -> None:
        reporter.problems(rebuild.result.warnings)
        if not reporter.quiet:
            reporter.line(report.rebuilt(rebuild.result, rebuild.sources, rebuild.seconds, time.localtime()))

    return Audience(rebuilt, reporter.problems, reporter.line)


def _told_as_json(options: Options) -> Audience:
    from assetbuild import report
    from assetbuild.dev.watch import Audience, Rebuild

    def rebuilt(rebuild: Rebuild) -> None:
        result = replace(rebuild.result, seconds=rebuild.seconds)
        _print_line({**report.result_data(result, _shown(result.output)), "sources": list(rebuild.sources)})

    return Audience(rebuilt, lambda problems: _print_line(report.failure_data(problems)), options.reporter.line)


@assetbuild.command(epilog=_EXIT_STATUSES)
@_common
@click.option("--unused", is_flag=True, help="Also find assets that no template names, nor an asset that one names.")
def check(options: Options, unused: bool) -> int:
    """Find what templates name and no source gives.

    The folders of `templates` are read: asset("…"), asset_tag("…"), asset_integrity("…") and the filter in Jinja's
    templates, {% static %}, {% asset %} and {% asset_tag %} in Django's. Arguments that are no literals are counted.

    \b
    Examples:
      assetbuild check
      assetbuild check --unused
      assetbuild check --json | jq -r '.problems[].file'
    """
    from assetbuild import report
    from assetbuild.check import check as hold

    config = options.load()
    found = hold(config)
    idle: dict[str, Problem] = {}
    if unused:
        from assetbuild.unused import unused as look

        idle = look(config, found.named, jobs=options.jobs)
    findings = [*found.findings, *idle.values()]
    if options.as_json:
        _print_json(
            {
                "ok": not findings,
                "templates": found.templates,
                "literals": found.literals,
                "dynamic": found.dynamic,
                "unused": list(idle) if unused else None,
                "problems": report.problems_data(findings),
            }
        )
        return FAILED if findings else DONE
    _print_lines(map(str, findings))
    if not options.quiet:
        read = f"{report.amount(found.templates, 'template')}, {report.amount(found.literals, 'literal path')}"
        verdict = "all in the sources" if found.templates else "no folder of `templates` has a template"
        if findings:
            verdict = report.amount(len(findings), "finding")
        options.reporter.line(f"{read}, {found.dynamic:,} dynamic; {verdict}")
    return FAILED if findings else DONE


@assetbuild.command(epilog=_EXIT_STATUSES)
@_common
@click.option("--production", is_flag=True, help="An artifact that `watch` wrote is a finding.")
@click.option("--provenance", metavar="FILE", help="Hold the artifact against this statement, too.")
@click.argument("folder", metavar="[DIR]", required=False)
def verify(options: Options, folder: str | None, production: bool, provenance: str | None) -> int:
    """Hold an artifact against its manifest.

    Every file and variant is hashed again and compared with its name, integrity, size and digest; every reference in a
    published text is followed. DIR is the artifact's folder, or the manifest in it, else the configured output; with DIR no
    configuration is read.

    \b
    Examples:
      assetbuild verify
      assetbuild verify /srv/static --production
    """
    from assetbuild import report
    from assetbuild.runtime import manifest as treaty
    from assetbuild.verify import verify as hold

    if folder is not None and options.output is not None:
        raise click.UsageError("DIR and --output name the same thing; give one of them.")
    if folder == "":
        raise click.UsageError("DIR may not be empty.")
    artifact = Path(folder) if folder is not None else Path(_shown(options.load(build=False).output))
    if artifact.name == treaty.NAME and not artifact.is_dir():
        artifact = artifact.parent
    reporter = options.reporter
    try:
        found = hold(artifact, production=production, progress=functools.partial(options.progress(reporter), "verify"))
    finally:
        reporter.clear()
    if provenance is not None:
        from assetbuild.provenance import differences

        try:
            text = Path(provenance).read_bytes()
        except OSError as error:
            raise click.UsageError(f"{provenance} cannot be read: {error.strerror}.") from error
        found = replace(found, findings=(*found.findings, *differences(text, provenance, artifact, found.digest)))
    if options.as_json:
        _print_json(
            {
                "ok": not found.findings,
                "output": str(artifact),
                "mode": found.mode,
                "digest": found.digest,
                "files": found.files,
                "bytes": found.size,
                "notes": list(found.notes),
                "problems": report.problems_data(found.findings),
            }
        )
        return FAILED if found.findings else DONE
    _print_lines(map(str, report.in_order(found.findings)))
    if not options.quiet:
        for note in found.notes:
            reporter.line(note)
        hashed = f"{report.amount(found.files, 'file')}, {report.size(found.size)}"
        verdict = report.amount(len(found.findings), "finding") if found.findings else "all as the manifest says"
        reporter.line(f"{artifact}: {hashed}; {verdict}")
    return FAILED if found.findings else DONE


@assetbuild.command("list", epilog=_EXIT_STATUSES)
@_common
def list_(options: Options) -> int:
    """Print what is in the artifact: logical path, public path, sizes.

    On a terminal in columns, elsewhere with tabs between and sizes in bytes.

    \b
    Examples:
      assetbuild list
      assetbuild list --json | jq -r '.assets[].path'
    """
    from assetbuild import report
    from assetbuild.runtime import manifest as treaty

    shown = _shown(options.load(build=False).output)
    or_else = "" if options.output else "name the artifact's folder with --output"
    manifest = treaty.load(os.path.join(shown, treaty.NAME), or_else=or_else)
    if options.as_json:
        _print_json(report.manifest_data(manifest, shown))
    else:
        _print_lines(report.listed(manifest["assets"], aligned=is_terminal(sys.stdout)))
    return DONE


@assetbuild.command(epilog=_EXIT_STATUSES)
@_common
@click.argument("path")
def explain(options: Options, path: str) -> int:
    """Print all that is known of an asset.

    Where it came from, what was done to it, what it refers to, what refers to it, and why the next build would write it
    anew. PATH is a logical path, a public path, a source file, or a published one.

    \b
    Examples:
      assetbuild explain css/app.css
      assetbuild explain assets/theme/site.scss --json
    """
    from assetbuild import report
    from assetbuild.explain import explain as look

    config = options.load()
    explanation = look(config, _logical_path(config, path), jobs=options.jobs)
    if options.as_json:
        _print_json(report.explanation_data(explanation))
    else:
        _print_lines(report.explained(explanation))
    return DONE


@assetbuild.command("serve-config", epilog=_EXIT_STATUSES)
@_common
@click.argument("server", type=click.Choice(["nginx", "caddy"]))
def serve_config(options: Options, server: str) -> int:
    """Print what a web server needs to be told to serve the artifact.

    A block of nginx's or Caddy's configuration: the artifact's folder below the path of the base URL, fingerprinted files
    to be cached for ever and others not, types, the compressed variants that there are. The base URL is that of
    $ASSETBUILD_BASE_URL, else of the manifest. Run it where the artifact lies.

    \b
    Examples:
      assetbuild serve-config nginx > /etc/nginx/snippets/assets.conf
      assetbuild serve-config caddy --output /srv/static
    """
    from assetbuild.runtime import manifest as treaty
    from assetbuild.serve_config import serve_config as block

    config = options.load(build=False)
    manifest = treaty.load(os.path.join(_shown(config.output), treaty.NAME))
    base_url = config.base_url if os.environ.get("ASSETBUILD_BASE_URL") else manifest["base_url"]
    text = block(server, config.output, manifest, base_url)
    if options.as_json:
        _print_json({"ok": True, "server": server, "output": _shown(config.output), "text": text, "problems": []})
    else:
        _print(text.removesuffix("\n"))
    return DONE


@assetbuild.command(epilog=_EXIT_STATUSES)
@_common
@click.option("--prune", is_flag=True, help="Remove the least recently used entries beyond the limit.")
@click.option("--limit", type=click.IntRange(0), metavar="MB", default=1000, show_default=True, help="What --prune leaves.")
def cache(options: Options, prune: bool, limit: int) -> int:
    """Tell what the cache holds, or make it smaller.

    The cache keeps what filters made of a text, so that the same work is not done again. It is the folder .assetbuild beside
    the configuration, or $ASSETBUILD_CACHE_DIR, and may be removed at any time.

    \b
    Examples:
      assetbuild cache
      assetbuild cache --prune --limit 200
    """
    from assetbuild import report
    from assetbuild.cache import Cache

    folder = options.load(build=False).cache_dir
    pruned = Cache(str(folder)).prune(limit * 1_000_000 if prune else None)
    if options.as_json:
        _print_json(report.cache_data(pruned, _shown(folder)))
    else:
        _print(report.cached(pruned, _shown(folder)))
    return DONE


def main(arguments: Sequence[str] | None = None, *, application: Application | None = None) -> int:
    """Run the command line; returns the exit status. arguments: default, those of the process. application: what the
    application knows from whose own command line this is called.

    A process that a signal asked to end has then cleaned up, and ends by that signal.
    """
    try:
        with interrupts.as_exceptions():
            status = _main(arguments, application)
    except interrupts.Terminated as error:  # It came before or after the work.
        status = 128 + error.number
    if status - 128 in interrupts.ENDING:
        # Whoever started it sees what ended it. The first process of a container goes on, and has its status to give.
        os.kill(os.getpid(), status - 128)
    return status


def _main(arguments: Sequence[str] | None, application: Application | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_standard_streams()
    if arguments is None:
        _be_utf8()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # A name is shown whatever the terminal's encoding.
    if not words:
        with assetbuild.make_context("assetbuild", ["--help"], resilient_parsing=True) as context:
            sys.stderr.write(assetbuild.get_help(context) + "\n")
        return USAGE
    status = FAILED
    try:
        status = _run(words, application)
        sys.stdout.flush()
    except BrokenPipeError:
        _nobody_reads(sys.stdout)
    except (OSError, _OutputLostError) as error:
        _nobody_reads(sys.stdout)
        why = error.__cause__ if isinstance(error, _OutputLostError) else error
        reason = why.strerror if isinstance(why, OSError) else str(why)
        Reporter().problems([Problem("", 0, 0, f"standard output cannot be written: {reason}")])
        status = status or FAILED
    try:
        sys.stderr.flush()
    except OSError:
        _nobody_reads(sys.stderr)
    return status


def _open_standard_streams() -> None:
    """A stream that was closed before the start leads nowhere now: else the next file that is opened would get its number,
    and what a filter's C code prints would end up in it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # It gets the lowest number that is free: this one.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115 (for good)


def _be_utf8() -> None:
    """File names are UTF-8, whatever the locale says: where this Python takes them for something else, it starts anew.

    Names are decoded long before any code of ours runs, so nothing less would do (PEP 540).
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode or not sys.executable:
        return
    # What is printed stays in the encoding that the terminal has.
    os.environ.setdefault("PYTHONIOENCODING", f"{sys.stderr.encoding}:backslashreplace")
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _run(words: list[str], application: Application | None) -> int:
    # An error may come before the options are read, and is reported as they ask all the same.
    ours = words[: words.index("--")] if "--" in words else words  # The rest is for the command that runs beside `watch`.
    as_json = (_print_line if ours[:1] == ["watch"] else _print_json) if "--json" in ours else None
    quiet = "--quiet" in ours or "-q" in ours
    verbose = "--verbose" in ours or "-v" in ours
    try:
        program = application.program if application else "assetbuild"
        return int(assetbuild.main(words, prog_name=program, standalone_mode=False, obj=application) or DONE)
    except click.UsageError as error:
        if not as_json:
            with contextlib.suppress(OSError):
                error.show()
            return USAGE
        return _failed(USAGE, [Problem("", 0, 0, error.format_message().rstrip("."))], as_json, quiet)
    except AssetbuildError as error:
        if verbose and error.__cause__ is not None:
            _print_traceback(error.__cause__)
        return _failed(error.exit_status, error.problems, as_json, quiet)
    except ManifestError as error:
        return _failed(FAILED, [Problem(error.file, 0, 0, error.message, error.hint)], as_json, quiet)
    except _OutputLostError:
        raise
    except (KeyboardInterrupt, click.Abort):
        return _failed(INTERRUPTED, [Problem("", 0, 0, "interrupted")], as_json, quiet)
    except interrupts.Terminated as error:
        what = f"ended by {signal.Signals(error.number).name}"
        return _failed(128 + error.number, [Problem("", 0, 0, what)], as_json, quiet)
    except Exception as error:
        if verbose:
            _print_traceback(error)
        if isinstance(error, OSError) and error.strerror:
            problem = Problem(os.fsdecode(error.filename or ""), 0, 0, error.strerror)
        else:
            what = f"{type(error).__name__}: {error}".strip(": ").splitlines()[-1]
            problem = Problem("", 0, 0, f"this should not have happened: {what}", "--verbose shows where; please report it")
        return _failed(FAILED, [problem], as_json, quiet)


def _print_traceback(error: BaseException) -> None:
    import traceback

    Reporter().text("".join(traceback.format_exception(error)).rstrip())


def _failed(status: int, problems: Sequence[Problem], as_json: Callable[[object], None] | None, quiet: bool) -> int:
    """as_json: what prints a document, where that is asked for."""
    if as_json:
        from assetbuild import report

        as_json(report.failure_data(problems))
    else:
        Reporter(quiet=quiet).problems(problems)
    return status


def _shown(path: Path) -> str:
    """A path as one would type it from the working folder."""
    return os.path.relpath(path)


def _logical_path(config: Config, path: str) -> str:
    """The path in the tree or in the artifact, where a source or a published file was named as one types it."""
    file = Path(os.path.abspath(path))
    for number, folder in enumerate((*config.sources, config.output)):
        if file.is_relative_to(folder) and file.is_file():
            return config.prefix(number) + file.relative_to(folder).as_posix()
    return path


def _print_lines(lines: Iterable[str]) -> None:
    """They stand before what is told of them afterwards, on the other stream."""
    if text := "\n".join("\t".join(printable(cell) for cell in line.split("\t")) for line in lines):
        _print(text, at_once=True)


def _print_json(document: object) -> None:
    import json

    _print(json.dumps(document, indent=2))


def _print_line(document: object) -> None:
    import json

    _print(json.dumps(document))
    sys.stdout.flush()


def _print(text: str, *, at_once: bool = False) -> None:
    try:
        sys.stdout.write(text + "\n")
        if at_once:
            sys.stdout.flush()
    except BrokenPipeError:
        _nobody_reads(sys.stdout)
    except OSError as error:
        raise _OutputLostError from error


class _OutputLostError(Exception):
    """Standard output cannot be written; the cause says why."""


def _nobody_reads(stream: TextIO) -> None:
    """`assetbuild list | head`: the rest goes nowhere, and the interpreter has nothing to complain of at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
