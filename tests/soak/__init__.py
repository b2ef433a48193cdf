"""The soak: a hotline of its own under random calls, keys, hang-ups and faults, and what must be true of it all the same.

    python -m tests.soak --seconds 3600 --seed 1        random calls and faults, a table of invariants at the end
    python -m tests.soak.kills --kills 25 --seed 1      twenty calls in mixed states, the controller killed under them
    python -m tests.soak.overload --seconds 60          three times the calls that can be carried, one conversation among them

    sip.py      SIP messages as text: written, read, the answer to a challenge
    voice.py    the sound of one call: tone out, what came in and when, to the millisecond
    phone.py    a telephone made of these two; dozens of them fit in one process
    crowd.py    what callers and advisers do with it
    plan.py     who calls when, and what breaks when: all of it from the seed
    faults.py   the breaking and the mending
    growth.py   memory, files and threads over time
    logs.py     what the daemons wrote that no fault explains

`make test` runs short slices of the same code (tests/asterisk/test_breaks_controller_killed.py, test_soak_slice.py).
"""
