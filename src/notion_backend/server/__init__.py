"""The process that serves HTTP: uvicorn with our protocol, its start, its stop, its workers."""

from notion_backend.server.run import run

__all__ = ["run"]
