"""on hold"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    held = sa.Column("held_ms", sa.BigInteger(), nullable=True, comment="Of these, how long the caller was on hold")
    op.add_column("queue_visits", held)
