"""lending"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SITE = "Where the adviser sits to whom it was offered last; empty when the file says no site"
LENT_TO = "The site whose call it is, when that adviser's site lent them; null otherwise"


def upgrade() -> None:
    op.add_column("queue_visits", sa.Column("site", sa.Text(), nullable=True, comment=SITE))
    op.add_column("queue_visits", sa.Column("lent_to", sa.Text(), nullable=True, comment=LENT_TO))
