"""Why a call went where it went, in plain words: its way through the queue, read from the facts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from calls.errors import NotPossible
from calls.facts import (
    AnyFact,
    CallArrived,
    CallbackBegun,
    CallbackEnded,
    CallbackOwed,
    CallbackTried,
    CallEnded,
    ConsultationEnded,
    ConversationEnded,
    PassedOver,
    QueueEntered,
    QueueLeft,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
)
from calls.words import ScreenLanguage
from cti.settings import Settings
from queues.why import PULLED

CALL = """
WITH asked AS (SELECT coalesce((SELECT min(call_id) FROM calls WHERE sip_call_id = $1), $1) AS call_id)
SELECT at, body FROM facts
WHERE call_id IN (SELECT call_id FROM asked UNION SELECT calls.call_id FROM calls JOIN asked ON callback_of = asked.call_id)
ORDER BY node, seq
"""

PASSED: Mapping[ScreenLanguage, Mapping[str, str]] = {
    "zh-CN": {
        "skill": "没有 {detail} 级的技能",
        "language": "不会 {detail}",
        "site": "不在 {detail}",
        "lending": "{detail} 自己的来电还接不及，暂不外借",
        "surplus": "用不上的技能更多",
        "rest": "空闲得不如它久",
        "not_preferred": "不是来电者找的咨询员",
        "not_ready": "未就绪",
        "reserved": "已预占",
        "ringing": "正在振铃",
        "calling": "正在回拨",
        "talking": "正在通话",
        "holding": "保持中",
        "wrap_up": "话后处理",
        "pulled": "先来",
    },
    "en": {
        "skill": "without {detail}",
        "language": "does not speak {detail}",
        "site": "not at {detail}",
        "lending": "{detail} lends nobody while its own callers wait too long",
        "surplus": "more surplus skills",
        "rest": "rested less",
        "not_preferred": "not the preferred adviser",
        "not_ready": "not ready",
        "reserved": "reserved",
        "ringing": "ringing",
        "calling": "calling back",
        "talking": "talking",
        "holding": "has a caller on hold",
        "wrap_up": "in wrap-up",
        "pulled": "came before",
    },
}
WORDS: Mapping[ScreenLanguage, Mapping[str, str]] = {
    "zh-CN": {
        "arrived": "来电，线路 {line}",
        "entered": "进入队列 {queue}，需要 {needs}{urgency}",
        "returned": "回到队列 {queue}，原来的位置",
        "kept": "断线保位：接着排队 {visit} 的位置",
        "offered": "坐席 {seat}（{adviser}）振铃：等了 {waited:.1f} 秒，轮到；{decided}，空闲了 {rested:.1f} 秒",
        "pulled": "坐席 {seat}（{adviser}）振铃：班长指定接这位来电者，等了 {waited:.1f} 秒{lacks}",
        "lacks": "；按规则不该给，因为它{lack}",
        "past": "被越过的同队列来电者：{passed}",
        "preferred": "来电者找的就是这位",
        "surplus": "用不上的技能最少（{surplus} 级）",
        "seats": "没有选的坐席：{passed}",
        "callers": "先来、但这个坐席接不了的：{passed}",
        "missed": "坐席 {seat} 没有接（{reason}），振铃 {rang:.1f} 秒；来电者回到原来的位置",
        "answered": "坐席 {seat}（{adviser}）接起，共等 {waited:.1f} 秒",
        "left": "离开队列：{outcome}，共等 {waited:.1f} 秒",
        "over": "通话结束，{talked:.1f} 秒{held}，{by} 先挂",
        "held": "（其中保持 {held:.1f} 秒）",
        "consulted": "咨询 {whom}（两方 {two:.1f} 秒，三方 {three:.1f} 秒）：{outcome}",
        "ended": "来电结束：{outcome}",
        "owed": "欠一个回电（{why}）",
        "asked": "要求回拨，位置保留",
        "begun": "第 {attempt} 次回拨，从原来的位置排起",
        "reached": "坐席 {seat}（{adviser}）回拨，响了 {rang:.1f} 秒，来电者接起",
        "not_reached": "坐席 {seat}（{adviser}）回拨，响了 {rang:.1f} 秒，没有接通（{reason}）",
        "promise": "回拨了结：{outcome}",
        "anybody": "任何咨询员",
        "urgency": "，{urgency}",
    },
    "en": {
        "arrived": "the call arrived, line {line}",
        "entered": "entered queue {queue}, needs {needs}{urgency}",
        "returned": "back in queue {queue}, at the same place",
        "kept": "kept place: goes on from the place of {visit}",
        "offered": "seat {seat} ({adviser}) rang: waited {waited:.1f} s, first in turn; {decided}, rested {rested:.1f} s",
        "pulled": "seat {seat} ({adviser}) rang: a team lead gave it this caller, who had waited {waited:.1f} s{lacks}",
        "lacks": "; not by the rule: {lack}",
        "past": "callers of the queue passed over: {passed}",
        "preferred": "the preferred adviser",
        "surplus": "fewest surplus skills ({surplus} levels)",
        "seats": "seats passed over: {passed}",
        "callers": "came before, but this seat cannot take them: {passed}",
        "missed": "seat {seat} did not answer ({reason}), rang {rang:.1f} s; the caller is back at the same place",
        "answered": "seat {seat} ({adviser}) answered after {waited:.1f} s of waiting",
        "left": "left the queue: {outcome}, after {waited:.1f} s",
        "over": "the conversation ended after {talked:.1f} s{held}, by the {by}",
        "held": " ({held:.1f} s of it on hold)",
        "consulted": "asked {whom} ({two:.1f} s of two, {three:.1f} s of three): {outcome}",
        "ended": "the call ended: {outcome}",
        "owed": "is owed a call ({why})",
        "asked": "asked to be called back; the place is kept",
        "begun": "call back, attempt {attempt}, waits at the place that was kept",
        "reached": "seat {seat} ({adviser}) called back, rang {rang:.1f} s, the citizen answered",
        "not_reached": "seat {seat} ({adviser}) called back, rang {rang:.1f} s, not reached ({reason})",
        "promise": "the call back is over: {outcome}",
        "anybody": "any adviser",
        "urgency": ", {urgency}",
    },
}


async def why(settings: Settings, call: str) -> list[str]:
    """The lines that tell it. `call` is a call's id or its SIP Call-ID. Raises NotPossible when it cannot be told."""
    try:
        connection = await asyncpg.connect(settings.postgres_dsn("rexian_read"), timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        raise NotPossible(f"PostgreSQL does not answer: {error}. Mend: rexian status says what is wrong.") from error
    try:
        rows = await connection.fetch(CALL, call)
    finally:
        await connection.close()
    if not rows:
        raise NotPossible(f"there is no call {call}. Mend: use call_id or sip_call_id from the table calls.")
    facts = [(at, msgspec.json.decode(body, type=AnyFact)) for at, body in rows]
    return tell(facts, settings.language, settings.zone)


def tell(facts: Iterable[tuple[datetime, AnyFact]], language: ScreenLanguage, zone: ZoneInfo) -> list[str]:
    """One line a step, and what was passed over below it."""
    lines: list[str] = []
    for at, fact in facts:
        said = _said(fact, language)
        if said:
            lines.append(f"{at.astimezone(zone):%F %T}  {said[0]}")
            lines += [f"{'':21}{line}" for line in said[1:]]
    return lines


def _said(fact: AnyFact, language: ScreenLanguage) -> list[str]:  # noqa: PLR0911 - one line a kind of fact
    words = WORDS[language]
    match fact:
        case CallArrived(line=line):
            return [words["arrived"].format(line=line)]
        case QueueEntered(queue=queue, returned=True):
            return [words["returned"].format(queue=queue)]
        case QueueEntered(queue=queue, place_of=place_of):
            entered = words["entered"].format(queue=queue, needs=_needs(fact, words), urgency=_urgency(fact, words))
            return [entered, words["kept"].format(visit=place_of)] if place_of else [entered]
        case SeatOffered():
            return _offered(fact, language)
        case SeatDidNotAnswer(seat=seat, reason=reason):
            return [words["missed"].format(seat=seat, reason=reason, rang=fact.rang_ms / 1000)]
        case SeatAnswered(seat=seat, adviser=adviser):
            return [words["answered"].format(seat=seat, adviser=adviser, waited=fact.waited_ms / 1000)]
        case QueueLeft(outcome=outcome) if outcome != "answered":
            return [words["left"].format(outcome=outcome, waited=fact.waited_ms / 1000)]
        case ConversationEnded(ended_by=by):
            held = words["held"].format(held=fact.held_ms / 1000) if fact.held_ms else ""
            return [words["over"].format(talked=fact.talked_ms / 1000, held=held, by=by)]
        case ConsultationEnded(outcome=outcome):
            whom = fact.outside or f"{fact.asked_seat} ({fact.asked_adviser})"
            two, three = fact.asked_ms / 1000, fact.together_ms / 1000
            return [words["consulted"].format(whom=whom, two=two, three=three, outcome=outcome)]
        case CallEnded(outcome=ended):
            return [words["ended"].format(outcome=ended)]
    return _of_a_callback(fact, words)


def _of_a_callback(fact: AnyFact, words: Mapping[str, str]) -> list[str]:
    match fact:
        case CallbackOwed(why=owed):
            return [words["asked" if owed == "asked" else "owed"].format(why=owed)]
        case CallbackBegun(attempt=attempt):
            return [words["begun"].format(attempt=attempt)]
        case CallbackTried(seat=seat, adviser=adviser):
            tried = words["reached" if fact.reached else "not_reached"]
            return [tried.format(seat=seat, adviser=adviser, rang=fact.rang_ms / 1000, reason=fact.reason)]
        case CallbackEnded(outcome=outcome):
            return [words["promise"].format(outcome=outcome)]
    return []


def _offered(fact: SeatOffered, language: ScreenLanguage) -> list[str]:
    words, chosen = WORDS[language], fact.chosen
    if fact.why.partition(":")[0] == PULLED:
        return _pulled(fact, language)
    if chosen is None:  # version 1 knew these words only
        return [f"{fact.seat} ({fact.adviser}): {fact.why}"]
    decided = words["preferred" if chosen.preferred else "surplus"].format(surplus=chosen.surplus)
    waited, rested = chosen.waited_ms / 1000, chosen.rested_ms / 1000
    passed = (("seats", fact.seats_passed), ("callers", fact.callers_passed))
    return [
        words["offered"].format(seat=fact.seat, adviser=fact.adviser, waited=waited, decided=decided, rested=rested),
        *(words[of].format(passed=_passed(found, language)) for of, found in passed if found),
    ]


def _pulled(fact: SeatOffered, language: ScreenLanguage) -> list[str]:
    words = WORDS[language]
    reason, _, detail = fact.why.partition(": ")[2].partition(" ")
    lacks = words["lacks"].format(lack=PASSED[language][reason].format(detail=detail)) if reason else ""
    waited = fact.chosen.waited_ms / 1000 if fact.chosen else 0.0
    said = words["pulled"].format(seat=fact.seat, adviser=fact.adviser, waited=waited, lacks=lacks)
    return [
        said,
        *([words["past"].format(passed=_passed(fact.callers_passed, language))] if fact.callers_passed else []),
    ]


def _needs(fact: QueueEntered, words: Mapping[str, str]) -> str:
    asked = [f"{skill} {level}" for skill, level in fact.skills.items()]
    asked += [word for word in (fact.language, fact.site) if word is not None]
    return ", ".join(asked) or words["anybody"]


def _urgency(fact: QueueEntered, words: Mapping[str, str]) -> str:
    return "" if fact.urgency == "normal" else words["urgency"].format(urgency=fact.urgency)


def _passed(found: Iterable[PassedOver], language: ScreenLanguage) -> str:
    told = []
    for each in found:
        named = f" ({', '.join(each.some)}{', …' if each.count > len(each.some) else ''})" if each.some else ""
        told.append(f"{each.count} x {PASSED[language][each.why].format(detail=each.detail)}{named}")
    return "; ".join(told)
