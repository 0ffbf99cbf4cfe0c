"""Names of static files: what Django's finders have under one, and what is said of one that there is not."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Iterator

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation

from assetbuild.runtime import AssetNotFound, closest
from assetbuild.runtime import manifest as treaty

#: What is served from the artifact while `watch` keeps it fresh; whoever names it wants that.
FINDER = "assetbuild.integrations.django.finders.ArtifactFinder"

#: Suffixes of what no browser reads, and a build makes something else of.
_COMPILED = (".scss", ".sass", ".less", ".styl", ".ts", ".tsx", ".jsx", ".coffee")


class UnknownAsset(AssetNotFound, ValueError):  # noqa: N818 - as the exception that it is one of
    """There is no static file of this name. A ValueError, as Django's ManifestStaticFilesStorage raises one: WhiteNoise, for
    instance, goes by that. hint: what else may help, or ""."""

    def __init__(self, path: str, closest: tuple[str, ...], manifest: str, hint: str = "") -> None:
        super().__init__(path, closest, manifest)
        self.hint = hint

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}; {self.hint}" if self.hint else text


class UnknownSource(UnknownAsset):
    """In development. What helps is looked for when the text is asked for, since all files are listed for that, and WhiteNoise
    asks for the URLs of many names that there are not."""

    def __init__(self, path: str, base_url: str) -> None:
        super().__init__(path, (), "the static files")
        self.base_url = base_url

    def __reduce__(self) -> tuple[object, ...]:
        return UnknownSource, (self.path, self.base_url)  # Django's parallel test runner hands errors between processes.

    def __str__(self) -> str:
        watch = "`manage.py assetbuild watch`"
        if FINDER not in settings.STATICFILES_FINDERS:
            watch += f", and {FINDER} in STATICFILES_FINDERS"
        entries: dict[str, treaty.Entry] = {
            name: {"path": name, "integrity": "", "size": 0, "type": ""} for name in source_names()
        }
        stem = os.path.splitext(self.path)[0]
        made = next((name for suffix in _COMPILED if (name := stem + suffix) in entries), None)
        self.closest = () if made else closest.find(self.path, entries, self.base_url)
        if made:
            self.hint = f'it is made of "{made}", which needs {watch}'
        elif not self.closest:
            self.hint = f"what is compiled or bundled needs {watch}"
        return super().__str__()


def source_names() -> Iterator[str]:
    """The names of all static files that the finders list. They are for the text of an error: what fails is passed over."""
    for finder in finders.get_finders():
        with contextlib.suppress(Exception):
            for path, storage in finder.list([]):
                prefix = getattr(storage, "prefix", None)
                yield (f"{prefix}/{path}" if prefix else path).replace(os.sep, "/")


def source(path: str) -> str | None:
    """The file that the finders have under a name; of two names for one file only the one that a build knows it by counts."""
    if path.startswith(("/", "../")) or posixpath.normpath(path) != path:
        return None
    try:
        found = finders.find(path)
    except (SuspiciousFileOperation, ValueError):  # It leads out of the folders, or is none that a file can have.
        return None
    return found if isinstance(found, str) and os.path.isfile(found) else None


def split(name: str) -> tuple[str, str]:
    """A name and the ?query and #fragment behind it, of which a file's own name may hold either character."""
    at = min((i for c in "?#" if (i := name.find(c)) >= 0), default=-1)
    return (name, "") if at < 0 or source(name) else (name[:at], name[at:])
