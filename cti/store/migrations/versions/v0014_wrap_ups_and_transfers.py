"""what advisers write down of their conversations, and whom they pass on"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wrap_ups",
        sa.Column("visit", sa.Text(), nullable=False, comment="The queue visit whose conversation it is"),
        sa.Column("call_id", sa.Text(), nullable=False, comment="The call"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When it was saved"),
        sa.Column("adviser", sa.Text(), nullable=True, comment="The adviser's number"),
        sa.Column("category", sa.Text(), nullable=True, comment="The category of the centre's own table"),
        sa.Column("topic", sa.Text(), nullable=True, comment="The topic there"),
        sa.Column(
            "result",
            sa.Text(),
            nullable=True,
            comment="answered, to_call_back, passed_on: to somebody else, unresolved, no_question: nothing was asked",
        ),
        sa.Column("note", sa.Text(), nullable=True, comment="In the adviser's own words. Personal data"),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="By when a call back was promised; null: none was",
        ),
        sa.PrimaryKeyConstraint("visit"),
        comment="One row for each conversation that its adviser has written down",
    )
    op.create_index("wrap_ups_by_call", "wrap_ups", ["call_id"])
    op.create_index("wrap_ups_by_time", "wrap_ups", ["at"])
    transferred = "The queue that the adviser passed the caller on to; null: they did not"
    op.add_column("queue_visits", sa.Column("transferred_to", sa.Text(), nullable=True, comment=transferred))
    op.create_index("wrap_ups_due", "wrap_ups", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
