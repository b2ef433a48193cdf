"""texts to citizens' telephones, and what became of them"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OUTCOMES = "delivered, undeliverable, refused, too_late, unreported: no word from the gateway, lost; null while open"


def _may(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True, comment=comment)


def upgrade() -> None:
    op.create_table(
        "texts",
        sa.Column(
            "text", sa.Text(), autoincrement=False, nullable=False, comment="Its name; the gateway knows it by it too"
        ),
        sa.Column("call_id", sa.Text(), nullable=False, comment="The call"),
        _may("about", sa.Text(), "The service that it is about; code: a code by which somebody shows who they are"),
        _may(
            "whose", sa.Text(), "bound: to the telephone that the account is bound to; calling: to the one that called"
        ),
        _may("queued_at", sa.DateTime(timezone=True), "When it was promised"),
        _may("taken_at", sa.DateTime(timezone=True), "When the gateway took it; null while it did not"),
        _may("tries", sa.Integer(), "How often it was handed over"),
        _may("outcome", sa.Text(), OUTCOMES),
        _may("ended_at", sa.DateTime(timezone=True), "When that was known"),
        sa.PrimaryKeyConstraint("text"),
        comment="One row for each text to a citizen's telephone, and what became of it; "
        "never what it says, nor to which number",
    )
    op.create_index("texts_by_time", "texts", ["queued_at"])
    op.create_index("texts_by_call", "texts", ["call_id"])
