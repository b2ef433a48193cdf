"""kept places"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WAITED = "From the first wait, in whichever call it began, to the answer or to leaving without one"


def upgrade() -> None:
    place_of = "The visit of an earlier call whose place this caller was given back; null otherwise"
    op.add_column("queue_visits", sa.Column("place_of", sa.Text(), nullable=True, comment=place_of))
    op.alter_column("queue_visits", "waited_ms", existing_type=sa.BigInteger(), comment=WAITED)
