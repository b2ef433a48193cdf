"""calls back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OWED = "callbacks_owed"
OUTCOME = (
    "kept, not_reached: tried in vain as often as may be, rang_again: its caller was quicker, too_late; null while open"
)
WHY = "asterisk_died: the call was dropped; too_many_calls: turned away; asked: the caller's wish; gave_up: hung up"
CALLBACK_OF = "Not an arrival, but our attempt to call back whoever made this call; null for all others"


def upgrade() -> None:
    op.add_column("calls", sa.Column("callback_of", sa.Text(), nullable=True, comment=CALLBACK_OF))
    op.create_index("calls_back", "calls", ["callback_of"], postgresql_where=sa.text("callback_of IS NOT NULL"))
    op.alter_column(OWED, "call_id", existing_type=sa.Text(), comment="The call whose caller is owed it")
    op.alter_column(OWED, "why", existing_type=sa.Text(), comment=WHY)
    visit = "The queue visit whose place is kept; null before any queue"
    op.add_column(OWED, sa.Column("visit", sa.Text(), nullable=True, comment=visit))
    op.add_column(OWED, sa.Column("outcome", sa.Text(), nullable=True, comment=OUTCOME))
    op.add_column(OWED, sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="When it was over"))
    op.add_column(OWED, sa.Column("attempts", sa.Integer(), nullable=True, comment="How often the citizen was rung"))
    endings = "Facts that say it is over: 0 or 1"
    op.add_column(
        OWED, sa.Column("endings", sa.SmallInteger(), server_default=sa.text("0"), nullable=False, comment=endings)
    )
    whom = "One row for each caller who is to be called back: dropped, turned away, or by their own wish"
    op.create_table_comment(OWED, whom)
    op.create_index("callbacks_owed_open", OWED, ["owed_at"], postgresql_where=sa.text("ended_at IS NULL"))
    states = "logged_out, not_ready, ready, reserved, ringing, calling, talking, wrap_up"
    op.alter_column("seat_states", "state", existing_type=sa.Text(), comment=states)
    op.create_table(
        "callback_attempts",
        sa.Column("call_id", sa.Text(), autoincrement=False, nullable=False, comment="The call that we made"),
        sa.Column("callback_of", sa.Text(), nullable=False, comment="The call whose caller was owed it"),
        sa.Column("attempt", sa.Integer(), nullable=False, comment="From 1"),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the citizen was reached, or given up",
        ),
        sa.Column("seat", sa.Text(), nullable=False, comment="The seat that made it"),
        sa.Column("adviser", sa.Text(), nullable=False, comment="The adviser's number"),
        sa.Column("reached", sa.Boolean(), nullable=False, comment="The citizen answered"),
        sa.Column(
            "reason",
            sa.Text(),
            nullable=True,
            comment="Why not: no_answer, busy, refused, unreachable, adviser_left; null when reached",
        ),
        sa.Column(
            "rang_ms",
            sa.Integer(),
            nullable=False,
            comment="How long the citizen's telephone rang, while the adviser waited",
        ),
        sa.PrimaryKeyConstraint("call_id"),
        comment="One row for each time that a citizen was called back",
    )
    op.create_index("callback_attempts_of", "callback_attempts", ["callback_of"])
    op.create_index("callback_attempts_by_time", "callback_attempts", ["at"])
