"""The shared words of a hotline: call, leg, seat, adviser, facts, ports, errors, clock.

Every other room imports this one; this one imports none of them, and touches neither network nor database.
"""
