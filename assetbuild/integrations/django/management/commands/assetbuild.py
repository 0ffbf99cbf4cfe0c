"""`manage.py assetbuild …`: the command line, told what Django's settings say."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template import engines
from django.template.backends.django import DjangoTemplates

from assetbuild.integrations.django import folders
from assetbuild.integrations.django.storage import AssetStorage, options

if TYPE_CHECKING:
    from assetbuild.config import Application

_NEEDS_BUILD = 'this command needs the build extra: pip install "assetbuild[build]"'
_READING = ("compile", "watch", "check", "explain")


class Command(BaseCommand):
    help = "Compile static files into an artifact: assetbuild's command line, with this project's folders and settings."
    # Settings that are wrong for a site may be right for a build, which runs before there is an artifact.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="compile, watch, check, verify, …; and --help")

    def run_from_argv(self, argv: list[str]) -> None:
        """As the command line has it: its own --help, messages and exit status."""
        try:
            status = self.run(_without_djangos(argv[2:]))
        except CommandError as error:
            self.stderr.write(f"{error.__class__.__name__}: {error}")
            status = error.returncode
        if status:
            sys.exit(status)

    def handle(self, *, arguments: list[str], **_options: Any) -> None:
        if status := self.run(arguments):
            raise CommandError(f"assetbuild {' '.join(arguments)}: exit status {status}", returncode=status)

    def run(self, words: list[str]) -> int:
        try:
            from assetbuild import cli
        except ModuleNotFoundError as error:
            if error.name != "click":
                raise
            raise CommandError(_NEEDS_BUILD, returncode=2) from None
        found = folders.find()
        try:
            told = application(found)
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=2) from None
        silent = "assetbuild.W002" in settings.SILENCED_SYSTEM_CHECKS or {"-q", "--quiet"} & set(words)
        if words and words[0] in _READING and not silent:
            for fault in found.faults:
                self.stderr.write(f"warning: {fault}")
        return cli.main(words, application=told)


def application(found: folders.Folders) -> Application:
    """What the settings say of the build."""
    from assetbuild.config import Application

    given = options() or {}
    storage = AssetStorage(given.get("location"), given.get("base_url"))
    return Application(
        sources=found.roots,
        output=Path(storage.location) if storage.location else None,
        output_name="STATIC_ROOT",
        base_url=storage.base_url,
        base_url_name="STATIC_URL",
        templates=_templates(),
        default_sources=False,
        program="manage.py assetbuild",
        folder=_folder(),
    )


def _folder() -> Path | None:
    """The project's, as `startproject` has it."""
    folder = getattr(settings, "BASE_DIR", None)
    return Path(folder) if isinstance(folder, str | Path) and Path(folder).is_dir() else None


def _templates() -> tuple[Path, ...]:
    """The folders of Django's templates, in the order in which they are looked through."""
    found = [folder for engine in engines.all() if isinstance(engine, DjangoTemplates) for folder in engine.template_dirs]
    return tuple(dict.fromkeys(Path(folder) for folder in found if Path(folder).is_dir()))


def _without_djangos(words: list[str]) -> list[str]:
    """The words without the options that Django has obeyed by now; those behind `--` are another command's."""
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--settings", "--pythonpath"):
        parser.add_argument(name)
    for name in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
        parser.add_argument(name, action="store_true")
    return [*parser.parse_known_args(words[:end])[1], *words[end:]]
