"""whom advisers ask about a call"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OUTCOMES = (
    "handed_over: the caller went on with whoever was asked; taken_back, left, not_answered, caller_left, "
    "conversation_ended, interrupted"
)


def upgrade() -> None:
    op.create_table(
        "consultations",
        sa.Column("node", sa.Text(), nullable=False, comment="The node whose controller told it"),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="Number of the fact"),
        sa.Column("call_id", sa.Text(), nullable=False, comment="The call"),
        sa.Column("visit", sa.Text(), nullable=False, comment="The queue visit in whose conversation it was"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When it was over"),
        sa.Column("asked_seat", sa.Text(), nullable=True, comment="The seat that was asked; null: somebody outside"),
        sa.Column("asked_adviser", sa.Text(), nullable=True, comment="The adviser's number there"),
        sa.Column(
            "outside",
            sa.Text(),
            nullable=True,
            comment="The name of whoever is outside, as the setting `outside` has it; null: a seat was asked",
        ),
        sa.Column("outcome", sa.Text(), nullable=False, comment=OUTCOMES),
        sa.Column("reason", sa.Text(), nullable=True, comment="Of not_answered: no_answer, busy, unreachable, refused"),
        sa.Column("rang_ms", sa.BigInteger(), nullable=True, comment="How long it rang there"),
        sa.Column(
            "asked_ms",
            sa.BigInteger(),
            nullable=True,
            comment="How long the two spoke without the caller, who heard music",
        ),
        sa.Column("together_ms", sa.BigInteger(), nullable=True, comment="How long all three spoke"),
        sa.PrimaryKeyConstraint("node", "seq"),
        comment="One row for each time an adviser asked somebody else about a call, or a team lead took one over",
    )
    op.create_index("consultations_by_call", "consultations", ["call_id"])
    op.create_index("consultations_by_time", "consultations", ["at"])
