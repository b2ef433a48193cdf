"""`rexian line probe`: a mystery caller on every branch of a line, and how long it takes to reach a person.

    walking.py   the walks of a line (`ivr/walks.py`) as calls, many at once
    person.py    the way to a person, tried as the ministry's mystery callers try it, and its class
    report.py    what became of all of it: for scripts (JSON) and for people

It calls from outside as any citizen does, and hears by sound alone: it needs the line file and the built prompts, and asks
neither controller nor database.
"""
