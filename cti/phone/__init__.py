"""Real SIP phones driven from Python: the citizen of `rexian call`, the scripted seats and citizens of tests.

    wire.py      baresip's control connection: netstrings of JSON
    events.py    what a phone tells, as typed events
    places.py    free ports, and the few files that a baresip reads at its start
    sound.py     what goes into the microphone, what came out of the earpiece
    program.py   one running baresip: started, ended, killed, frozen
    baresip.py   `Phone`: that program in the hands of a script
    citizen.py   one whole call to a hotline, by a plan, and the report of it
    report.py    that report: its shape, and how a person reads it

A phone is a program of its own on a real socket (docs/decisions/0008): what it proves holds for any standard phone.
"""
