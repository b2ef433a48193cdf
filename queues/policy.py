"""The rules: whose turn it is, who may take a call, and which seat. No I/O, no clock, ties total.

**Whose turn**: the longest wait from the first arrival, after a head start by urgency. Whoever is urgent counts as having
waited so much longer; so an urgent call passes the others, and still no call can be passed for ever: nobody who came
more than a head start later comes first.

**Who may take it**: an adviser with every skill at its level, the language, and the site. What is asked relaxes with the
wait, in steps that the queue's file gives; a step may end again.

**Which seat**: the adviser whom the caller had last, if free; then the fewest surplus skills, so that specialists stay free
for whom only they can help; then the longest rest; then the number.

A caller whom nobody present can serve never holds back the next one. To add a rule of eligibility: a field of `Ask`, its line
in `fit`, its step in `calls.words.Relax`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from calls.clock import Instant
from calls.facts import PassedOverWhy
from calls.words import Needs, Relax, Urgency

HEAD_START_S: Mapping[Urgency, float] = {
    "spare": -86_400.0,
    "normal": 0.0,
    "promised": 300.0,
    "urgent": 900.0,
    "crisis": 7200.0,
}
"""Seconds. Whoever gave up is called back in the gaps, as if they had come a day later: nothing was promised. A promise passes
who came in the last five minutes; a card being lost, a quarter of an hour, longer than most callers wait at all; a crisis
passes everybody: nobody waits for two hours."""

Lack = tuple[PassedOverWhy, str]
"""What is missing, as `PassedOver` tells it."""

Turn = tuple[float, int]
"""Lower comes first: the instant from which the wait counts, and the order of arrival among equals."""


class Ask(msgspec.Struct, frozen=True, cache_hash=True):
    """What is asked of an adviser at this moment: needs, as far as the wait has not relaxed them. May be a key."""

    skills: tuple[tuple[str, int], ...]
    language: str | None
    site: str | None
    home: str | None = None
    """Whose call it is, once advisers of other sites may take it, too; None where it is no site's."""


class Profile(msgspec.Struct, frozen=True, cache_hash=True):
    """All that decides what an adviser may take: whoever has the same is the same to the rule. May be a key."""

    skills: tuple[tuple[str, int], ...]
    languages: tuple[str, ...]
    site: str


class Waiting(msgspec.Struct, frozen=True):
    """A caller in the waiting room; `order` breaks ties between callers of the same instant."""

    visit: str
    needs: Needs
    since: Instant
    order: int
    away: bool = False
    """Not on the line, but to be called back when the turn comes."""

    @property
    def turn(self) -> Turn:
        """Lower comes first."""
        return (counts_from(self.since, self.needs.urgency), self.order)


def counts_from(since: float, urgency: Urgency) -> float:
    """The instant from which a wait counts: whoever has the lower one comes first."""
    return since - HEAD_START_S[urgency]


def ask_of(needs: Needs, steps: Sequence[Relax], since: Instant, now: Instant) -> Ask:
    """What a caller who waits since then asks for now."""
    lower, anywhere = 0, False
    for step in steps:
        if _holds(step, since, now):
            lower += step.levels
            anywhere = anywhere or step.any_site
    return Ask(
        skills=tuple(sorted([(skill, max(1, level - lower)) for skill, level in needs.skills.items()])),
        language=needs.language,
        site=None if anywhere else needs.site,
        home=needs.site if anywhere else None,
    )


def _holds(step: Relax, since: Instant, now: Instant) -> bool:
    return since + step.after_s <= now and (step.until_s is None or now < since + step.until_s)


def next_change(steps: Sequence[Relax], since: Instant, now: Instant) -> Instant | None:
    """When what is asked may next be something else; None when it stays."""
    ahead = [
        Instant(since + after_s)
        for step in steps
        for after_s in (step.after_s, step.until_s)
        if after_s is not None and since + after_s > now
    ]
    return min(ahead, default=None)


def fit(profile: Profile, ask: Ask) -> int | Lack:
    """The surplus: levels that the adviser has beyond what is asked, over all skills. Or why the adviser may not take it."""
    skills = dict(profile.skills)
    for skill, level in ask.skills:
        if skills.get(skill, 0) < level:
            return ("skill", f"{skill} {level}")
    if ask.language is not None and ask.language not in profile.languages:
        return ("language", ask.language)
    if ask.site is not None and ask.site != profile.site:
        return ("site", ask.site)
    return sum(skills.values()) - sum(level for _, level in ask.skills)
