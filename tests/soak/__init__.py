"""The soak: a hotline of its own under random calls, keys, hang-ups and faults, and what must be true of it all the same.

    python -m tests.soak --seconds 3600 --seed 1        random calls and faults, a table of invariants at the end
    python -m tests.soak.kills --kills 25 --seed 1      twenty calls in mixed states, the controller killed under them
    python -m tests.soak.keys --calls 5000 --seed 1     callers who key anything and hang up at any instant
    python -m tests.soak.guesses --rounds 60            a hundred numbers guess at one account; what guessers hear, and when
    python -m tests.soak.overload --seconds 60          three times the calls that can be carried, one conversation among them
    python -m tests.soak.histories                      a million steps of the queue engine under its laws
    python -m tests.soak.theory                         a million calls of the twin beside each of Erlang's formulas

    desk.py                     seats for the callers of tests/telephones/
    plan.py                     who calls when, and what breaks when: all of it from the seed
    scripts.py keys.py          what callers key, from the seed; doing it, and what must be true afterwards
    soak.py kills.py            the breaking (tests/faults.py), and what happens meanwhile
    air.py growth.py logs.py    laws of the soak alone; the others are in tests/invariants.py
    table.py                    the end

`make test` runs short slices of the same code (tests/asterisk/test_breaks_controller_killed.py, test_soak_slice.py,
test_keys_anything.py).
"""
