# one column a line, with its comment
"""the first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False, comment="The node that raised it"),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="Number of the fact"),
        sa.Column("name", sa.Text(), nullable=False, comment="What kind of alarm"),
        sa.Column("subject", sa.Text(), nullable=False, comment="What it is about"),
        sa.Column("detail", sa.Text(), nullable=False, comment="In words"),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False, comment="When it was raised"),
        sa.Column(
            "cleared_at", sa.DateTime(timezone=True), nullable=True, comment="When it was over; null while it is not"
        ),
        sa.PrimaryKeyConstraint("node", "seq"),
        comment="What operations should look at, and when it was over",
    )
    op.create_index("alarms_by_time", "alarms", ["raised_at"], unique=False)
    op.create_index(
        "alarms_open", "alarms", ["name", "subject"], unique=False, postgresql_where=sa.text("cleared_at IS NULL")
    )
    op.create_table(
        "calls",
        sa.Column(
            "call_id",
            sa.Text(),
            autoincrement=False,
            nullable=False,
            comment="Asterisk's unique id of the caller's channel: joins with its call records",
        ),
        sa.Column("node", sa.Text(), nullable=False, comment="The node that took the call"),
        sa.Column(
            "line",
            sa.Text(),
            nullable=True,
            comment="The hotline number whose menu the caller heard; null when refused",
        ),
        sa.Column("line_version", sa.Text(), nullable=True, comment="Version of the line file"),
        sa.Column("trunk", sa.Text(), nullable=True, comment="Where the call came in"),
        sa.Column("dialled", sa.Text(), nullable=True, comment="The number that was dialled"),
        sa.Column(
            "calling_number",
            sa.Text(),
            nullable=True,
            comment="E.164; null when withheld or not a number. Personal data",
        ),
        sa.Column("sip_call_id", sa.Text(), nullable=True, comment="Call-ID of the SIP dialogue"),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True, comment="When the call arrived"),
        sa.Column("refused_why", sa.Text(), nullable=True, comment="Why no line took it"),
        sa.Column("notice", sa.Text(), nullable=True, comment="The legal notice that was played last"),
        sa.Column("notice_version", sa.Text(), nullable=True, comment="Its version"),
        sa.Column("notice_language", sa.Text(), nullable=True, comment="Its language"),
        sa.Column("notice_heard_ms", sa.Integer(), nullable=True, comment="How much of it was heard"),
        sa.Column("notice_whole", sa.Boolean(), nullable=True, comment="Whether that was all of it"),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="Where it ended up; null while the call is up. queued: offered to a queue",
        ),
        sa.Column("ended_by", sa.Text(), nullable=True, comment="Who ended it: caller, seat, system, fault"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="When it ended"),
        sa.Column("lasted_ms", sa.BigInteger(), nullable=True, comment="From arrival to end"),
        sa.Column("last_step", sa.Text(), nullable=True, comment="What the caller was at when it ended"),
        sa.Column(
            "arrivals",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts that say it arrived: 1",
        ),
        sa.Column(
            "endings",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts that say it ended: 0 or 1",
        ),
        sa.PrimaryKeyConstraint("call_id"),
        comment="One row a call",
    )
    op.create_index("calls_by_arrival", "calls", ["arrived_at"], unique=False)
    op.create_index("calls_by_number", "calls", ["calling_number", "arrived_at"], unique=False)
    op.create_index(
        "calls_still_up", "calls", ["arrived_at"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "facts",
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False, comment="The node whose journal wrote it"),
        sa.Column(
            "seq",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Its number in that journal, from 1, without gaps",
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), nullable=False, comment="When it happened, by the clock on the wall"
        ),
        sa.Column(
            "mono_ms",
            sa.BigInteger(),
            nullable=False,
            comment="When it happened, milliseconds since that machine started: subtract these",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="What happened, in the past tense"),
        sa.Column("version", sa.Integer(), nullable=False, comment="Version of the shape of body"),
        sa.Column("call_id", sa.Text(), nullable=True, comment="The call it belongs to; null when to none"),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="The fact itself"),
        sa.PrimaryKeyConstraint("node", "seq"),
        comment="Everything that happened, once and for good; every figure is computed from here",
    )
    op.create_index(
        "facts_by_call", "facts", ["call_id", "mono_ms"], unique=False, postgresql_where=sa.text("call_id IS NOT NULL")
    )
    op.create_index("facts_by_kind", "facts", ["kind", "at"], unique=False)
    op.create_table(
        "local_time",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="There is one row"),
        sa.Column("zone", sa.Text(), nullable=False, comment="IANA name of the time zone of days and half hours"),
        sa.PrimaryKeyConstraint("one"),
        comment="The time zone of all figures, from the setting time_zone; set anew by each migration run",
    )
    op.create_table(
        "menu_steps",
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False, comment="The node that took the call"),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="Number of the fact"),
        sa.Column("call_id", sa.Text(), nullable=False, comment="The call"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("menu", sa.Text(), nullable=False, comment="The menu"),
        sa.Column("attempt", sa.SmallInteger(), nullable=False, comment="Which try, from 1"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="chosen, wrong, missing, again, back, person, gave_up"),
        sa.Column("choice", sa.Text(), nullable=True, comment="The option's name; never a key"),
        sa.Column("waited_ms", sa.Integer(), nullable=False, comment="From the end of the question to the answer"),
        sa.PrimaryKeyConstraint("node", "seq"),
        comment="One row for each answer, or none, that a caller gave to a menu",
    )
    op.create_index("menu_steps_by_call", "menu_steps", ["call_id"], unique=False)
    op.create_index("menu_steps_by_menu", "menu_steps", ["menu", "at"], unique=False)
    op.create_table(
        "nodes",
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False, comment="The node's name"),
        sa.Column(
            "journal",
            sa.Text(),
            nullable=False,
            comment="Which journal file these facts came from; another one under this name is refused",
        ),
        sa.Column(
            "first_seq", sa.BigInteger(), nullable=False, comment="Sequence number of the first fact that arrived here"
        ),
        sa.Column(
            "last_seq",
            sa.BigInteger(),
            nullable=False,
            comment="High-water mark: facts up to this one are in the table facts",
        ),
        sa.Column(
            "facts",
            sa.BigInteger(),
            nullable=False,
            comment="How many facts have arrived: last_seq - first_seq + 1 when none is missing",
        ),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False, comment="When the last facts arrived"),
        sa.PrimaryKeyConstraint("node"),
        comment="One row a node: how much of its history has arrived",
    )
    op.create_table(
        "queue_visits",
        sa.Column("visit", sa.Text(), autoincrement=False, nullable=False, comment="The visit's own id"),
        sa.Column("call_id", sa.Text(), nullable=False, comment="The call"),
        sa.Column("queue", sa.Text(), nullable=True, comment="The queue's name"),
        sa.Column(
            "skills",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="What the adviser had to be able to do: skill -> level 1 to 5",
        ),
        sa.Column("returned", sa.Boolean(), nullable=True, comment="The caller had waited before and kept that place"),
        sa.Column("since_ms", sa.BigInteger(), nullable=True, comment="The monotonic instant that decided the turn"),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True, comment="When the caller began to wait"),
        sa.Column(
            "offers",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How many seats were rung for it",
        ),
        sa.Column(
            "not_answered",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How many of them did not answer",
        ),
        sa.Column("seat", sa.Text(), nullable=True, comment="The seat that answered"),
        sa.Column("adviser", sa.Text(), nullable=True, comment="The adviser's number"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True, comment="When the seat answered"),
        sa.Column("rang_ms", sa.Integer(), nullable=True, comment="How long that seat rang"),
        sa.Column(
            "number_said_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the caller heard the adviser's number",
        ),
        sa.Column("outcome", sa.Text(), nullable=True, comment="How the visit ended; null while the caller waits"),
        sa.Column(
            "left_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the caller left the queue, to a seat or otherwise",
        ),
        sa.Column(
            "waited_ms",
            sa.BigInteger(),
            nullable=True,
            comment="From entering to the answer, or to leaving without one",
        ),
        sa.Column("talked_ms", sa.BigInteger(), nullable=True, comment="How long adviser and caller were connected"),
        sa.Column("talk_ended_at", sa.DateTime(timezone=True), nullable=True, comment="When they were parted"),
        sa.Column(
            "talk_ended_by", sa.Text(), nullable=True, comment="Who ended the conversation: caller, seat, system, fault"
        ),
        sa.Column(
            "entries",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts that say it began: 1",
        ),
        sa.Column(
            "answers",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts that say a seat answered: 0 or 1",
        ),
        sa.Column(
            "leavings",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts that say it ended: 0 or 1",
        ),
        sa.Column(
            "conversations",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Facts that say the conversation ended: 0 or 1",
        ),
        sa.PrimaryKeyConstraint("visit"),
        comment="One row for each time a caller waited in a queue",
    )
    op.create_index("queue_visits_by_call", "queue_visits", ["call_id"], unique=False)
    op.create_index("queue_visits_by_queue", "queue_visits", ["queue", "entered_at"], unique=False)
    op.create_index("queue_visits_by_time", "queue_visits", ["entered_at"], unique=False)
    op.create_index(
        "queue_visits_open", "queue_visits", ["queue"], unique=False, postgresql_where=sa.text("left_at IS NULL")
    )
    op.create_table(
        "ratings",
        sa.Column("visit", sa.Text(), autoincrement=False, nullable=False, comment="The queue visit that was rated"),
        sa.Column("call_id", sa.Text(), nullable=False, comment="The call"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("adviser", sa.Text(), nullable=False, comment="The adviser's number"),
        sa.Column(
            "score", sa.SmallInteger(), nullable=True, comment="1 (bad) to 5 (good); null when asked and not answered"
        ),
        sa.PrimaryKeyConstraint("visit"),
        comment="One row for each time the satisfaction question was asked",
    )
    op.create_index("ratings_by_adviser", "ratings", ["adviser", "at"], unique=False)
    op.create_table(
        "recordings",
        sa.Column(
            "visit", sa.Text(), autoincrement=False, nullable=False, comment="The queue visit whose conversation it is"
        ),
        sa.Column("call_id", sa.Text(), nullable=False, comment="The call"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When it was sealed, or found lost"),
        sa.Column("path", sa.Text(), nullable=True, comment="The file, below the folder of recordings; null when lost"),
        sa.Column("sha256", sa.Text(), nullable=True, comment="Of the file, hexadecimal"),
        sa.Column("length_ms", sa.BigInteger(), nullable=True, comment="Length of the sound"),
        sa.Column(
            "left_dbfs",
            sa.Float(),
            nullable=True,
            comment="Level of the caller's channel, dBFS; null when it is silent",
        ),
        sa.Column(
            "right_dbfs",
            sa.Float(),
            nullable=True,
            comment="Level of the adviser's channel, dBFS; null when it is silent",
        ),
        sa.Column("left_packets", sa.BigInteger(), nullable=True, comment="RTP packets received from the caller"),
        sa.Column("right_packets", sa.BigInteger(), nullable=True, comment="RTP packets received from the adviser"),
        sa.Column("alarms", sa.ARRAY(sa.Text()), nullable=True, comment="What is wrong with it; empty when nothing is"),
        sa.Column("lost_why", sa.Text(), nullable=True, comment="Why there is no recording; null when there is one"),
        sa.PrimaryKeyConstraint("visit"),
        comment="One row for each conversation: its two-channel file (caller left, adviser right), or why there is none",
    )
    op.create_index("recordings_by_call", "recordings", ["call_id"], unique=False)
    op.create_index("recordings_by_time", "recordings", ["at"], unique=False)
    op.create_table(
        "seat_states",
        sa.Column(
            "node", sa.Text(), autoincrement=False, nullable=False, comment="The node whose controller moved the seat"
        ),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="Number of the fact"),
        sa.Column("seat", sa.Text(), nullable=False, comment="The seat"),
        sa.Column("adviser", sa.Text(), nullable=True, comment="The adviser's number; null when nobody is signed in"),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="logged_out, not_ready, ready, reserved, ringing, talking, wrap_up",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it moved"),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="From when on; the seat's next row says until when",
        ),
        sa.PrimaryKeyConstraint("node", "seq"),
        comment="One row for each move of a seat from state to state; view seat_spells has the durations",
    )
    op.create_index("seat_states_by_seat", "seat_states", ["seat", "since"], unique=False)
