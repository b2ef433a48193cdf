"""The texting gateway: a reference SMS gateway (短信网关), that of a carrier which does not exist.

A hotline that sends texts hands them to a carrier's gateway and is told later what became of them. Until a city's own is
connected, and in every test, it is this one: a service of its own that keeps the contract of docs/texts.md to the letter.

    gateway   the HTTP side (aiohttp): takes texts, delivers them to telephones that are lists in memory, reports
    kept      which texts it has taken, in SQLite: each once, however often it is handed over
    signing   every message between the two is signed, and none is taken twice
    faults    a switch for tests: what can go wrong between two systems
    phone     `python -m texting.phone`: what a telephone received

Nobody imports it, and it imports nothing of the hotline: it stands for somebody else's software. What a text says is kept in
memory alone and gone when the gateway ends; on the disk there is only that it was taken.
"""
