from __future__ import annotations

import base64
import hashlib

import pytest

from assetbuild.fingerprint import group_digest, integrity, public_path

DIGEST = "5d41402abc4b" + "0" * 52


@pytest.mark.parametrize(
    ("logical", "public"),
    [
        ("app.css", "app.5d41402abc4b.css"),
        ("css/app.css", "css/app.5d41402abc4b.css"),
        ("js/a.js.map", "js/a.js.5d41402abc4b.map"),
        ("jquery.min.js", "jquery.min.5d41402abc4b.js"),
        ("LICENSE", "LICENSE.5d41402abc4b"),
        ("a.b/LICENSE", "a.b/LICENSE.5d41402abc4b"),
        (".well-known/x", ".well-known/x.5d41402abc4b"),
        (".htaccess", ".htaccess.5d41402abc4b"),
        ("odd.", "odd..5d41402abc4b"),
        ("fonts/Ünï cöde.woff2", "fonts/Ünï cöde.5d41402abc4b.woff2"),
    ],
)
def test_the_fingerprint_stands_before_the_last_suffix(logical: str, public: str) -> None:
    assert public_path(logical, DIGEST) == public


def test_integrity_is_what_html_wants() -> None:
    data = b"alert(1)"
    assert integrity(hashlib.sha256(data).hexdigest()) == "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()


def test_members_cannot_trade_text_without_a_new_digest() -> None:
    assert group_digest([("a", b"bc")]) != group_digest([("ab", b"c")])
    assert group_digest([("a", b"x"), ("b", b"y")]) != group_digest([("a", b"y"), ("b", b"x")])
    assert group_digest([("a", b"x"), ("b", b"y")]) == group_digest([("a", b"x"), ("b", b"y")])
