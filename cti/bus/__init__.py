"""What other systems see as it happens: facts and states on MQTT, publish only.

Journal ──> Bus ──> any MQTT 5 broker          docs/mqtt.md tells readers how, docs/asyncapi.yaml is the contract
"""

from cti.bus.bus import Bus, Publisher
from cti.bus.messages import NodeNow, QueueNow, SeatNow

__all__ = ["Bus", "NodeNow", "Publisher", "QueueNow", "SeatNow"]
