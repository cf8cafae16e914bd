"""The limit: bare ASGI, no parsing, one durable transaction a request with the whole body."""

import os
import threading
import uuid
from typing import Any

from notion_backend.data import sqlite

_SCHEMA = """
CREATE TABLE leads (id INTEGER PRIMARY KEY, reference TEXT UNIQUE, created_at TEXT, body BLOB);
CREATE TABLE deliveries (id TEXT PRIMARY KEY, lead_id INTEGER REFERENCES leads, recipient TEXT);
"""
_connection: Any = sqlite.driver.connect(os.environ["BENCH_DATABASE"], check_same_thread=False)
sqlite.prepare_connection(_connection, None)
_connection.executescript(_SCHEMA)
_writing = threading.Lock()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Store the body of every request and answer 201."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    reference = uuid.uuid4().hex
    with _writing:
        _connection.execute("BEGIN IMMEDIATE")
        row = _connection.execute(
            "INSERT INTO leads (reference, created_at, body) VALUES (?, datetime(), ?)",
            (reference, body),
        )
        _connection.executemany(
            "INSERT INTO deliveries VALUES (?, ?, ?)",
            [(uuid.uuid4().hex, row.lastrowid, to) for to in ("a@example.com", "b@example.com")],
        )
        _connection.execute("COMMIT")
    answer = b'{"reference":"' + reference.encode() + b'"}'
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
