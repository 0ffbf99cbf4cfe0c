"""webassets, with a bundle for each style sheet and each script, since it publishes nothing that is in no bundle.
`webassets_files.py SOURCE OUTPUT CACHE`."""

import importlib
import logging
import os
import sys
from typing import Any

# It has no types.
webassets: Any = importlib.import_module("webassets")
script: Any = importlib.import_module("webassets.script")


def main(source: str, output: str, cache: str) -> None:
    for folder in (output, cache):
        os.makedirs(folder, exist_ok=True)
    environment = webassets.Environment(output, "/static", debug=False, cache=cache, manifest=f"json:{output}/manifest.json")
    environment.append_path(source, "/sources")
    for top, _, files in os.walk(source):
        for name in files:
            path = os.path.relpath(os.path.join(top, name), source)
            stem, suffix = os.path.splitext(path)
            if suffix in (".css", ".js", ".mjs"):
                filters = "cssrewrite,rcssmin" if suffix == ".css" else "rjsmin"
                environment.register(path, webassets.Bundle(path, filters=filters, output=f"{stem}.%(version)s{suffix}"))
    script.CommandLineEnvironment(environment, logging.getLogger("webassets")).build()


main(*sys.argv[1:])
