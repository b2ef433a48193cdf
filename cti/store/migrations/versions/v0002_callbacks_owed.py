# one column a line, with its comment
"""callbacks owed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callbacks_owed",
        sa.Column("call_id", sa.Text(), autoincrement=False, nullable=False, comment="The call that ended too early"),
        sa.Column("node", sa.Text(), nullable=False, comment="The node that it was on"),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False, comment="When the hotline came to owe it"),
        sa.Column(
            "calling_number",
            sa.Text(),
            nullable=True,
            comment="Whom to call, E.164; null when withheld: nobody can be called. Personal data",
        ),
        sa.Column("line", sa.Text(), nullable=False, comment="The hotline number that was called"),
        sa.Column(
            "why",
            sa.Text(),
            nullable=False,
            comment="asterisk_died: the call was dropped; too_many_calls: it was turned away",
        ),
        sa.Column("queue", sa.Text(), nullable=True, comment="The queue that the caller had come to; null before any"),
        sa.Column(
            "skills",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="What the adviser has to be able to do: skill -> level 1 to 5; empty before any queue",
        ),
        sa.Column("promised", sa.Boolean(), nullable=False, comment="The caller was told to expect it"),
        sa.PrimaryKeyConstraint("call_id"),
        comment="One row for each caller who was dropped or turned away through no doing of their own",
    )
    op.create_index("callbacks_owed_by_number", "callbacks_owed", ["calling_number", "owed_at"], unique=False)
    op.create_index("callbacks_owed_by_time", "callbacks_owed", ["owed_at"], unique=False)
