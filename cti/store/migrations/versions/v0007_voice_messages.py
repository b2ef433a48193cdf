"""voice messages, and what the machine did"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OUTCOMES = "done, gave_up, not_identified, refused, unavailable, unknown: nobody knows if it is done, hung_up"


def _may(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True, comment=comment)


def _must(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment)


def upgrade() -> None:
    op.alter_column(
        "recordings",
        "visit",
        comment="The queue visit whose conversation it is, or the voice message",
        existing_comment="The queue visit whose conversation it is",
    )
    op.create_table_comment(
        "recordings",
        "One row for each conversation: its two-channel file (caller left, adviser right), or why there is none; "
        "and for each voice message, which has one channel",
        existing_comment="One row for each conversation: its two-channel file (caller left, adviser right), "
        "or why there is none",
    )
    op.create_table(
        "service_uses",
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False, comment="The node that took the call"),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="Number of the fact"),
        _must("call_id", sa.Text(), "The call"),
        _must("at", sa.DateTime(timezone=True), "When it ended"),
        _must("service", sa.Text(), "Its name; say: an announcement"),
        _must("about", sa.Text(), "The menu's choice or the queue that led there"),
        _must(
            "outcome",
            sa.Text(),
            "done, gave_up, not_identified, refused, unavailable, unknown: nobody knows if it is done, hung_up",
        ),
        _must("lasted_ms", sa.BigInteger(), "From its first word to its end"),
        sa.PrimaryKeyConstraint("node", "seq"),
        comment="One row for each time a caller was served by the machine",
    )
    op.create_index("service_uses_by_call", "service_uses", ["call_id"])
    op.create_index("service_uses_by_service", "service_uses", ["service", "at"])
    op.create_table(
        "voice_messages",
        sa.Column("message", sa.Text(), autoincrement=False, nullable=False, comment="Its name; recordings.visit"),
        _must("call_id", sa.Text(), "The call"),
        _may("line", sa.Text(), "The hotline number that was called"),
        _may("about", sa.Text(), "The menu's choice or the queue that led there"),
        _may("calling_number", sa.Text(), "E.164; null when withheld. Personal data"),
        _may("left_at", sa.DateTime(timezone=True), "When it was left"),
        _may("length_ms", sa.BigInteger(), "How long it is"),
        _may("spoken_ms", sa.BigInteger(), "How long the caller spoke; 0 when a dead controller could not hear it"),
        _may("due_at", sa.DateTime(timezone=True), "It was promised an answer by then"),
        _may("answered_at", sa.DateTime(timezone=True), "When somebody said that it is answered; null while open"),
        _may("answered_by", sa.Text(), "That adviser's number"),
        sa.PrimaryKeyConstraint("message"),
        comment="One row for each voice message, and whether its promise was kept",
    )
    op.create_index("voice_messages_by_time", "voice_messages", ["left_at"])
    op.create_index("voice_messages_by_number", "voice_messages", ["calling_number", "left_at"])
    op.create_index(
        "voice_messages_open", "voice_messages", ["due_at"], postgresql_where=sa.text("answered_at IS NULL")
    )
