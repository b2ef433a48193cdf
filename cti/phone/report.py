"""What became of a synthetic citizen's call: for scripts (JSON) and for people (a table).

Times are ms since the INVITE was sent. Steps that the controller tells carry its facts as they are (calls/facts/); those that
the phone noticed itself are `ringing`, `connected`, `key_sent` and `closed`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from calls.facts import EndedBy
from calls.words import ScreenLanguage

Shortfall = Literal["too_long", "not_answered", "keys_left", "not_rated", "end_not_told"]
"""What kept a call from going as planned; the first that holds, in this order."""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happened; `kind` is the phone's word or a fact's."""

    kind: str
    at_ms: int
    detail: dict[str, Any] = {}


class Sound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of sound in the earpiece. Level in dBFS (RMS), the strongest frequency in Hz."""

    start_ms: int
    end_ms: int
    dbfs: float
    hz: float


class CallReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call by a plan. `completed`: it went as planned; otherwise `reason` says what did not."""

    completed: bool
    reason: Shortfall | None
    to: str
    calling_number: str
    sip_call_id: str
    call_id: str | None
    """Asterisk's id, by which Postgres knows the call; None when the controller never told of it."""
    connected_ms: int | None
    lasted_ms: int
    seat: str | None
    adviser: str | None
    score: int | None
    ended_by: EndedBy
    packets_sent: int
    packets_received: int
    steps: tuple[Step, ...]
    heard: tuple[Sound, ...]

    def json(self) -> str:
        """One line of JSON, UTF-8."""
        return msgspec.json.encode(self).decode()

    def text(self, language: ScreenLanguage) -> str:
        """The same for a person, as a table."""
        word = WORDS[language]
        rows = [(step.at_ms, word.get(step.kind, step.kind), _told(step.detail)) for step in self.steps]
        rows += [
            (
                sound.start_ms,
                word["heard"],
                f"{sound.end_ms - sound.start_ms} ms  {sound.dbfs:.0f} dBFS  {sound.hz:.0f} Hz",
            )
            for sound in self.heard
        ]
        lines = [f"{self.calling_number} -> {self.to}  SIP {self.sip_call_id}", *table(rows)]
        lines.append(f"RTP: {self.packets_sent} {word['sent']}, {self.packets_received} {word['received']}")
        lines.append(f"{word['not completed']}: {word[self.reason]}" if self.reason else word["completed"])
        return "\n".join(lines)


def table(rows: Iterable[tuple[int, str, str]]) -> list[str]:
    """Rows of (ms, word, more) by their time, one below the other."""
    ordered = sorted(rows)
    width = max((_width(name) for _, name, _ in ordered), default=0)
    return [
        f"{at_ms / 1000:>9.3f} s  {name}{' ' * (width - _width(name))}  {more}".rstrip()
        for at_ms, name, more in ordered
    ]


_UNTOLD = frozenset(
    {"kind", "call_id", "visit", "sip_call_id", "since_ms", "line_version", "notice_version", "generation"}
)


def _told(detail: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in detail.items() if name not in _UNTOLD and value is not None)


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


WORDS: dict[ScreenLanguage, dict[str, str]] = {
    "zh-CN": {
        "ringing": "振铃",
        "connected": "接通",
        "key_sent": "按键",
        "closed": "挂断",
        "heard": "听到",
        "call_arrived": "来电进入",
        "call_refused": "来电被拒",
        "number_blocked": "号码列入限制",
        "block_reviewed": "限制已复核",
        "block_ended": "限制解除",
        "notice_heard": "声明播完",
        "menu_step_taken": "菜单选择",
        "slow_speech_begun": "改为慢速播报",
        "service_used": "自助服务",
        "voice_message_left": "留言",
        "voice_message_answered": "留言已答复",
        "text_queued": "短信待发",
        "text_taken": "短信已交网关",
        "text_ended": "短信了结",
        "fax_sent": "发传真",
        "queue_entered": "进入排队",
        "position_said": "播报位次",
        "seat_offered": "坐席振铃",
        "seat_did_not_answer": "坐席未接",
        "seat_answered": "坐席应答",
        "adviser_number_said": "播报工号",
        "assisted_identification": "协助验证身份",
        "consultation_begun": "咨询他人",
        "consultation_ended": "咨询结束",
        "crisis_marked": "标为危机来电",
        "lead_joined": "班长进入通话",
        "lead_left": "班长退出通话",
        "queue_left": "离开排队",
        "conversation_ended": "通话结束",
        "recording_sealed": "录音封存",
        "recording_lost": "录音缺失",
        "rating_keyed": "满意度评价",
        "wrapped_up": "话后小结",
        "follow_up_done": "承诺的回电已办",
        "machine_rated": "自助服务评价",
        "rating_followed_up": "评价追问",
        "callback_owed": "欠一个回电",
        "callback_begun": "回拨排队",
        "callback_tried": "呼叫来电者",
        "callback_ended": "回拨了结",
        "call_ended": "来电结束",
        "sent": "发",
        "received": "收",
        "completed": "呼叫按计划完成",
        "not completed": "呼叫未按计划完成",
        "too_long": "超过最长时间仍未结束",
        "not_answered": "未接通(原因见“挂断”一行)",
        "keys_left": "还有按键没有等到菜单",
        "not_rated": "没有等到满意度评价",
        "end_not_told": "控制程序没有报告来电结束",
    },
    "en": {
        "ringing": "ringing",
        "connected": "connected",
        "key_sent": "key sent",
        "closed": "hung up",
        "heard": "heard",
        "call_arrived": "call arrived",
        "call_refused": "call refused",
        "number_blocked": "number blocked",
        "block_reviewed": "block reviewed",
        "block_ended": "block over",
        "notice_heard": "notice heard",
        "menu_step_taken": "menu step taken",
        "slow_speech_begun": "slow speech from here",
        "service_used": "served by the machine",
        "voice_message_left": "message left",
        "voice_message_answered": "message answered",
        "text_queued": "text to be sent",
        "text_taken": "text taken by the gateway",
        "text_ended": "text is over",
        "fax_sent": "fax",
        "queue_entered": "queue entered",
        "position_said": "position said",
        "seat_offered": "seat rings",
        "seat_did_not_answer": "seat did not answer",
        "seat_answered": "seat answered",
        "adviser_number_said": "adviser's number said",
        "assisted_identification": "asked who they are",
        "consultation_begun": "somebody is asked",
        "consultation_ended": "asking ended",
        "crisis_marked": "marked as a crisis",
        "lead_joined": "a lead joined",
        "lead_left": "the lead left",
        "queue_left": "queue left",
        "conversation_ended": "conversation ended",
        "recording_sealed": "recording sealed",
        "recording_lost": "recording lost",
        "rating_keyed": "rating asked",
        "wrapped_up": "written down",
        "follow_up_done": "called as promised",
        "machine_rated": "machine's rating asked",
        "rating_followed_up": "second question asked",
        "callback_owed": "a callback is owed",
        "callback_begun": "a call back waits",
        "callback_tried": "citizen called back",
        "callback_ended": "the callback is over",
        "call_ended": "call ended",
        "sent": "sent",
        "received": "received",
        "completed": "the call went as planned",
        "not completed": "the call did not go as planned",
        "too_long": "it was not over in time",
        "not_answered": "it was not answered (the line `hung up` says why)",
        "keys_left": "no menu waited for all of the keys",
        "not_rated": "the satisfaction question was not asked",
        "end_not_told": "the controller did not tell the end of the call",
    },
}
