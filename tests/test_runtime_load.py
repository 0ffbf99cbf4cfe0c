"""The run-time half under load: many threads and processes look names up while the manifest is replaced; and where a process
may do next to nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import assetbuild
from tests.npm import thorough

PACKAGE = Path(assetbuild.__file__).parent

#: Each build has another base URL, and one name of an asset that only it has. What a look-up gives is of one build, whole.
LOAD = """
import gc, json, os, resource, sys, threading, time
sys.path.insert(0, sys.argv[1])
from assetbuild import AssetNotFound, Assets

folder, builds, forks, threads = sys.argv[2], *map(int, sys.argv[3:])

def build(number):
    entry = {"path": f"a.{number:012x}.css", "integrity": "sha256-" + "A" * 43 + "=", "size": number, "type": "text/css"}
    manifest = {"version": 1, "mode": "production", "digest": "sha256-" + "0" * 64, "base_url": f"/{number}/", "previous": [],
                "assets": {"a.css": entry, f"{number}.css": entry}}
    with open(f"{folder}/new", "w") as file:
        json.dump(manifest, file)
    os.replace(f"{folder}/new", f"{folder}/manifest.json")

def look(assets, ended, faults):
    seen = 0
    try:
        while not ended():
            asset = assets["a.css"]
            if asset.url != f"/{asset.size}/a.{asset.size:012x}.css" or asset.path != f"a.{asset.size:012x}.css":
                faults.append(f"torn: {asset}")
            assets.url("a.css"), assets.integrity("a.css"), assets.tag("a.css")
            seen += 1
            time.sleep(0.001)  # So that whoever replaces the manifest gets a turn.
    except BaseException as error:
        faults.append(repr(error))
    return seen

def size():
    gc.collect()
    return len(gc.get_objects()), len(os.listdir("/proc/self/fd"))

build(0)
assets = Assets(folder, auto_reload=True)
children = []
for _ in range(forks):
    child = os.fork()
    if child == 0:
        faults = []
        seen = look(assets, lambda: os.path.exists(f"{folder}/end"), faults)
        right = assets.url("a.css") == f"/{builds}/a.{builds:012x}.css"
        os._exit(0 if seen and not faults and right else 1)
    children.append(child)
faults, done = [], threading.Event()
assets.tag("a.css"), assets.integrity("a.css")  # What is loaded at the first look-up is no growth.
before = size()
crowd = [threading.Thread(target=look, args=(assets, done.is_set, faults)) for _ in range(threads)]
for thread in crowd:
    thread.start()
for number in range(1, builds + 1):
    build(number)
done.set()
for thread in crowd:
    thread.join()
open(f"{folder}/end", "w").close()
statuses = [os.waitpid(child, 0)[1] for child in children]
after = size()
last = assets.url(f"{builds}.css")
print(json.dumps({"faults": faults[:3], "statuses": statuses, "last": last, "before": before, "after": after}))
"""


def test_sixteen_threads_and_eight_processes_see_whole_builds_only_and_nothing_grows(tmp_path: Path) -> None:
    builds = 1000 if thorough() else 300
    numbers = [str(builds), "8", "16"]
    done = subprocess.run(
        [sys.executable, "-B", "-c", LOAD, str(PACKAGE.parent), str(tmp_path), *numbers],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["faults"] == []
    assert found["statuses"] == [0] * 8
    assert found["last"] == f"/{builds}/a.{builds:012x}.css"
    objects, descriptors = (now - then for now, then in zip(found["after"], found["before"], strict=True))
    assert descriptors == 0
    assert objects < 500, "hundreds of manifests were read, each of several objects, and one is kept"


LONELY = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
from assetbuild import Assets
assets = Assets(sys.argv[2])
print(assets.url("css/app.css"), os.geteuid(), [name for _, name in socket.if_nameindex()])
try:
    open(os.path.join(sys.argv[2], "x"), "w")
except OSError as error:
    print(error.strerror)
"""


def test_nobody_without_a_network_looks_names_up_on_a_read_only_file_system(tmp_path: Path) -> None:
    tools = [shutil.which(name) for name in ("unshare", "setpriv", "mount")]
    if os.geteuid() or not all(tools):
        pytest.skip("needs root, and util-linux")
    folder = tmp_path / "artifact"
    (folder / "assets/css").mkdir(parents=True)
    (folder / "assets/css/app.css").write_text("a{}")
    environ = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    subprocess.run([sys.executable, "-m", "assetbuild", "compile", "--quiet"], cwd=folder, env=environ, check=True)
    for above in [folder, *folder.parents]:
        if above.stat().st_uid == os.geteuid() and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o055)
    mounted = 'mount --bind "$2/dist" "$2/dist" && mount -o remount,bind,ro "$2/dist"'
    nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs"
    script = f'{mounted} && exec {nobody} "$0" -B -c "$1" "$3" "$2/dist"'
    command = ["unshare", "--net", "--mount", "sh", "-c", script, sys.executable, LONELY, str(folder), str(PACKAGE.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr and "Traceback" not in done.stderr:
        pytest.skip("this machine allows no namespaces")
    if done.returncode and ("Permission denied" in done.stderr or "can't open" in done.stderr):
        pytest.skip("another user may not read this Python or this project")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    url, user, networks = first.split(" ", 2)
    assert url.startswith("/static/css/app.")
    assert (user, networks) == ("65534", "['lo']")
    assert second == "Read-only file system"
