"""What must be true of a hotline whatever happened to it, each law asked of the books and of Asterisk itself.

    for verdict in await after_all(hotline, sent):
        assert not verdict.broken, verdict

A law is a function that returns a `Verdict`: its figure, and what breaks it. To add one: write it, add it to `after_all`.
"""

from __future__ import annotations

import csv
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import msgspec
import numpy as np

from recordings.listen import Samples, channels
from tests.asterisk.hotline import Hotline
from tests.eventually import eventually

TALK_AND_RECORDING_MS = 1000
"""How far the length of a recording may be from the talk time that the facts tell."""

HOLE_MS = 1000
"""Silence in a recorded tone that is longer than this is lost sound; a machine that does all at once is late by less."""

FREE = ("ready", "wrap_up", "not_ready", "logged_out")
"""States in which a seat is nobody's."""

_FRAME_MS = 20
_QUIET = 0.002
"""Of full scale: A-law's idle code is below, the softest tone above."""


class Verdict(msgspec.Struct, frozen=True):
    """One law, and whether it holds: `broken` is empty when it does."""

    law: str
    figure: str
    broken: tuple[str, ...] = ()


class Excuses(msgspec.Struct, frozen=True):
    """What the faults of a test explain, so that the laws are judged without it."""

    asterisk_died: bool = False
    """It has no call records of the calls that it took with it: then only the rows count."""
    late_ms: float = 0
    """How late the telephones themselves ever were with their sound."""
    away_ms: float = 0
    """The longest time without a controller: nobody saw who hung up meanwhile, and their talk ends with that time."""


async def after_all(hotline: Hotline, sent: Collection[str], excuses: Excuses = Excuses()) -> list[Verdict]:  # noqa: B008 - frozen
    """Every law that can be judged when no call is up any more. `sent`: the SIP Call-ID of each INVITE that was heard."""
    return [
        await nothing_left(hotline),
        await one_end_each(hotline, sent, excuses),
        await conservation(hotline),
        await journal_is_database(hotline),
        await recordings_are_whole(hotline, sent, excuses),
    ]


async def nothing_left(hotline: Hotline) -> Verdict:
    """No call, channel, bridge, track or kept state outlives its call."""

    async def clean() -> bool:
        return not _shared(await hotline.left())

    try:
        await eventually(clean)
    except TimeoutError:
        left = _shared(await hotline.left())
        return Verdict("nothing is left behind", "", tuple(f"{name}: {what}" for name, what in left.items()))
    return Verdict("nothing is left behind", "0 calls, channels, bridges, mailboxes, raw tracks")


def _shared(left: dict[str, object]) -> dict[str, object]:
    """Without the books, which `one_end_each` compares more closely."""
    return {name: what for name, what in left.items() if name != "calls in one book only"}


async def one_end_each(hotline: Hotline, sent: Collection[str], excuses: Excuses) -> Verdict:
    """Each INVITE sent is one row, each row has one end, and Asterisk's call records are of the same calls.

    Only those who sent them know that no two of their calls have one SIP Call-ID: a stranger may use his twice.
    """
    rows = await hotline.sql("SELECT call_id, sip_call_id, endings FROM calls WHERE callback_of IS NULL")
    of_ours = Counter(sip for _, sip, _ in rows)
    calls, records = {call_id for call_id, _, _ in rows}, calls_in_records(hotline.settings.call_records)
    broken = [f"{sip}: {of_ours[sip]} rows of one INVITE" for sip in sorted(set(sent)) if of_ours[sip] != 1]
    broken += [f"{call_id}: a row with {ends} ends" for call_id, _, ends in rows if ends != 1]
    broken += [f"{call_id}: a call record without a row" for call_id in sorted(records - calls)]
    if not excuses.asterisk_died:
        broken += [f"{call_id}: a row without a call record" for call_id in sorted(calls - records)]
    figure = f"{len(sent)} INVITEs; {len(records)} call records, {len(rows)} rows in all"
    return Verdict("every INVITE has one end", figure, tuple(broken))


def calls_in_records(path: Path) -> set[str]:
    """The calls in Asterisk's call records that came in by a trunk."""
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        return {call_id for call_id, _, trunk, *_ in csv.reader(file) if trunk}


async def conservation(hotline: Hotline) -> Verdict:
    """The view that operators watch is empty."""
    rows = await hotline.sql("SELECT law, coalesce(visit, call_id, node), found FROM conservation_violations")
    return Verdict("conservation", f"{len(rows)} violations", tuple(f"{law}: {of}: {found}" for law, of, found in rows))


async def journal_is_database(hotline: Hotline) -> Verdict:
    """The facts in the journal's file and those in the database are the same, number by number."""
    shipped = {(seq, kind) for seq, kind in await hotline.sql("SELECT seq, kind FROM facts")}
    journal = sqlite3.connect(f"file:{hotline.settings.journal_path}?mode=ro", uri=True)
    try:
        upto = max((seq for seq, _ in shipped), default=0)  # facts go on being told while this is read
        kinds = "SELECT seq, json_extract(CAST(body AS TEXT), '$.fact.kind') FROM facts WHERE seq <= ?"
        written = set(journal.execute(kinds, (upto,)))
    finally:
        journal.close()
    broken = [f"{seq} {kind}: only in the journal" for seq, kind in sorted(written - shipped)]
    broken += [f"{seq} {kind}: only in the database" for seq, kind in sorted(shipped - written)]
    return Verdict("journal = database", f"{len(written)} = {len(shipped)} facts", tuple(broken))


async def one_leg_each(hotline: Hotline) -> Verdict:
    """In Asterisk, at this moment, no seat has two channels."""
    async with hotline.ari() as ari:
        names = [channel.name.rpartition("-")[0] for channel in await ari.channels.list_all()]
    legs = Counter(name for name in names if name.startswith("PJSIP/seat"))
    broken = tuple(f"{name}: {times} channels" for name, times in legs.items() if times > 1)
    return Verdict("one live leg a seat", f"{len(legs)} legs", broken)


async def one_reservation_each(hotline: Hotline) -> Verdict:
    """By the facts, no seat was ever offered to a caller while it was another one's."""
    holder: dict[str, str] = {}
    broken: list[str] = []
    offers = 0
    for kind, seat, state, call_id in await hotline.sql(
        "SELECT kind, body->>'seat', body->>'state', call_id FROM facts "
        "WHERE kind IN ('seat_offered', 'seat_state_changed') ORDER BY node, seq"
    ):
        if kind == "seat_offered":
            offers += 1
            if seat in holder:
                broken.append(f"{seat}: offered to {call_id} while it was {holder[seat]}'s")
            holder[seat] = call_id
        elif state in FREE:
            holder.pop(seat, None)
    return Verdict("one reservation a seat", f"{offers} offers", tuple(broken))


async def recordings_are_whole(hotline: Hotline, sent: Collection[str], excuses: Excuses) -> Verdict:
    """Each of these callers' conversations has its file: the hash is right, the length is the talk's, no sound is missing."""
    rows = await hotline.sql(
        "SELECT v.visit, v.talked_ms, v.talk_ended_by, v.talk_ended_at, r.path, r.sha256, r.length_ms, r.alarms, r.lost_why "
        "FROM queue_visits v JOIN calls c USING (call_id) LEFT JOIN recordings r USING (visit) "
        "WHERE v.outcome = 'answered' AND c.sip_call_id = ANY($1)",
        list(sent),
    )
    broken: list[str] = []
    off_ms = hole_ms = tail_ms = 0
    for visit, talked_ms, ended_by, ended_at, path, sha256, length_ms, alarms, lost_why in rows:
        if path is None:
            if lost_why is None or (talked_ms or 0) > TALK_AND_RECORDING_MS:
                broken.append(f"{visit}: talked {talked_ms} ms, no recording: {lost_why}")
            continue
        file = hotline.recording(path)
        if hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            broken.append(f"{visit}: not the file that was hashed")
        if talked_ms is None:
            broken.append(f"{visit}: recorded, but its conversation never ended")
            continue
        off_ms = max(off_ms, off := abs(length_ms - talked_ms))
        if off > TALK_AND_RECORDING_MS:
            broken.append(f"{visit}: talked {talked_ms} ms, recorded {length_ms} ms")
        if ended_by not in ("caller", "seat") or alarms:
            continue
        hole, tail = silences_ms(file)
        hole_ms, tail_ms = max(hole_ms, hole), max(tail_ms, tail)
        if hole > HOLE_MS + excuses.late_ms:
            broken.append(f"{visit}: {hole} ms of {length_ms} without sound")
        if tail > TALK_AND_RECORDING_MS + excuses.away_ms:
            broken.append(
                f"{visit}: {tail} ms of {length_ms} after the talk, which {ended_by} ended at {ended_at:%X.%f}"
            )
    figure = (
        f"{len(rows)} recordings, at most {off_ms} ms from the talk time, "
        f"longest hole {hole_ms} ms, longest silence at the end {tail_ms} ms"
    )
    return Verdict("recordings are whole", figure, tuple(broken))


def silences_ms(file: Path) -> tuple[int, int]:
    """In a recording in which both sides said a tone throughout: the longest silence within, and that at the end."""
    sides, rate = channels(file)
    found = [_silences_ms(side, rate) for side in sides]
    return max(hole for hole, _ in found), max(tail for _, tail in found)


def _silences_ms(samples: Samples, rate: int) -> tuple[int, int]:
    size = rate * _FRAME_MS // 1000
    frames = np.abs(samples[: len(samples) // size * size]).reshape(-1, size).max(axis=1)
    loud = np.flatnonzero(np.concatenate([[1.0], frames]) > _QUIET)
    hole = int(np.diff(loud).max(initial=1)) - 1
    return hole * _FRAME_MS, (len(frames) - int(loud[-1])) * _FRAME_MS
