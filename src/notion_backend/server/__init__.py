"""The process that serves HTTP: uvicorn with our protocol, its start, its stop, its workers."""

from notion_backend.server.run import check_address, run

__all__ = ["check_address", "run"]
