"""Who speaks to whom: the waiting room, the seats, and the rule that brings them together.

Pure: inputs and the time go in, decisions come out; no I/O, no clock, no randomness. So it can be simulated, replayed
and explained. `engine.Engine` is the door; `policy` is the rule; `seats` is the one table of seat states.
"""

from queues.advisers import Adviser, load_advisers
from queues.engine import Engine
from queues.events import (
    Accepted,
    Answered,
    Calling,
    Configure,
    Consult,
    ConversationOver,
    Held,
    Input,
    Join,
    Leave,
    LogOut,
    MoreTime,
    NotAnswered,
    Output,
    PhoneSeen,
    Propose,
    Pull,
    QueueRules,
    Redial,
    SeatMoved,
    SitDown,
    StandUp,
    Talking,
    Tick,
    TurnedAway,
)
from queues.expected import ExpectedWait
from queues.policy import counts_from

__all__ = [
    "Accepted",
    "Adviser",
    "Answered",
    "Calling",
    "Configure",
    "Consult",
    "ConversationOver",
    "Engine",
    "ExpectedWait",
    "Held",
    "Input",
    "Join",
    "Leave",
    "LogOut",
    "MoreTime",
    "NotAnswered",
    "Output",
    "PhoneSeen",
    "Propose",
    "Pull",
    "QueueRules",
    "Redial",
    "SeatMoved",
    "SitDown",
    "StandUp",
    "Talking",
    "Tick",
    "TurnedAway",
    "counts_from",
    "load_advisers",
]
