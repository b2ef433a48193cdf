"""Made-up histories for tests: whole calls as lists of facts, and the stamping of them.

Import the builders, or the hypothesis strategy `histories`, wherever facts are needed without a telephone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import strategies as st

from calls.facts import (
    VERSION,
    AdviserNumberSaid,
    AnyFact,
    CallArrived,
    CallbackBegun,
    CallbackEnded,
    CallbackOwed,
    CallbackTried,
    CallEnded,
    CallOutcome,
    CallRefused,
    ConversationEnded,
    MenuStepTaken,
    NoticeHeard,
    PositionSaid,
    PromiseOutcome,
    QueueEntered,
    QueueLeft,
    RatingKeyed,
    RecordingLost,
    RecordingSealed,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
    SeatState,
    SeatStateChanged,
    Stamped,
    VisitOutcome,
)

LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
"""Long enough for everything that is owed within minutes or hours to be overdue."""


def stamped(facts: Iterable[AnyFact], node: str = "node1", start: datetime = LONG_AGO, first: int = 1) -> list[Stamped]:
    """The facts as a journal would stamp them, a second apart."""
    return [
        Stamped(
            node=node,
            seq=seq,
            at=start + timedelta(seconds=seq),
            mono_ms=1_000_000 + seq * 1000,
            version=VERSION,
            fact=fact,
        )
        for seq, fact in enumerate(facts, first)
    ]


def arrived(call_id: str, number: str | None = "+8613800001111") -> CallArrived:
    return CallArrived(
        call_id=call_id,
        line="12333",
        line_version="1",
        trunk="demo",
        dialled="12333",
        calling_number=number,
        sip_call_id=f"sip-{call_id}",
    )


def refused(call_id: str) -> CallRefused:
    return CallRefused(
        call_id=call_id,
        trunk="demo",
        dialled="99999",
        calling_number="+8613800001111",
        sip_call_id=f"sip-{call_id}",
        reason="no such line",
    )


def ended(call_id: str, outcome: CallOutcome) -> CallEnded:
    return CallEnded(call_id=call_id, outcome=outcome, ended_by="caller", lasted_ms=60_000, step="menu")


def owed(call_id: str, number: str | None = "+8613800001111") -> CallbackOwed:
    return CallbackOwed(
        call_id=call_id,
        calling_number=number,
        line="12333",
        why="asterisk_died",
        queue="cards",
        skills={"cards": 1},
        promised=number is not None,
    )


def called_back(call_id: str, number: int, *, reached: bool) -> list[AnyFact]:
    """An attempt to call back whoever made the call, from its place in the queue to its end."""
    ours, visit = f"{call_id}-back{number}", f"{call_id}-back{number}.1"
    begun = CallbackBegun(
        call_id=ours,
        callback_of=call_id,
        attempt=number,
        line="12333",
        line_version="1",
        trunk="demo",
        calling_number="+8613800001111",
    )
    tried = CallbackTried(
        call_id=ours,
        callback_of=call_id,
        attempt=number,
        seat="1002",
        adviser="8002",
        reached=reached,
        reason=None if reached else "no_answer",
        rang_ms=4000,
    )
    if reached:
        talked = [*conversation(ours, visit), ended(ours, "called_back"), sealed(ours, visit)]
        return [begun, entered(ours, visit), tried, *talked]
    return [begun, entered(ours, visit), tried, left(ours, visit, "not_reached"), ended(ours, "called_back")]


def notice(call_id: str) -> NoticeHeard:
    return NoticeHeard(
        call_id=call_id, notice="notice", notice_version="1", language="zh-CN", heard_ms=8000, whole=True
    )


def menu_step(call_id: str) -> MenuStepTaken:
    return MenuStepTaken(call_id=call_id, menu="main", attempt=1, outcome="chosen", choice="cards", waited_ms=900)


def entered(call_id: str, visit: str, queue: str = "cards") -> QueueEntered:
    return QueueEntered(call_id=call_id, visit=visit, queue=queue, skills={"cards": 1}, since_ms=5000, returned=False)


def left(call_id: str, visit: str, outcome: VisitOutcome, waited_ms: int = 20_000) -> QueueLeft:
    return QueueLeft(call_id=call_id, visit=visit, outcome=outcome, waited_ms=waited_ms)


def conversation(call_id: str, visit: str, waited_ms: int = 20_000) -> list[AnyFact]:
    """What follows QueueEntered when an adviser answers at the second ring of a seat."""
    return [
        SeatOffered(call_id=call_id, visit=visit, seat="1001", adviser="8001", generation=1, why="longest idle"),
        SeatDidNotAnswer(call_id=call_id, visit=visit, seat="1001", adviser="8001", reason="no_answer", rang_ms=15_000),
        SeatOffered(call_id=call_id, visit=visit, seat="1002", adviser="8002", generation=1, why="longest idle"),
        SeatAnswered(call_id=call_id, visit=visit, seat="1002", adviser="8002", waited_ms=waited_ms, rang_ms=2000),
        left(call_id, visit, "answered", waited_ms),
        AdviserNumberSaid(call_id=call_id, visit=visit, adviser="8002"),
        ConversationEnded(
            call_id=call_id, visit=visit, seat="1002", adviser="8002", talked_ms=90_000, held_ms=7000, ended_by="seat"
        ),
    ]


def sealed(call_id: str, visit: str) -> RecordingSealed:
    return RecordingSealed(
        call_id=call_id,
        visit=visit,
        path=f"2026/01/{visit}.wav",
        sha256="0" * 64,
        length_ms=90_000,
        left_dbfs=-20.5,
        right_dbfs=None,
        left_packets=4500,
        right_packets=0,
        alarms=("adviser_silent",),
    )


def lost(call_id: str, visit: str) -> RecordingLost:
    return RecordingLost(call_id=call_id, visit=visit, reason="disk full")


def rating(call_id: str, visit: str, score: int | None = 5) -> RatingKeyed:
    return RatingKeyed(call_id=call_id, visit=visit, adviser="8002", score=score)


def answered_call(call_id: str, waited_ms: int = 20_000, queue: str = "cards") -> list[AnyFact]:
    """A citizen hears the notice, keys the menu, waits, talks, rates, and is recorded."""
    visit = f"{call_id}-visit1"
    return [
        arrived(call_id),
        notice(call_id),
        menu_step(call_id),
        entered(call_id, visit, queue),
        *conversation(call_id, visit, waited_ms),
        rating(call_id, visit),
        ended(call_id, "queued"),
        sealed(call_id, visit),
    ]


def abandoned_call(call_id: str, queue: str = "cards") -> list[AnyFact]:
    """A citizen hangs up while waiting."""
    visit = f"{call_id}-visit1"
    return [
        arrived(call_id),
        notice(call_id),
        entered(call_id, visit, queue),
        left(call_id, visit, "abandoned_waiting"),
        ended(call_id, "queued"),
    ]


def whole_call(call_id: str) -> list[AnyFact]:
    """An answered call with all that the house does about it: 25 facts, two places told, two seats that move."""
    visit = f"{call_id}-visit1"
    arrival, talk = answered_call(call_id)[:4], conversation(call_id, visit)
    return [
        *arrival,
        PositionSaid(call_id=call_id, visit=visit, position=2),
        PositionSaid(call_id=call_id, visit=visit, position=1),
        moved("1001", "reserved"),
        talk[0],
        moved("1001", "ringing"),
        talk[1],
        moved("1001", "not_ready"),
        moved("1002", "reserved"),
        talk[2],
        moved("1002", "ringing"),
        *talk[3:6],
        moved("1002", "talking"),
        talk[6],
        moved("1002", "wrap_up"),
        rating(call_id, visit),
        ended(call_id, "queued"),
        sealed(call_id, visit),
        moved("1002", "ready"),
        moved("1001", "ready"),
    ]


def moved(seat: str, state: SeatState) -> SeatStateChanged:
    return SeatStateChanged(seat=seat, adviser="8001", state=state, reason="test")


def busy_hours(calls: int, between: int = 150) -> Iterator[AnyFact]:
    """So many whole calls as a busy country brings them: one begins at every turn, and `between` turns lie between two
    facts of each. At 30 calls a second that is 5 s between two facts and two minutes a call."""
    up: dict[int, list[AnyFact]] = {}
    turn = 0
    while turn < calls or up:
        if turn < calls:
            up[turn] = whole_call(f"call{turn}")
        for born in range(turn, -1, -between):
            if born in up:
                facts = up[born]
                step = (turn - born) // between
                yield facts[step]
                if step == len(facts) - 1:
                    del up[born]
        turn += 1


@st.composite
def calls(draw: st.DrawFn, call_id: str) -> list[AnyFact]:
    """One whole and valid call."""
    outcome: CallOutcome = draw(st.sampled_from([each for each in get_args(CallOutcome) if each != "called_back"]))
    if outcome == "refused":
        return [refused(call_id), ended(call_id, "refused")]
    facts: list[AnyFact] = [arrived(call_id)]
    if outcome == "abandoned_hold":
        return [*facts, ended(call_id, "abandoned_hold")]
    facts += [notice(call_id), *[menu_step(call_id)] * draw(st.integers(0, 3))]
    visits = [f"{call_id}-visit{n}" for n in range(draw(st.integers(1, 2)))] if outcome == "queued" else []
    answered = []
    for visit in visits:
        facts.append(entered(call_id, visit))
        if draw(st.booleans()):
            answered.append(visit)
            facts += [*conversation(call_id, visit), *[rating(call_id, visit)] * draw(st.integers(0, 1))]
        else:
            ends: Sequence[VisitOutcome] = (
                "abandoned_waiting",
                "abandoned_ringing",
                "callback",
                "closed",
                "full",
                "no_seat",
            )
            facts.append(left(call_id, visit, draw(st.sampled_from(ends))))
    owes = draw(st.booleans())
    facts += [owed(call_id)] * owes
    facts.append(ended(call_id, outcome))
    for visit in answered:
        facts.append(sealed(call_id, visit) if draw(st.booleans()) else lost(call_id, visit))
    return facts + (draw(called_back_or_not(call_id)) if owes else [])


@st.composite
def called_back_or_not(draw: st.DrawFn, call_id: str) -> list[AnyFact]:
    """What becomes of a call back that is owed."""
    outcome: PromiseOutcome | None = draw(st.sampled_from([None, *get_args(PromiseOutcome)]))
    tries = draw(st.integers(1, 3)) if outcome in ("kept", "not_reached") else draw(st.integers(0, 2))
    facts: list[AnyFact] = []
    for number in range(1, tries + 1):
        facts += called_back(call_id, number, reached=outcome == "kept" and number == tries)
    if outcome:
        facts.append(CallbackEnded(call_id=call_id, outcome=outcome, attempts=tries))
    return facts


@st.composite
def histories(draw: st.DrawFn) -> list[AnyFact]:
    """Several valid calls at once, their facts interleaved as on a busy node; each call's own order is kept."""
    queues = [draw(calls(f"call{n}")) for n in range(draw(st.integers(1, 6)))]
    turns = draw(st.permutations([n for n, facts in enumerate(queues) for _ in facts]))
    iterators = [iter(facts) for facts in queues]
    return [next(iterators[turn]) for turn in turns]
