"""The first tables: calls, purse, batches, memory, review_items, decisions, adjudications."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "calls",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("endpoint", sa.String(300), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("cached_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("latency_s", sa.Float, nullable=False),
        sa.Column("sent_at", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(120), nullable=False),
        sa.Column("batch", sa.String(36), index=True),
    )
    op.create_index("calls_state", "calls", ["state"])
    _money_tables()
    op.create_table(
        "memory",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("access", sa.String(16), nullable=False),
        sa.Column("reviewer", sa.String(200), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
    )
    _review_tables()


def _money_tables() -> None:
    purse = op.create_table(
        "purse",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("spent_usd", sa.Float, nullable=False),
    )
    op.bulk_insert(purse, [{"id": 1, "spent_usd": 0.0}])
    op.create_table(
        "batches",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("endpoint", sa.String(300), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(120), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("input_file", sa.String(200)),
        sa.Column("provider_id", sa.String(200)),
        sa.Column("submitted_at", sa.String(40)),
        sa.Column("collected_at", sa.String(40)),
    )


def _review_tables() -> None:
    op.create_table(
        "review_items",
        sa.Column("id", sa.String(160), primary_key=True),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("sample", sa.String(128), nullable=False, index=True),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("risk", sa.Float, nullable=False, index=True),
        sa.Column("item", sa.JSON, nullable=False),
        sa.Column("assignee", sa.String(200)),
        sa.Column("lease_until", sa.String(40)),
    )
    op.create_table(
        "decisions",
        sa.Column("item", sa.String(160), primary_key=True),
        sa.Column("reviewer", sa.String(200), primary_key=True),
        sa.Column("sample", sa.String(128), nullable=False, index=True),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("decision", sa.JSON, nullable=False),
        sa.Column("decided_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "adjudications",
        sa.Column("item", sa.String(160), primary_key=True),
        sa.Column("adjudication", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("adjudications", "decisions", "review_items", "memory", "batches", "purse", "calls"):
        op.drop_table(table)
