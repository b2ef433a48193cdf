"""What happened, kept: the node's journal first, PostgreSQL after it.

record ──> Journal (SQLite, this node, at once) ──> Shipper ──> PostgreSQL (facts and the tables made of them)
              └──────────────> the bus, the desks (each follows at its own pace)
"""

from cti.store.callers import Before, Callers
from cti.store.figures import Days
from cti.store.journal import Journal
from cti.store.schema import migrate
from cti.store.shifts import Shift, Shifts
from cti.store.shipper import Shipper

__all__ = ["Before", "Callers", "Days", "Journal", "Shift", "Shifts", "Shipper", "migrate"]
