"""Which sentence is this? The prompts, recognised by their sound alone: what a mystery caller has for ears.

    features.py    sound -> a picture of it: how strong each band is, 62.5 times a second
    clips.py       the sentences as they were built, each as its picture: `Clips.load(folder, languages)`
    agreement.py   how far a sound goes on agreeing with one sentence, from a beginning that looked like it
    recogniser.py  the sound of a call, as it comes -> the sentences said in it: `Recogniser(clips).hear(samples)`

The sound files are known to the last sample, so nothing is learned and nothing is guessed: a sentence is there when its
whole picture is. What the line does to it on the way (A-law, another level, noise, a clock that runs otherwise) is small
beside what parts two sentences. Values that are read out between the words of a sentence are passed over.
"""

from prompts.hearing.clips import Clips
from prompts.hearing.recogniser import Prompt, Recogniser

__all__ = ["Clips", "Prompt", "Recogniser"]
