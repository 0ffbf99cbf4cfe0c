"""The floor: one loop that reads each file, hashes it, and writes it under its hashed name. `plain_loop.py SOURCE OUTPUT`."""

import hashlib
import json
import os
import sys


def main(source: str, output: str) -> None:
    names = {}
    for top, folders, files in os.walk(source):
        folders.sort()
        inside = os.path.relpath(top, source)
        os.makedirs(os.path.join(output, inside), exist_ok=True)
        for name in sorted(files):
            with open(os.path.join(top, name), "rb") as file:
                data = file.read()
            stem, suffix = os.path.splitext(name)
            hashed = os.path.join(inside, f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}{suffix}")
            with open(os.path.join(output, hashed), "wb") as file:
                file.write(data)
            names[os.path.join(inside, name)] = hashed
    with open(os.path.join(output, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(names, file, indent=1, sort_keys=True)


main(*sys.argv[1:])
