"""Alembic's entry point: the connection, already locked, comes from `data.migrate`."""

from alembic import context

from notion_backend.data.base import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
