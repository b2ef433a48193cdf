"""What callers hear and key, from the welcome to the rating.

    caller.py   the one door to a caller: say, key, record; the edge and the tests implement it
    next.py     what a flow hands on when it has done its part
    flow.py     a line from the welcome to the choice, as one coroutine read top to bottom
    rating.py   the satisfaction question after the call
    line.py     what a line file may say
    rules.py    what must hold in a line file beyond its shape
    lines.py    reading the line files
    hours.py    opening hours: weekly blocks, China's calendar, own dates

Nothing here knows Asterisk, sound files or the database.
"""
