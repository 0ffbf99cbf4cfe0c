"""The sample project as a twelve-factor application: built by its Dockerfile's own commands, and served by real processes from
one artifact, behind a real nginx, with sessions in a real Redis."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError

import pytest
import redis
import yaml

from assetbuild.runtime.manifest import Manifest, load
from assetbuild.verify import verify
from tests import dockerfile
from tests.browser import chromium, visit
from tests.server import NGINX_MODULE, free_port, missing
from tests.test_docs import environment
from tests.test_layers import FOR_WRITING
from tests.test_sample import SAMPLE, snapshot

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.long

DOCKERFILE = (SAMPLE / "Dockerfile").read_text("utf-8")
PAGES = ("/", "/mineral/quartz", "/tray", "/?q=halides", "/nowhere")


def program(name: str) -> str:
    return shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin") or missing(
        f"{name} is not installed"
    )


def follow(scratch: Path) -> dockerfile.Stage:
    """The last stage of the Dockerfile, in an empty folder."""
    return dockerfile.follow(DOCKERFILE, SAMPLE, scratch, environment())


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("image")


@pytest.fixture(scope="module")
def image(scratch: Path) -> dockerfile.Stage:
    return follow(scratch)


# ---- what the files say


def test_the_image_has_the_helper_without_its_extras_and_the_compiler_stays_in_the_build_stage(image: dockerfile.Stage) -> None:
    assert "assetbuild" in image.installed
    assert not [name for name in image.installed if "[" in name]
    assert verify(image.cwd / "dist", production=True).findings == ()
    names = {path.name for path in image.cwd.iterdir()}
    assert names == {"app.py", "dist", "gunicorn.conf.py", "minerals.py", "requirements.txt", "sessions.py", "templates"}
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*$", last, re.MULTILINE)


def test_a_second_build_has_the_cache_of_the_first_and_makes_the_same_bytes(image: dockerfile.Stage, scratch: Path) -> None:
    dist = image.cwd / "dist"
    before = {file: file.read_bytes() for file in dist.rglob("*") if file.is_file()}
    kept = {name: seen for name, seen in snapshot(scratch / "caches").items() if "index" not in name}
    assert len(kept) > 10
    follow(scratch)
    assert before == {file: file.read_bytes() for file in dist.rglob("*") if file.is_file()}
    assert kept.items() <= snapshot(scratch / "caches").items()


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    done = subprocess.run([program("hadolint"), str(SAMPLE / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_composition_has_nothing_that_a_process_could_write_to() -> None:
    services = yaml.safe_load((SAMPLE / "compose.yaml").read_text("utf-8"))["services"]
    web = services["web"]
    assert web["read_only"] is True
    assert "volumes" not in web
    assert "ports" not in web  # So that there may be any number of them.
    host = re.fullmatch(r"redis://(\w+):6379/0", web["environment"]["REDIS_URL"])
    assert host
    assert host[1] in services
    assert re.findall(r"server (\w+):(\d+);", (SAMPLE / "nginx.conf").read_text("utf-8")) == [("web", image_port())]


def image_port() -> str:
    port = re.search(r"^ENV PORT=(\d+)$", DOCKERFILE, re.MULTILINE)
    assert port
    assert f"EXPOSE {port[1]}\n" in DOCKERFILE
    return port[1]


# ---- processes


class Server(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def top(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """At once, workers and all, as a machine goes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def on_a_read_only_file_system(folder: Path) -> list[str]:
    """What goes before a command, so that nobody, root neither, can write below a folder."""
    if os.geteuid() == 0:
        mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'
        words = ["unshare", "-m", "sh", "-ec", mount, str(folder)]
        tried = subprocess.run([*words, "sh", "-c", "! touch x"], cwd=folder, capture_output=True, check=False)
        if tried.returncode == 0:
            return words
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    return []


@contextlib.contextmanager
def serving(
    image: dockerfile.Stage, folder: Path, log: Path, *, port: int = 0, before: list[str] | None = None, **variables: str
) -> Iterator[Server]:
    """The image's own command, in a folder that holds what the image's has."""
    port = port or free_port()
    env = image.environment() | {"PORT": str(port), "WEB_CONCURRENCY": "2"} | variables
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*(before or []), *image.command], cwd=folder, env=env, stdout=said, stderr=said, start_new_session=True
        )
    server = Server(process, port, log)
    try:
        answers(server)
        yield server
    finally:
        server.kill()


def answers(server: Server) -> None:
    for _ in range(600):
        assert server.process.poll() is None, server.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(server.log.read_text())


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Debian's; its address."""
    folder.mkdir()
    port = free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with (folder / "log").open("wb") as said:
        process = subprocess.Popen([program("redis-server"), *words], stdout=said, stderr=said)
    server = Server(process, port, folder / "log")
    try:
        answers(server)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nginx(folder: Path, text: str) -> Iterator[None]:
    folder.mkdir()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in kinds)
    (folder / "nginx.conf").write_text(text.replace("http {", f"http {{ access_log off; {paths}", 1), "utf-8")
    options = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;"
    words = [
        program("nginx"),
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "error.log"),
        "-g",
        options,
    ]
    with (folder / "log").open("wb") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
    (port, *_) = (int(found) for found in re.findall(r"listen 127\.0\.0\.1:(\d+)", text))
    try:
        answers(Server(process, port, folder / "log"))
        yield
    finally:
        process.terminate()
        process.wait()


def balanced(port: int, servers: list[int]) -> str:
    """The sample's own nginx.conf, with these servers instead of the composition's; answers say which of them gave them."""
    text = (SAMPLE / "nginx.conf").read_text("utf-8")
    assert "server web:8000;" in text
    assert "listen 8080;" in text
    text = text.replace("server web:8000;", "".join(f"server 127.0.0.1:{one} max_fails=0; " for one in servers))
    return text.replace("listen 8080;", f"listen 127.0.0.1:{port}; add_header X-Upstream $upstream_addr always;")


class Visitor:
    """A browser's cookies, and nothing else of it."""

    def __init__(self) -> None:
        self.cookies = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies)).open
        self.answered_by: list[str] = []

    def get(self, url: str, data: bytes | None = None) -> str:
        try:
            answer = self._open(url, data, timeout=30)
        except HTTPError as error:
            if error.code != 404:
                raise
            answer = error
        with answer:
            # Where one server was not to be had, nginx names those that it tried; the last answered.
            self.answered_by.append(answer.headers.get("X-Upstream", "").rpartition(":")[2])
            text: str = answer.read().decode()
            return text


def test_any_process_answers_any_request_and_one_that_dies_is_not_missed(image: dockerfile.Stage, tmp_path: Path) -> None:
    folder, elsewhere, later = tmp_path / "app", tmp_path / "else/where", tmp_path / "later"
    for copy in (folder, elsewhere, later):
        shutil.copytree(image.cwd, copy)
    ports = [free_port() for _ in range(4)]
    proxy = free_port()
    before = snapshot(folder)
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(redis_server(tmp_path / "redis"))

        def start(where: Path, port: int) -> Server:
            guard = on_a_read_only_file_system(where)
            log = tmp_path / f"{port}.log"
            return stack.enter_context(serving(image, where, log, port=port, before=guard, REDIS_URL=address))

        first, *_ = (start(folder, ports[0]), start(folder, ports[1]), start(elsewhere, ports[2]))
        stack.enter_context(nginx(tmp_path / "nginx", balanced(proxy, ports)))
        top = f"http://127.0.0.1:{proxy}"
        visitor = Visitor()
        assert "Back into its drawer" in visitor.get(f"{top}/tray/quartz", b"")
        assert "Tray 2</a>" in visitor.get(f"{top}/tray/pyrite", b"")

        def look() -> dict[str, str]:
            """Every page, often enough for every server to give it."""
            visitor.answered_by.clear()
            seen: dict[str, str] = {}
            for page in PAGES:
                for _ in range(4):
                    text = visitor.get(top + page)
                    assert seen.setdefault(page, text) == text
            return seen

        pages = look()
        assert set(visitor.answered_by) == set(map(str, ports[:3]))
        here = [words for words in ("Tray 2", "Quartz", "Pyrite", "Halite") if words in pages["/tray"]]
        assert here == ["Tray 2", "Quartz", "Pyrite"]
        manifest = load(folder / "dist/manifest.json")
        for url in urls_of_assets(pages, manifest):
            assert urllib.request.urlopen(top + url).read() == (folder / "dist" / url.removeprefix("/static/")).read_bytes()

        first.kill()
        assert look() == pages
        assert set(visitor.answered_by) == set(map(str, ports[1:3]))
        start(later, ports[3])
        assert look() == pages
        assert set(visitor.answered_by) == set(map(str, ports[1:]))
        assert "Tray 1</a>" in visitor.get(f"{top}/tray/quartz", b"")

        # The session lies in Redis, for a while, and the cookie only names it.
        store = redis.Redis.from_url(address)
        (key,) = store.scan_iter("*")
        assert json.loads(store.get(key) or b"")["tray"] == ["pyrite"]
        assert 0 < int(store.ttl(key)) <= 30 * 24 * 3600
        (cookie,) = visitor.cookies
        assert cookie.value
        assert key.decode() == f"strata:{cookie.value}"
        assert "Tray</a>" in Visitor().get(top)
        store.close()
    assert snapshot(folder) == before


def urls_of_assets(pages: dict[str, str], manifest: Manifest) -> set[str]:
    """What the pages name of the artifact, which is all that they name below /static/."""
    public = {f"/static/{entry['path']}" for entry in manifest["assets"].values()}
    named = {url for text in pages.values() for url in re.findall(r'(?:src|href)="(/static/[^"#]+)', text)}
    assert named
    assert named <= public
    return named


def test_without_redis_the_session_is_signed_in_the_visitors_cookie(image: dockerfile.Stage, tmp_path: Path) -> None:
    with (
        serving(image, image.cwd, tmp_path / "1.log", SECRET_KEY="of a test") as one,
        serving(image, image.cwd, tmp_path / "2.log", SECRET_KEY="of a test") as other,
        serving(image, image.cwd, tmp_path / "3.log") as neither,
    ):
        visitor = Visitor()
        assert "Tray 1</a>" in visitor.get(f"{one.top}/tray/quartz", b"")
        assert "Tray 1</a>" in visitor.get(f"{other.top}/")
        # No key that each process would have to make for itself, so no tray.
        assert "Tray" not in visitor.get(f"{neither.top}/")
        with pytest.raises(HTTPError, match="403"):
            visitor.get(f"{neither.top}/tray/quartz", b"")
        foreign = urllib.request.Request(f"{one.top}/tray/quartz", b"", {"Sec-Fetch-Site": "cross-site"})
        with pytest.raises(HTTPError, match="403"):
            urllib.request.urlopen(foreign)


#: Calls that change a file's bytes; `strace -y` tells what the descriptor is.
CHANGES = re.compile(
    r"\b(?:p?writev?2?|pwrite64|ftruncate|fallocate|sendfile|copy_file_range)\(\d+<([^>]*)>|"
    r"\b((?:mkdir|mkdirat|mknod|mknodat|link|linkat|symlink|symlinkat|rename|renameat2?|unlink|unlinkat|rmdir|truncate|creat)\()"
)
IN_MEMORY = re.compile(r"(?:socket|pipe|anon_inode|TCP|UNIX|eventpoll):?\[?|/dev/(?:null|shm/)|/memfd:")


def test_no_process_writes_to_a_disk_while_it_serves(image: dockerfile.Stage, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    if subprocess.run([program("strace"), "-o", str(trace), "true"], check=False).returncode:
        missing("strace may not trace")
    # What it says goes into a pipe, as a container's does.
    watched = ["sh", "-c", '"$@" 2>&1 | cat >/dev/null', "sh", program("strace"), "-f", "-y", "-qq", "-o", str(trace)]
    calls = "trace=%file,%desc"
    with (
        redis_server(tmp_path / "redis") as address,
        serving(image, image.cwd, tmp_path / "log", before=[*watched, "-e", calls], REDIS_URL=address) as server,
    ):
        visitor = Visitor()
        visitor.get(f"{server.top}/")
        start = trace.stat().st_size
        visitor.get(f"{server.top}/tray/quartz", b"")
        for _ in range(4):
            pages = {page: visitor.get(server.top + page) for page in PAGES}
        for url in urls_of_assets(pages, load(image.cwd / "dist/manifest.json")):
            urllib.request.urlopen(server.top + url).read()
        text = trace.read_text(errors="replace")[start:]
    lines = text.splitlines()
    assert len([line for line in lines if "dist/css/site." in line or "sendto(" in line or "write" in line]) > 20
    assert [line for line in lines if FOR_WRITING.search(line) and not IN_MEMORY.search(line)] == []
    changed = [(line, found) for line in lines if (found := CHANGES.search(line))]
    assert changed
    # A second worker may still make its heartbeat, in memory.
    assert [line for line, found in changed if not (IN_MEMORY.search(line) if found[2] else IN_MEMORY.match(found[1]))] == []


def test_the_procfiles_command_serves_from_the_projects_own_folder(image: dockerfile.Stage, tmp_path: Path) -> None:
    (kind, command) = (SAMPLE / "Procfile").read_text("utf-8").strip().split(": ", 1)
    assert kind == "web"
    with serving(replace(image, command=["sh", "-c", f"exec {command}"]), image.cwd, tmp_path / "log") as server:
        assert "Strata" in Visitor().get(server.top)


def test_without_an_artifact_nothing_starts(image: dockerfile.Stage, tmp_path: Path) -> None:
    env = image.environment() | {"PORT": str(free_port()), "ASSETBUILD_OUTPUT": str(tmp_path)}
    done = subprocess.run(image.command, cwd=image.cwd, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "run `flask assetbuild compile`" in done.stderr


# ---- one artifact, wherever browsers find it

CDN = "https://cdn.example.com/x/"
CDN_CONFIG = """
events {{}}
http {{
    server {{ listen 127.0.0.1:{port} ssl; server_name cdn.example.com; {tls} {block} }}
    server {{ listen 127.0.0.1:{port} ssl; server_name closed.example.com; {tls} {closed} }}
}}
"""


@pytest.fixture(scope="module")
def cdn(image: dockerfile.Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx that has the artifact, told what to do by `assetbuild serve-config`; its other host says nothing of
    who may read the files."""
    folder = tmp_path_factory.mktemp("cdn")
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "certificate"), "-subj", "/CN=cdn.example.com"]
    subprocess.run([program("openssl"), *request, *files], check=True, capture_output=True)
    command = [sys.executable, "-m", "assetbuild", "serve-config", "nginx", "--output", str(image.cwd / "dist")]
    env = environment() | {"ASSETBUILD_BASE_URL": CDN}
    block = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout
    assert 'add_header Access-Control-Allow-Origin "*";' in block
    closed = block.replace('add_header Access-Control-Allow-Origin "*";', "")
    port = free_port()
    tls = f"ssl_certificate {folder}/certificate; ssl_certificate_key {folder}/key;"
    module = f"load_module {NGINX_MODULE};" if NGINX_MODULE.exists() else missing(f"{NGINX_MODULE} is not installed")
    with nginx(folder / "nginx", module + CDN_CONFIG.format(port=port, tls=tls, block=block, closed=closed)):
        yield port


@pytest.fixture(scope="module")
def browser(cdn: int) -> Iterator[Browser]:
    with chromium(f"--host-resolver-rules=MAP *.example.com 127.0.0.1:{cdn}", "--ignore-certificate-errors") as running:
        yield running


@pytest.mark.parametrize(
    ("mounted", "base_url"),
    [("", ""), ("/shop", "/shop/static/"), ("", CDN), ("/shop", CDN)],
    ids=["at the top", "below a prefix", "on a CDN", "below a prefix and on a CDN"],
)
def test_one_artifact_is_served_wherever_the_environment_says(
    image: dockerfile.Stage, browser: Browser, tmp_path: Path, mounted: str, base_url: str
) -> None:
    before = snapshot(image.cwd / "dist")
    names = {entry["path"] for entry in load(image.cwd / "dist/manifest.json")["assets"].values()}
    with serving(
        image, image.cwd, tmp_path / "log", ASSETBUILD_BASE_URL=base_url, SCRIPT_NAME=mounted, SECRET_KEY="of a test"
    ) as server:
        where = urllib.parse.urljoin(server.top, base_url or "/static/")
        own = f"{server.top}{mounted if base_url == CDN else ''}{urllib.parse.urlsplit(where).path}"
        with visit(browser, f"{server.top}{mounted}/") as opened:
            page = opened.page
            assert (opened.console, opened.errors, opened.failed) == ([], [], [])
            assert {answer.status for answer in opened.answers} == {200}
            urls = {answer.url for answer in opened.answers}
            assets = {url for url in urls if url.startswith(where)}
            assert len(assets) >= 18
            assert {url.removeprefix(where) for url in assets} <= names
            # Nothing else, but for the symbols, which browsers take from the page's own host only.
            rest = urls - assets - {f"{server.top}{mounted}/"}
            symbols = [url for url in rest if re.fullmatch(rf"{re.escape(own)}img/sprite\.\w+\.svg", url)]
            assert (len(rest), len(symbols)) == ((1, 1) if base_url == CDN else (0, 0))
            assert page.get_attribute("html", "data-modules") == "ready"
            assert page.locator("[data-scale] rect").count() == 10
            fonts = "() => document.fonts.ready.then(fonts => [...fonts].map(font => font.status))"
            assert page.evaluate(fonts) == ["loaded", "loaded"]
            crystal = page.locator(".crystal").first
            drawn = crystal.screenshot()
            crystal.locator("use").evaluate("use => use.remove()")
            assert crystal.screenshot() != drawn
            page.keyboard.press("/")
            page.keyboard.type("almandine")
            page.wait_for_function("() => document.querySelectorAll('#cards h3').length === 1")
            page.click("#cards a")
            page.click(".tray button")
            page.click("text=Tray 1")
            assert page.url == f"{server.top}{mounted}/tray"
            assert page.locator("#cards h3").all_inner_texts() == ["Almandine"]
            assert (opened.console, opened.errors) == ([], [])
    assert snapshot(image.cwd / "dist") == before


def test_a_cdn_that_does_not_allow_others_to_read_gives_a_page_without_sheets_and_scripts(
    image: dockerfile.Stage, browser: Browser, tmp_path: Path
) -> None:
    address = CDN.replace("cdn.", "closed.")
    with (
        serving(image, image.cwd, tmp_path / "log", ASSETBUILD_BASE_URL=address) as server,
        visit(browser, server.top) as opened,
    ):
        assert opened.page.get_attribute("html", "data-modules") is None
        # As the browser has it without any sheet.
        assert opened.page.evaluate("() => getComputedStyle(document.body).margin") == "8px"
        assert [line for line in opened.console if "Access-Control-Allow-Origin" in line]
