"""complaints"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, comment in (
        ("purpose", "message, or complaint: a complaint or a suggestion"),
        ("visit", "The queue visit whose conversation a complaint is about; null: none in particular"),
        ("adviser", "The number of the adviser in that conversation"),
    ):
        op.add_column("voice_messages", sa.Column(name, sa.Text(), nullable=True, comment=comment))
