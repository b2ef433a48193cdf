"""the audit log"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("node", sa.Text(), nullable=False, comment="The node whose log it is"),
        sa.Column(
            "number",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Its number in that log, from 1, without gaps",
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When it was done"),
        sa.Column("did", sa.Text(), nullable=False, comment="What was done"),
        sa.Column(
            "account",
            sa.Text(),
            nullable=True,
            comment="Who did it; null: nobody's account or, without an address, the command line",
        ),
        sa.Column("about", sa.Text(), nullable=False, comment="What it was done to"),
        sa.Column(
            "address",
            sa.Text(),
            nullable=True,
            comment="Of the browser, where somebody showed who they are, or tried to",
        ),
        sa.Column(
            "seal",
            sa.Text(),
            nullable=False,
            comment="HMAC-SHA256 over this entry and the seal before it; rexian audit holds them against each other",
        ),
        sa.PrimaryKeyConstraint("node", "number"),
        comment="Who did what at the desk: append only, each entry sealed with the one before it",
    )
    op.create_index("audit_by_account", "audit", ["account", "at"])
