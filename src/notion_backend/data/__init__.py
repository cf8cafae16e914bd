"""What is kept: tables, repositories and the unit of work, on SQLAlchemy."""
