"""A small application with every part of the HTTP edge, to be served over real sockets."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from notion_backend.core.errors import ConfigurationError, TooLarge
from notion_backend.presentation.errors import install_error_handlers
from notion_backend.presentation.middleware import add_middleware
from notion_backend.presentation.middleware.admission import submission_lane
from notion_backend.presentation.problem import DescribedApi, problem_responses
from notion_backend.presentation.submission_form import read_form

LIMIT = 100_000


class Person(BaseModel):
    name: str
    age: int = 0


def create(
    *,
    trusted_proxies: tuple[str, ...] = (),
    allowed_hosts: tuple[str, ...] = ("example.com",),
    allowed_origins: tuple[str, ...] = (),
    limit: int = LIMIT,
    folder: Path | None = None,
    on_form: Callable[[], None] = lambda: None,
) -> FastAPI:
    app = DescribedApi(form_limits={"max_fields": 20})
    install_error_handlers(app)
    add_middleware(
        app,
        trusted_proxies=trusted_proxies,
        allowed_hosts=allowed_hosts,
        allowed_origins=allowed_origins,
        own_body_paths={"/api/v1/leads"},
        always_answered=(),
        submissions=submission_lane(),
        observe=lambda *_: None,
    )

    @app.post("/api/v1/leads", responses=problem_responses(400, 413, 415, 422))
    async def leads(request: Request) -> dict[str, Any]:
        form = await read_form(
            request, file_field="resume", max_file_bytes=limit, temporary_folder=folder
        )
        on_form()
        with form:
            if form.file_too_large:
                raise TooLarge("Send a smaller file.")
            file = form.file and {
                "filename": form.file.filename,
                "size": form.file.size,
                "sha256": form.file.sha256,
                "read": len(form.file.content.read()),
            }
            return {"fields": form.fields, "file": file}

    @app.post("/api/v1/people")
    async def people(person: Person) -> Person:
        return person

    @app.post("/api/v1/login")
    async def login(request: Request, username: Annotated[str, Form()]) -> dict[str, Any]:
        return {"username": username, "fields": sorted(await request.form())}

    @app.get("/api/v1/address")
    async def address(request: Request) -> dict[str, Any]:
        client = request.client.host if request.client else None
        return {"client": client, "scheme": request.url.scheme}

    @app.get("/api/v1/slow")
    async def slow(seconds: float = 0.5) -> str:
        await asyncio.sleep(seconds)
        return "done"

    @app.get("/api/v1/defect")
    async def defect(secret: str = "") -> str:
        raise RuntimeError(f"this must not be seen: {secret}")

    @app.get("/api/v1/half")
    async def half() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            raise RuntimeError("in the middle")

        return StreamingResponse(pieces())

    @app.get("/page")
    async def page() -> None:
        raise TooLarge("Less than <b>this</b>.")

    @app.get("/api/v1/process")
    async def process() -> int:
        return os.getpid()

    return app


def create_misconfigured() -> FastAPI:
    raise ConfigurationError("SECRET_KEY is too short; give it 32 bytes or more.")


def create_broken() -> FastAPI:
    raise RuntimeError("first line\nsecond line")


def create_broken_at_startup() -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        raise ConfigurationError("DATABASE_URL cannot be reached.")
        yield

    return FastAPI(lifespan=lifespan)
