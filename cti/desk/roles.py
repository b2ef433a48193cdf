"""Who may do what: each route of the API names the roles that it is for, and one that names none cannot be served.

An account has one role or several. `admin` manages accounts and nothing else: whoever may give rights away should not need
to look at callers. To add a role, add it to `calls/words.py`, to the routes that are for it, and to docs/desk.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from calls.words import ROLES, Role

STRANGER, BEGINNER, SCREEN = "stranger", "beginner", "screen"
"""Nobody is signed in; somebody is who must choose a password of their own, and may do nothing else before; a big screen is, to
show the wallboard and nothing else."""

_BY_ITSELF = "by_itself"

WATCHERS: frozenset[Role] = frozenset({"lead", "manager", "operator", "admin"})
"""Whose wallboard it is."""


def only(*roles: Role) -> dict[str, object]:
    """For a route's `opt`: whoever is signed in in one of these roles."""
    return {"roles": frozenset(roles)}


def by_itself(*roles: Role) -> dict[str, object]:
    """The same, for what an open page asks for again and again: whoever is signed in there has done nothing."""
    return only(*roles) | {_BY_ITSELF: True}


ANY_ROLE = only(*ROLES)
"""For a route's `opt`: whoever is signed in."""

BEGINNERS = {"roles": frozenset({*ROLES, BEGINNER})}
"""For a route's `opt`: whoever is signed in, also with a password that somebody else made."""

SCREENS = {"roles": frozenset({*WATCHERS, SCREEN}), _BY_ITSELF: True}
"""For a route's `opt`: what a wallboard shows."""

EVERY_SESSION = {"roles": frozenset({*ROLES, BEGINNER, SCREEN})}
"""For a route's `opt`: whoever is signed in, however."""

ANY_ROLE_OR_SCREEN = {"roles": frozenset({*ROLES, SCREEN})}
"""For a route's `opt`: whoever is signed in, and screens."""

STRANGERS = {"roles": frozenset({*ROLES, BEGINNER, STRANGER})}
"""For a route's `opt`: everybody. Health, sign-in and the gateway's reports are, and nothing else."""


def allowed(opt: Mapping[str, object]) -> frozenset[str]:
    """Who may use the route with this `opt`: nobody, where it does not say."""
    roles = opt.get("roles", frozenset())
    return roles if isinstance(roles, frozenset) else frozenset()


def is_by_itself(opt: Mapping[str, object]) -> bool:
    """Whether the route with this `opt` is asked by pages, not by whoever sits there."""
    return _BY_ITSELF in opt
