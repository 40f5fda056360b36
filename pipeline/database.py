"""The database: the ledger of calls, the translation memory, the review queue. SQLite (WAL) and PostgreSQL, same models.

Everything here is keyed by content, so that a second writer of the same fact changes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Engine, Float, Index, Integer, String, Text, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from schemas.errors import InputError


class Base(DeclarativeBase):
    """Parent of all tables."""


class CallRow(Base):
    """See schemas.translation.Call. One row for each time a request was sent."""

    __tablename__ = "calls"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    endpoint: Mapped[str] = mapped_column(String(300))
    model: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    text: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    prompt_tokens: Mapped[int] = mapped_column(Integer, default=0)
    cached_tokens: Mapped[int] = mapped_column(Integer, default=0)
    completion_tokens: Mapped[int] = mapped_column(Integer, default=0)
    cost_usd: Mapped[float] = mapped_column(Float, default=0.0)
    latency_s: Mapped[float] = mapped_column(Float, default=0.0)
    sent_at: Mapped[str] = mapped_column(String(40))
    owner: Mapped[str] = mapped_column(String(120))
    """Process that sent it: host:pid:start. While it lives, nobody else sends the same request."""
    batch: Mapped[str | None] = mapped_column(String(36), index=True)
    """The batch that carries it; until that batch is collected nobody sends the same request."""
    __table_args__ = (Index("calls_state", "state"),)


class PurseRow(Base):
    """One row: the sum of all calls' cost_usd. Whoever writes calls locks it first, so a cap is checked against the truth."""

    __tablename__ = "purse"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    spent_usd: Mapped[float] = mapped_column(Float)


class BatchRow(Base):
    """A file of requests at a provider's batch API, from before its upload until after its collection."""

    __tablename__ = "batches"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Ours; it stands in the provider's metadata, so that a batch is found again whose creation nobody could record."""
    endpoint: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(16))
    """prepared, submitted, collected, void (it never reached the provider)."""
    owner: Mapped[str] = mapped_column(String(120))
    """Process that sees to it; empty when it was let go."""
    count: Mapped[int] = mapped_column(Integer)
    input_file: Mapped[str | None] = mapped_column(String(200))
    provider_id: Mapped[str | None] = mapped_column(String(200))
    submitted_at: Mapped[str | None] = mapped_column(String(40))
    collected_at: Mapped[str | None] = mapped_column(String(40))


class MemoryRow(Base):
    """The translation memory: a source segment and the best Arabic known for it. See pipeline/translate/memory.py."""

    __tablename__ = "memory"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Hash of the NFC source segment and the target language."""
    source: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    access: Mapped[str] = mapped_column(String(16))
    """Access class of the sample it comes from; every derivative inherits it (law 7)."""
    reviewer: Mapped[str] = mapped_column(String(200))
    """Whose word it is: the expert, the imported file, or the model."""
    rank: Mapped[int] = mapped_column(Integer)
    """3 reviewed, 2 imported, 1 machine. A row never gives way to one of a lower rank."""


class ReviewRow(Base):
    """See schemas.review.ReviewItem."""

    __tablename__ = "review_items"
    id: Mapped[str] = mapped_column(String(160), primary_key=True)
    queue: Mapped[str] = mapped_column(String(32))
    sample: Mapped[str] = mapped_column(String(128), index=True)
    content: Mapped[str] = mapped_column(String(64))
    risk: Mapped[float] = mapped_column(Float, index=True)
    item: Mapped[dict[str, Any]] = mapped_column(JSON)
    assignee: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[str | None] = mapped_column(String(40))


class DecisionRow(Base):
    """See schemas.review.Decision. A reviewer has one decision on an item; a later one replaces it."""

    __tablename__ = "decisions"
    item: Mapped[str] = mapped_column(String(160), primary_key=True)
    reviewer: Mapped[str] = mapped_column(String(200), primary_key=True)
    sample: Mapped[str] = mapped_column(String(128), index=True)
    content: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(16))
    decision: Mapped[dict[str, Any]] = mapped_column(JSON)
    decided_at: Mapped[str] = mapped_column(String(40))


class AdjudicationRow(Base):
    """See schemas.review.Adjudication. It settles an item; it outranks every decision on it."""

    __tablename__ = "adjudications"
    item: Mapped[str] = mapped_column(String(160), primary_key=True)
    adjudication: Mapped[dict[str, Any]] = mapped_column(JSON)


def open_database(url: str) -> Engine:
    """An engine on a database brought to the newest migration.

    Raises InputError when the server does not answer or the address is wrong; a full disk is SQLAlchemy's own error.
    """
    try:
        # hide_parameters: an error would quote the row, and errors are printed, logged and sent to Prefect's pages (law 7).
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"), json_serializer=_json, hide_parameters=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _pragmas)
        _migrate(engine)
    except SQLAlchemyError as error:
        if "disk is full" in str(error):
            raise
        reason = " ".join(str(error.__cause__ or error).split())[:300]
        raise InputError(f"database {engine_name(url)} does not open: {reason}. Check `database:` in the config.") from None
    return engine


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on any error."""
    with Session(engine) as opened, opened.begin():
        yield opened


def engine_name(url: str) -> str:
    """The address without its password, for messages."""
    head, at, tail = url.rpartition("@")
    return f"{head.rpartition(':')[0]}:***@{tail}" if at else url


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # WAL: readers never wait for the writer. A writer waits for another up to a minute before it fails.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=60000")
    # NORMAL survives kill -9 of the process; only a power cut can lose the last commits.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # Python's driver commits each CREATE TABLE by itself: a full disk in the middle would leave half a database.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
