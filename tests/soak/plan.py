"""The plan of a soak: who calls when and does what, and what breaks when and for how long. All of it from the seed.

The same seed gives the same plan; a machine of its own speed makes its own history of it. To add a fault: a name here with
its weight and its lengths, and what it does in `faults.py`.
"""

from __future__ import annotations

import random

import msgspec

from tests.telephones.crowd import Life, chance_of

CALLS_PER_S = 0.6
FIRST_FAULT_S = 4.0
REST_S = (8.0, 25.0)
"""Between the end of one fault and the next one."""

LONG_RUN_S = 600.0
"""From here on a stall of a whole minute is in the plan, too."""


class Arrival(msgspec.Struct, frozen=True):
    """A call."""

    at_s: float
    life: Life


class Fault(msgspec.Struct, frozen=True):
    """Something breaks, for so long; 0 for what supervisor mends at once. `seat` where it is one's telephone."""

    at_s: float
    name: str
    for_s: float = 0.0
    seat: str = ""


class Kind(msgspec.Struct, frozen=True):
    """A kind of fault: how often it is drawn, how long it lasts (one of these, or anything between two)."""

    weight: int
    for_s: tuple[float, ...] = (0.0,)


FAULTS = {
    "controller killed": Kind(6),
    "controller stalled": Kind(3, (1.0, 3.0, 10.0)),
    "controller upgraded": Kind(2),
    "postgres killed": Kind(2),
    "postgres stopped": Kind(1, (5.0, 20.0)),
    "postgres frozen": Kind(1, (5.0, 15.0)),
    "mosquitto killed": Kind(1),
    "mosquitto stopped": Kind(1, (5.0, 20.0)),
    "mosquitto frozen": Kind(1, (5.0, 15.0)),
    "phone killed": Kind(2, (5.0, 20.0)),
    "phone silent": Kind(2, (8.0, 20.0)),
}
ASTERISK_KILLED = "asterisk killed"


class Plan(msgspec.Struct, frozen=True):
    """Both lists are in order of time."""

    arrivals: tuple[Arrival, ...]
    faults: tuple[Fault, ...]


def make_plan(seed: int, seconds: float, seats: list[str], *, faults: bool, asterisk: bool) -> Plan:
    """The plan for so many seconds. `asterisk`: it is killed, too."""
    return Plan(_arrivals(seed, seconds), _faults(seed, seconds, seats, asterisk=asterisk) if faults else ())


def _arrivals(seed: int, seconds: float) -> tuple[Arrival, ...]:
    chance = chance_of(seed, "arrivals")
    found: list[Arrival] = []
    at_s = 0.0
    while (at_s := at_s + chance.expovariate(CALLS_PER_S)) < seconds:
        found.append(Arrival(at_s, _life(chance)))
    return tuple(found)


def _life(chance: random.Random) -> Life:
    kind = chance.random()
    if kind < 0.1:  # thinks better of it, some before the answer is there
        return Life(patience_s=chance.uniform(0.0, 0.5))
    if kind < 0.25:  # leaves in the welcome, the notice, the menu
        return Life(patience_s=chance.uniform(0.5, 5.0))
    if kind < 0.4:  # presses anything
        keys = sorted((chance.uniform(0.0, 20.0), chance.choice("0123456789*#")) for _ in range(chance.randint(1, 8)))
        return Life(tuple(keys), chance.uniform(5.0, 40.0))
    return Life(_chosen(chance), chance.uniform(8.0, 60.0))


def _chosen(chance: random.Random) -> tuple[tuple[float, str], ...]:
    """Wants an adviser, and some would like to give points for it: whenever they are asked, a key comes soon."""
    chosen = (chance.uniform(1.6, 3.5), chance.choice("1234"))
    if chance.random() < 0.5:
        return (chosen,)
    points = chance.choice("12345")
    return (chosen, *((8.0 + 3.0 * n, points) for n in range(12)))


def _faults(seed: int, seconds: float, seats: list[str], *, asterisk: bool) -> tuple[Fault, ...]:
    chance = chance_of(seed, "faults")
    kinds = {**FAULTS, **({ASTERISK_KILLED: Kind(2)} if asterisk else {})}
    if seconds >= LONG_RUN_S:
        kinds["controller stalled"] = Kind(3, (*FAULTS["controller stalled"].for_s, 60.0))
    names, weights = list(kinds), [kind.weight for kind in kinds.values()]
    found: list[Fault] = []
    at_s = FIRST_FAULT_S + chance.uniform(0, 4)
    while True:
        name = chance.choices(names, weights)[0]
        for_s = _length(chance, kinds[name].for_s)
        if at_s + for_s > seconds:
            return tuple(found)
        found.append(Fault(at_s, name, for_s, chance.choice(seats) if name.startswith("phone") else ""))
        at_s += for_s + chance.uniform(*REST_S)


def _length(chance: random.Random, of: tuple[float, ...]) -> float:
    return chance.uniform(*of) if len(of) == 2 else chance.choice(of)
