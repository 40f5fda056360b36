"""Alembic migrations of the database, run by `pipeline.database.open_database`."""
