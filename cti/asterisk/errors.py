"""What can go wrong between the controller and Asterisk, in words.

    AriError
    ├── Gone            the channel, bridge, playback or recording is no longer there
    ├── NotInStasis     the channel is there, but not (yet, or any more) in our hands
    ├── Unset           the channel is there, but the variable asked for has no value
    ├── Unreachable     the endpoint to be called has no phone registered, or is none of ours
    ├── Conflict        it is there, but its state, or an id already taken, forbids the operation
    ├── Refused         Asterisk will not do this: a wrong request, a wrong password
    ├── Unreadable      done, but the answer was not what the Swagger files promise
    ├── Unavailable     Asterisk did not answer: down, starting, overloaded, too slow; whether it acted is unknown
    └── Replaced        another controller took our application name; this one is deaf and must stop

Why words: Asterisk tells "gone" as 404, 409, 422, 400 or even 500, by operation; only `from_answer` knows status codes.
To tell a new case, add its text there, with the operation that answers it.
"""

from collections.abc import Callable

NOT_DECODED = (ValueError, RecursionError)
"""What decoding raises for bytes that are not what was promised: msgspec's own errors and broken UTF-8 are ValueErrors,
and nesting that is deeper than the decoder goes is a RecursionError."""


class AriError(Exception):
    """Anything that stops an ARI operation or the event socket."""


class Gone(AriError):
    """The object that the operation names, or one that it mentions, is no longer there."""


class NotInStasis(AriError):
    """The channel exists but is not in this application: it has left, or its StasisStart has not come yet."""


class Unset(AriError):
    """The channel or bridge exists; the variable asked for has no value."""


class Unreachable(AriError):
    """No channel could be made towards the endpoint: nobody is registered there, or it does not exist."""


class Conflict(AriError):
    """The object exists and its state forbids the operation, or the id is taken (as a prefix, letter case aside).

    After a true duplicate, Asterisk may claim "already exists" for later requests on the same connection too: when it
    matters, ask whether the object is there.
    """


class Refused(AriError):
    """Asterisk answered that it will not do this, now or later."""


class Unreadable(AriError):
    """Asterisk did what was asked, but its answer could not be read."""


class Unavailable(AriError):
    """No usable answer came from Asterisk. What was asked may or may not have been done."""


class Replaced(AriError):
    """Another controller registered the same application name: events now go there. Fatal."""


_GONE_TEXTS = (
    "channel not found",  # 400 of bridges.add_channel and remove_channel
    "channel was not found",  # 400 of a create whose originator hung up
    "channel not in this bridge",  # 422 of bridges.remove_channel, which a hang-up forestalled
    "bridge not in stasis",  # 409 of a bridge that is being destroyed: it is ours, so it was in Stasis
    "failed to answer channel",  # 500 of channels.answer, in the instant of the hang-up
    "event source does not exist",  # 422 of applications.subscribe
    "event source was not found",  # 422 of events.user_event
    "event source was not subscribed to",  # 409 of applications.unsubscribe
)
_CALLING = ("channels.create", "channels.originate")


def from_answer(operation: str, status: int, message: str) -> AriError:
    """The word for an answer outside 200 to 299; `message` is Asterisk's own text."""
    return _word(operation, status, message.lower())(f"{operation}: {status} {message}".rstrip())


def _word(operation: str, status: int, text: str) -> Callable[[str], AriError]:
    if status == 404 and "variable was not found" in text:
        return Unset
    if status == 404 or any(each in text for each in _GONE_TEXTS):
        return Gone
    if status in (409, 422) and "not in stasis" in text:
        return NotInStasis
    if status in (409, 412):
        return Conflict
    if status == 500 and "allocation failed" in text and operation.startswith(_CALLING):
        return Unreachable
    return Unavailable if status >= 500 else Refused
