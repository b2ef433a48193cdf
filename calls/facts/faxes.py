"""Pages for the fax machine that a caller called from."""

from __future__ import annotations

from typing import Literal

from calls.facts.fact import Fact

FaxResult = Literal["done", "no_machine", "broken_off", "hung_up", "unknown"]
"""What came of a fax. `no_machine`: no fax machine answered; `broken_off`: some pages were not confirmed; `unknown`: nothing
could be sent, or nobody knows if it was."""

FaxWay = Literal["t38", "audio"]
"""`t38`: as data, ITU-T T.38; `audio`: as tones in the voice."""


class FaxSent(Fact, frozen=True, kw_only=True, tag="fax_sent"):
    """Pages were sent, or tried to be, to the fax machine that a caller called from. What stood on them is told nowhere."""

    call_id: str
    document: str
    """Its name in the line file, or the service that wrote it."""
    result: FaxResult
    pages: int
    """Those that the other machine has confirmed."""
    of: int
    """Those that there were to send; 0 when the document could not be read."""
    lasted_ms: int
    way: FaxWay | None
    """None when the two machines never met."""
    bits_per_s: int
