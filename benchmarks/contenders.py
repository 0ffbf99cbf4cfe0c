"""Who builds: for each tool its command over a corpus, and how to see that it did the work. What each leaves out or does
besides is told in docs/benchmarks.md."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from benchmarks.corpora import Corpus

_PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Bench:
    """folder: where all work is done. python: an interpreter that has assetbuild and the peers. modules: the node_modules
    folder with esbuild, Vite and the packages of the corpora; None without the network."""

    folder: Path
    python: str
    modules: Path | None


@dataclass(frozen=True)
class Job:
    """A contender's work on a corpus.

    command, in folder. clean: what a cold build starts without. manifest: what the build writes last. count: how many of the
    expected sources the output has. work: bytes of style sheets and scripts that it reads. watch: the command that builds
    again after each change; () where there is none.
    """

    folder: Path
    command: tuple[str, ...]
    clean: tuple[Path, ...]
    manifest: Path
    count: Callable[[], int]
    expected: int
    work: int
    watch: tuple[str, ...] = ()

    @property
    def output(self) -> Path:
        return self.clean[0]


@dataclass(frozen=True)
class Contender:
    """needs: what it is made of, which only the network brings: nothing, Python packages, npm packages. remembers: it may do
    less when it builds again. whole_seconds: it compares times of files without their fraction."""

    name: str
    plan: Callable[[Bench, Path, Corpus], Job | None]
    needs: Literal["", "python", "npm"] = ""
    remembers: bool = True
    whole_seconds: bool = False

    def job(self, bench: Bench, corpus: Corpus) -> Job | None:
        """None where it has nothing to do on this corpus."""
        folder = bench.folder / "jobs" / f"{self.name} {corpus.name}".replace(",", "").replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        return self.plan(bench, folder, corpus)


def _keys(manifest: Path, *path: str) -> int:
    found: Any = json.loads(manifest.read_text("utf-8"))
    for name in path:
        found = found[name]
    return len(found)


def _loop(bench: Bench, folder: Path, corpus: Corpus) -> Job:
    output = folder / "out"
    command = (bench.python, str(_PROGRAMS / "plain_loop.py"), str(corpus.folder), str(output))
    manifest = output / "manifest.json"
    return Job(folder, command, (output,), manifest, partial(_keys, manifest), len(corpus.files), corpus.code_size)


def _assetbuild(bench: Bench, folder: Path, corpus: Corpus, filtered: bool, compressed: bool) -> Job:
    lines = [f"sources = [{json.dumps(str(corpus.folder))}]", 'output = "out"']
    lines += [] if compressed else ["compress = []"]
    lines += [] if filtered else ["[filters]", '"**" = []']
    (folder / "assetbuild.toml").write_text("\n".join(lines) + "\n")
    manifest = folder / "out" / "manifest.json"
    program = (bench.python, "-m", "assetbuild")
    return Job(
        folder,
        (*program, "compile", "--quiet"),
        (manifest.parent, folder / ".assetbuild"),
        manifest,
        partial(_keys, manifest, "assets"),
        len(corpus.files),
        corpus.code_size,
        (*program, "watch"),
    )


_SETTINGS = """\
SECRET_KEY = "benchmarks"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATIC_ROOT = {output!r}
STATICFILES_DIRS = [{source!r}]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
STORAGES = {{"staticfiles": {{"BACKEND": "{storage}"}}}}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
"""


def _django(bench: Bench, folder: Path, corpus: Corpus, storage: str) -> Job:
    output = folder / "out"
    settings = _SETTINGS.format(output=str(output), source=str(corpus.folder), storage=storage)
    (folder / "settings.py").write_text(settings)
    command = (bench.python, "-m", "django", "collectstatic", "--noinput", "-v0", "--settings=settings", "--pythonpath=.")
    manifest = output / "staticfiles.json"
    return Job(folder, command, (output,), manifest, partial(_keys, manifest, "paths"), len(corpus.files), corpus.code_size)


def _webassets(bench: Bench, folder: Path, corpus: Corpus) -> Job:
    output, cache = folder / "out", folder / "cache"
    command = (bench.python, str(_PROGRAMS / "webassets_files.py"), str(corpus.folder), str(output), str(cache))
    manifest = output / "manifest.json"
    return Job(folder, command, (output, cache), manifest, partial(_keys, manifest), len(corpus.code), corpus.code_size)


def _compressors(bench: Bench, folder: Path, corpus: Corpus, processes: int) -> Job:
    command = (bench.python, str(_PROGRAMS / "compressors_alone.py"), str(corpus.folder), str(processes))
    return Job(folder, command, (folder / "out",), folder / "out", lambda: 0, 0, corpus.code_size)


# What bundlers copy and hash like other files.
_LOADERS = tuple(f"--loader:{suffix}=file" for suffix in (".svg", ".png", ".webp", ".woff", ".woff2", ".ttf"))


def _esbuild(bench: Bench, folder: Path, corpus: Corpus, bundled: bool) -> Job | None:
    names = corpus.entries if bundled else corpus.code
    if not names or bench.modules is None:
        return None
    output, facts = folder / "out", folder / "meta.json"
    # The program itself: Node.js, which its script would start first, is not what is measured.
    program = next((bench.modules / "@esbuild").glob("*/bin/esbuild"))
    command = [str(program), "--minify", f"--outdir={output}", f"--outbase={corpus.folder}", "--log-level=error"]
    command += [f"--metafile={facts}", *(("--bundle", "--splitting", "--format=esm", *_LOADERS) if bundled else ())]
    sources = tuple(str(corpus.folder / name) for name in names)
    return Job(
        folder,
        (*command, "--entry-names=[dir]/[name]-[hash]", *sources),
        (output, facts),
        facts,
        lambda: sum("entryPoint" in one for one in json.loads(facts.read_text())["outputs"].values()),
        len(names),
        corpus.reached_size if bundled else corpus.code_size,
        # Names without hashes, so that it is enough to look at one file.
        (*command, *sources, "--watch=forever"),
    )


_VITE = """\
export default {{
  root: {source},
  base: "/static/",
  publicDir: false,
  logLevel: "error",
  cacheDir: {cache},
  build: {{
    outDir: {output},
    emptyOutDir: true,
    manifest: true,
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    rollupOptions: {{ input: {entries} }},
  }},
}};
"""


def _vite(bench: Bench, folder: Path, corpus: Corpus) -> Job | None:
    if not corpus.entries or bench.modules is None:
        return None
    output, cache, config = folder / "out", folder / "cache", folder / "vite.config.mjs"
    entries = [str(corpus.folder / name) for name in corpus.entries]
    values = {"source": str(corpus.folder), "cache": str(cache), "output": str(output), "entries": entries}
    config.write_text(_VITE.format(**{name: json.dumps(value) for name, value in values.items()}))
    command = (str(bench.modules / ".bin/vite"), "build", "--config", str(config))
    manifest = output / ".vite" / "manifest.json"
    return Job(
        folder,
        command,
        (output, cache),
        manifest,
        lambda: sum("isEntry" in one for one in json.loads(manifest.read_text()).values()),
        len(entries),
        corpus.reached_size,
        (*command, "--watch"),
    )


LOOP = Contender("plain loop", _loop, remembers=False)
PLAIN = Contender("assetbuild, no filters", partial(_assetbuild, filtered=False, compressed=False))
FILTERED = Contender("assetbuild, built-in filters", partial(_assetbuild, filtered=True, compressed=False))
COMPRESSED = Contender("assetbuild, compressed", partial(_assetbuild, filtered=False, compressed=True))
DJANGO = Contender(
    "Django ManifestStaticFilesStorage",
    partial(_django, storage="django.contrib.staticfiles.storage.ManifestStaticFilesStorage"),
    "python",
    whole_seconds=True,
)
WHITENOISE = Contender(
    "WhiteNoise CompressedManifestStaticFilesStorage",
    partial(_django, storage="whitenoise.storage.CompressedManifestStaticFilesStorage"),
    "python",
    whole_seconds=True,
)
WEBASSETS = Contender("webassets, a bundle a file", _webassets, "python")
COMPRESSORS = Contender("the compressors alone, one process", partial(_compressors, processes=1), remembers=False)
COMPRESSORS_TOGETHER = Contender(
    "the compressors alone, a process a core", partial(_compressors, processes=len(os.sched_getaffinity(0))), remembers=False
)
TRANSFORM = Contender("esbuild --minify, file by file", partial(_esbuild, bundled=False), "npm", remembers=False)
BUNDLE = Contender("esbuild --bundle --minify", partial(_esbuild, bundled=True), "npm", remembers=False)
VITE = Contender("Vite build", _vite, "npm", remembers=False)
