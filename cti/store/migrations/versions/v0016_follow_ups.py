"""promised calls that are made, and what an adviser did today"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "wrap_ups",
        sa.Column(
            "done_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When that call was made, or needed not be made any more; null while it is owed",
        ),
    )
    op.add_column(
        "wrap_ups",
        sa.Column(
            "done_by_call",
            sa.Text(),
            nullable=True,
            comment="The call in which the citizen was reached; null: the adviser said that it is done",
        ),
    )
    before = (
        "asterisk_died: the call was dropped; too_many_calls: turned away; asked: the caller's wish; gave_up: hung up"
    )
    op.alter_column(
        "callbacks_owed",
        "why",
        comment=f"{before}; redial: their adviser called at once; follow_up: an adviser called as promised",
        existing_comment=before,
    )
    somebody = sa.text("adviser IS NOT NULL")
    op.create_index("queue_visits_by_adviser", "queue_visits", ["adviser", "answered_at"], postgresql_where=somebody)
    op.create_index("seat_states_by_adviser", "seat_states", ["adviser", "since"], postgresql_where=somebody)
