"""Where a visitor's session is kept: in Redis, or signed in the visitor's own cookie. Never in a process, nor on its disk."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from flask import Flask

LIFETIME = timedelta(days=30)


def keep_sessions(app: Flask) -> bool:
    """Sessions by what the environment has: REDIS_URL, else SECRET_KEY, which signs cookies. False where it has neither: then
    there are none, since a key that each process makes for itself would be another one in the next."""
    app.config.update(PERMANENT_SESSION_LIFETIME=LIFETIME, SESSION_COOKIE_SAMESITE="Lax")
    app.secret_key = os.environ.get("SECRET_KEY") or app.secret_key
    if url := os.environ.get("REDIS_URL"):
        app.session_interface = _in_redis(app, url)
        return True
    return bool(app.secret_key)


def _in_redis(app: Flask, url: str) -> Any:
    # Without REDIS_URL nobody has to install them.
    from flask_session.base import Serializer
    from flask_session.redis import RedisSessionInterface
    from redis import Redis

    class Json(Serializer):  # type: ignore[misc]
        """The library's own would also read pickle, so that whoever can write to Redis could run code here."""

        def encode(self, session: dict[str, Any]) -> bytes:
            return json.dumps(dict(session)).encode()

        def decode(self, serialized_data: bytes) -> Any:
            return json.loads(serialized_data)

    client = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    interface = RedisSessionInterface(app, client=client, key_prefix="strata:", permanent=True)
    interface.serializer = Json()
    return interface
