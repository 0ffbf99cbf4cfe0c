"""A reader of Dockerfiles that needs no Docker: each stage is a folder, and its instructions are carried out in it.

It knows the instructions that the documentation uses, and refuses any other. `pip install` installs nothing, since all is there
already; but what a stage did not install for building cannot be imported in it. A cache mount is a folder that is moved in
for its line and out again, and the same in the next build over the same scratch folder. USER and EXPOSE are passed over.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: The modules that only `assetbuild[build]` brings.
BUILD_ONLY = ("webassets", "rcssmin", "rjsmin", "watchdog", "brotli")


@dataclass
class Stage:
    """root: what is `/` in it. installed: what `pip install` was asked for. command: what CMD starts."""

    root: Path
    env: dict[str, str]
    working_folder: str = "/"
    installed: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    @property
    def cwd(self) -> Path:
        return self.place(".")

    def place(self, path: str) -> Path:
        inside = path if path.startswith("/") else f"{self.working_folder}/{path}"
        return self.root / inside.lstrip("/")

    def environment(self) -> dict[str, str]:
        """With modules in the way that were not installed."""
        if "assetbuild[build]" in self.installed:
            return self.env
        absent = self.root.parent / "absent"
        absent.mkdir(exist_ok=True)
        for name in BUILD_ONLY:
            (absent / f"{name}.py").write_text(f"raise ImportError('{name} is not installed in this stage')")
        return self.env | {"PYTHONPATH": f"{absent}:{self.env['PYTHONPATH']}"}

    def run(self, line: str) -> None:
        while mount := re.match(r"--mount=type=cache,target=(/\S+)\s+", line):
            line = line[mount.end() :]
            kept = self.root.parent.parent / "caches" / mount[1].strip("/").replace("/", "-")
            if not line.startswith(("--mount", "pip install ")):
                kept.mkdir(parents=True, exist_ok=True)
                kept.rename(self.place(mount[1]))
                try:
                    self.run(line)
                finally:
                    self.place(mount[1]).rename(kept)
                return
        if line.startswith("pip install "):
            assert not re.search(r"&&|;|\|", line), f"an install line installs and does nothing else: {line}"
            words = [word for word in shlex.split(line)[2:] if not word.startswith("-")]
            if "-r" in line.split():
                (file,) = words
                words = [one for one in self.place(file).read_text("utf-8").splitlines() if one and not one.startswith("#")]
            self.installed += words
            return
        bash = ["bash", "-euo", "pipefail", "-c", line]
        done = subprocess.run(bash, cwd=self.cwd, env=self.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"RUN {line}\n{done.stdout}{done.stderr}"

    def copy(self, line: str, context: Path, stages: Mapping[str, Stage]) -> None:
        *sources, target = line.split()
        base, ignored = context, list[str]()
        if sources[0].startswith("--from="):
            base = stages[sources.pop(0).removeprefix("--from=")].root
        elif (context / ".dockerignore").exists():
            ignored = (context / ".dockerignore").read_text("utf-8").split()
        for name in sources:
            source, into = base / name.lstrip("/"), self.place(target)
            assert source.exists() and name not in ignored, f"COPY {line}: there is no {name}"
            if source.is_dir():
                shutil.copytree(source, into, ignore=shutil.ignore_patterns(*ignored), dirs_exist_ok=True)
            else:
                into = into / source.name if target.endswith("/") else into
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, into)


def follow(text: str, context: Path, scratch: Path, env: Mapping[str, str]) -> Stage:
    """The last stage, with all done but its CMD. context: the folder that COPY copies from; scratch: where stages are."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for number, line in enumerate(re.sub(r"\\\n\s*", "", text).splitlines()):
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "FROM":
            name = rest.partition(" AS ")[2] or str(number)
            root = scratch / name / "root"
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir(parents=True)
            stage = stages[name] = Stage(root, dict(env))
            continue
        assert stage, f"{line}: before any FROM"
        if word == "WORKDIR":
            assert rest.startswith("/")
            stage.working_folder = rest
            stage.cwd.mkdir(parents=True)
        elif word == "RUN":
            stage.run(rest)
        elif word == "COPY":
            stage.copy(rest, context, stages)
        elif word == "ENV":
            key, _, value = rest.partition("=")
            stage.env[key] = value
        elif word == "CMD":
            stage.command = json.loads(rest)
        else:
            assert word in ("USER", "EXPOSE"), f"{line}: nobody reads this instruction"
    assert stage
    return stage
