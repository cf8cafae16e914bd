"""The limit of a list: bare ASGI, the same columns by the same index, written as JSON."""

import json
import os
from typing import Any

from notion_backend.data import sqlite

_PAGE = """
SELECT id, reference, first_name, last_name, email, state, resume_filename, resume_media_type,
       resume_size, resume_sha256, created_at, updated_at, reached_out_at, reached_out_by, flags
FROM leads ORDER BY created_at DESC, id DESC LIMIT 51
"""
_connection: Any = sqlite.driver.connect(os.environ["BENCH_DATABASE"], check_same_thread=False)


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every request with the newest 50 leads."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    rows = _connection.execute(_PAGE).fetchall()
    items = [
        {
            "id": row[0],
            "reference": row[1],
            "first_name": row[2],
            "last_name": row[3],
            "email": row[4],
            "state": row[5],
            "resume": {
                "filename": row[6],
                "media_type": row[7],
                "size": row[8],
                "sha256": row[9],
            },
            "created_at": row[10],
            "updated_at": row[11],
            "reached_out_at": row[12],
            "reached_out_by": row[13],
            "flags": json.loads(row[14]),
        }
        for row in rows[:50]
    ]
    answer = json.dumps({"items": items, "next_cursor": None}).encode()
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
