"""Asterisk's configuration, rendered from what a deployment is: thin on purpose, hardened by default.

To change what Asterisk does, change a template here; the running files under var/ are written anew at every start.
"""

from dialplan.render import Plan, SeatAccount, TrunkAccount, render

__all__ = ["Plan", "SeatAccount", "TrunkAccount", "render"]
