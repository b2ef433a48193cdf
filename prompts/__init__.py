"""What callers hear: the words, a key a sentence a language, and the voices that say them.

    catalogue/*.yaml   the words: people edit these, no code knows them
    catalogue.py       reads and checks them: `Catalogue.load(CATALOGUE)`
    tongue.py          how each language is spoken: its voice, its rules, what the voice gets wrong
    reading/           how a number, an amount, a day or a time is read out, as a list of keys
    voice.py           who speaks: engines by name; espeak-ng is the one that is always there
    audio.py           one loudness, no silence at the ends, 8 kHz
    music.py           the melody heard while waiting
    builder.py         words + voices -> sound files, only where something changed: `build`, `check`
    ownwords.py        what no catalogue can have: a city's own announcements, rendered when its files are read
    sounds.py          what the running hotline asks: the files to play for a key, and how long they last: `Sounds`

Reading and building never touch the network. To add a sentence, add its key to each file of `catalogue/`; to add a
language, add its file there.
"""

from prompts.builder import BuildReport, build, check
from prompts.catalogue import CATALOGUE, Catalogue
from prompts.ownwords import OwnWords
from prompts.sounds import Sounds
from prompts.voice import ENGINES, EspeakVoice, Voice

__all__ = [
    "CATALOGUE",
    "ENGINES",
    "BuildReport",
    "Catalogue",
    "EspeakVoice",
    "OwnWords",
    "Sounds",
    "Voice",
    "build",
    "check",
]
