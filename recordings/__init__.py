"""What is kept of a conversation: one two-channel file, and what can be measured in it.

    legs.py     one party's raw track as Asterisk left it, read even when its header is broken
    seal.py     two tracks on one timeline -> the sealed file: `seal`, `place`
    listen.py   what is to be heard in samples: level, tone, when somebody speaks

Nothing here knows of calls, networks or databases: files and instants in, a file and figures out. `seal` is work for a
thread of its own; it holds a few blocks of sound in memory, however long the call was.
"""

from recordings.legs import Leg, Part, readable
from recordings.seal import Sealed, Track, place, seal

__all__ = ["Leg", "Part", "Sealed", "Track", "place", "readable", "seal"]
