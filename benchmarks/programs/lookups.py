"""Times one look-up: `lookups.py NAMES SETUP LOOKUP` prints nanoseconds a call, one line for each of 21 rounds. NAMES is a file
with a JSON list; LOOKUP is an expression that uses `name`."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def main(names: str, setup: str, lookup: str) -> None:
    with open(names, encoding="utf-8") as file:
        space: dict[str, Any] = {"names": json.load(file), "clock": time.perf_counter_ns}
    rounds = (
        f"{setup}\n"
        "def once():\n"
        "    begin = clock()\n"
        "    for name in names:\n"
        f"        {lookup}\n"
        "    return (clock() - begin) / len(names)\n"
    )
    exec(rounds, space)
    once: Callable[[], float] = space["once"]
    # The first round fills caches, where there are any.
    once()
    for _ in range(21):
        sys.stdout.write(f"{once()}\n")


main(*sys.argv[1:])
