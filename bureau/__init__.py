"""The bureau: a reference business system, the social-security system of a city that does not exist.

A hotline needs something behind it that knows citizens, cards and contributions. A city has its own; until it is connected,
and in every test, it is this one: a service of its own, with a database of its own, that keeps the contract to the letter.
Whoever connects a real system (docs/business.md) reads here what is expected of it.

    people    invented citizens, by dice that fall the same way each time; nobody alive has one of their numbers
    counter   what is done for a citizen, in PostgreSQL      once      a write is done once, however often it is asked for
    web       the HTTP side of it (Litestar)                 contract  the same, written out as docs/business.openapi.yaml
    faults    a switch for tests: what can go wrong between two systems

Nobody imports it, and it imports nothing of the hotline but the shared words: it stands for somebody else's software.
"""
