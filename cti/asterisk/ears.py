"""A snoop channel on somebody's leg: what is said on it both ways is heard in the bridge where the snoop channel stands.

What is said in that bridge goes back by `whisper`: "none", to nobody; "out", into what the leg's own party hears; "both", also
into what is heard of that party, which is what the other side hears. Asterisk mixes it into sound that passes: while a
telephone sends nothing, nothing can be mixed into it. A recording of the leg's receive side is taken before the mixing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cti.asterisk.errors import AriError, Gone, Unavailable
from cti.asterisk.generated.messages import Message, StasisEnd
from cti.asterisk.leg import NO_CALL_RECORD, NORMAL, DidNotAnswerError, Leg
from cti.asterisk.staying import until_answered

if TYPE_CHECKING:
    from cti.asterisk.generated.channels import SnoopChannelSpy

IN_HAND_S = 5.0
"""Asterisk hands a snoop channel over within milliseconds; after this long it does not."""


class Ears(Leg):
    """A leg that rings nobody. Always `close` it."""

    async def open(self, leg: str, whisper: SnoopChannelSpy) -> None:
        """In our hands when it returns. Raises AriError, Gone when the leg is, and TimeoutError."""
        self._there = True  # from here on it may exist, whatever the answer
        snoop = self._ari.channels.snoop_channel_with_id(leg, self.channel, self._ari.app, spy="both", whisper=whisper)
        try:
            await until_answered(snoop)
        except AriError as error:
            self._there = isinstance(error, Unavailable)
            raise
        try:
            async with asyncio.timeout(IN_HAND_S):
                await self._picked_up()
        except DidNotAnswerError as error:
            raise Gone(f"{leg} ended") from error
        await self._ari.channels.set_channel_vars(self.channel, variables=NO_CALL_RECORD)

    def _last(self, event: Message) -> int | None:
        """It ends with the leg, or by us, and no more is told of it than that it left our hands."""
        if isinstance(event, StasisEnd):
            self._there = False
            return NORMAL
        return super()._last(event)
