"""Write `cti/asterisk/generated/` from `cti/asterisk/swagger/`: `python -m cti.asterisk.generate [--check]`.

`--check` writes nothing and exits 1 when a file is stale, missing or left over; the unit tests and CI run it, so the
client and Asterisk's own description of it cannot drift apart.

- `layout`: names, types and running text, laid out as `ruff format` would lay them out
- `structs`: the modules of models and events
- `operations`: the modules of operations
- `files`: reads, writes, compares

Why a generator of our own: decision 0002. To change what every operation looks like, change `operations._method`;
every event, `structs._event`.
"""
