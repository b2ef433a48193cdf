"""Who gets which event: a mailbox for each object that somebody waits on.

    with router.mailbox(playback_id) as box:                    # first the box:
        await ari.channels.play(channel_id, media, playback_id=playback_id)   # the event may overtake the answer
        finished = await box.get()

One event may concern several objects (a finished playback: itself and its channel; a Dial: both ends) and reaches
every mailbox of each of them, once. What nobody has a mailbox for is counted in `unclaimed`, by type, and dropped. A
mailbox lives as long as its `with` block, so `len(router)` is 0 when nothing is going on: that is how leaks are seen.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cti.asterisk.generated.messages import (
    ContactStatusChange,
    EndpointStateChange,
    Message,
    PeerStatusChange,
    StasisStart,
)

EndpointEvent = ContactStatusChange | PeerStatusChange | EndpointStateChange


class Vanished(Message, frozen=True, kw_only=True):
    """Not from Asterisk: the object is gone and its end went untold, while the event socket was down.

    `died`: it went with its Asterisk, and by nobody's wish.
    """

    died: bool = False


class Came(Message, frozen=True, kw_only=True):
    """Not from Asterisk: the object is in our hands, and came there untold at some time, or long ago and told."""


class Mailbox:
    """The events of one or more objects, oldest first."""

    def __init__(self) -> None:
        self.at_once: Callable[[Message], None] | None = None
        """Hears of each event as it comes, before whoever waits for it has its turn; must neither block nor raise."""
        self._events: asyncio.Queue[Message] = asyncio.Queue()

    def put(self, event: Message) -> None:
        """Deliver an event; never blocks."""
        if self.at_once:
            self.at_once(event)
        self._events.put_nowait(event)

    async def get(self) -> Message:
        """Wait for the next event."""
        return await self._events.get()


class Router:
    """Hands each event to the mailboxes of the objects that it concerns.

    - `on_new_channel`: gets the StasisStart of a channel that nobody waits for: a new call
    - `on_endpoint`: gets every event about a SIP peer's reachability, mailbox or not
    Both are called on the event path: they start tasks or set state, and never block.
    """

    def __init__(
        self, on_new_channel: Callable[[StasisStart], None], on_endpoint: Callable[[EndpointEvent], None]
    ) -> None:
        self.unclaimed: Counter[str] = Counter()
        self._on_new_channel = on_new_channel
        self._on_endpoint = on_endpoint
        self._boxes: dict[str, list[Mailbox]] = {}

    def __len__(self) -> int:
        """How many objects are being waited on, counted once for each mailbox."""
        return sum(map(len, self._boxes.values()))

    @contextmanager
    def mailbox(self, *keys: str) -> Iterator[Mailbox]:
        """A mailbox for the objects named: ids of channels, bridges, playbacks, `PJSIP/1001`, names of recordings."""
        box = Mailbox()
        for key in keys:
            self._boxes.setdefault(key, []).append(box)
        try:
            yield box
        finally:
            for key in keys:
                self._remove(key, box)

    def _remove(self, key: str, box: Mailbox) -> None:
        self._boxes[key].remove(box)
        if not self._boxes[key]:
            del self._boxes[key]

    def vanish(self, key: str, *, died: bool = False) -> None:
        """Tell the mailboxes of an object that it is gone; with the whole of Asterisk, if that `died`."""
        for box in self._boxes.get(key, ()):
            box.put(Vanished(died=died))

    def come(self, key: str) -> None:
        """Tell the mailboxes of a channel that it is in our hands."""
        for box in self._boxes.get(key, ()):
            box.put(Came())

    def dispatch(self, event: Message) -> None:
        """Deliver one event. Never blocks."""
        boxes = {id(box): box for key in event.concerns() for box in self._boxes.get(key, ())}
        for box in boxes.values():
            box.put(event)
        if isinstance(event, EndpointEvent):
            self._on_endpoint(event)
        elif not boxes and isinstance(event, StasisStart):
            self._on_new_channel(event)
        elif not boxes:
            self.unclaimed[type(event).__name__] += 1
