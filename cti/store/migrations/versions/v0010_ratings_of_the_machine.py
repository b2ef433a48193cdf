"""ratings of the machine, and a second question"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, comment in (
        ("service", "What the machine had done last, where it was rated; null where it was an adviser"),
        ("question", "The second question, by its prompt; null when not asked"),
        ("answer", "The name of the answer to it; null when not answered"),
    ):
        op.add_column("ratings", sa.Column(name, sa.Text(), nullable=True, comment=comment))
    op.alter_column(
        "ratings",
        "visit",
        comment="The queue visit that was rated; the call, where it was the machine",
        existing_comment="The queue visit that was rated",
    )
    op.alter_column(
        "ratings",
        "adviser",
        nullable=True,
        comment="The adviser's number; null where it was the machine",
        existing_comment="The adviser's number",
    )
    op.alter_column(
        "calls",
        "refused_why",
        comment="Why it was turned away; null when it was not",
        existing_comment="Why no line took it",
    )
