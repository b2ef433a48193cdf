"""The social-security system behind the hotline, over HTTP: the port is `ivr.business`, the contract docs/business.md.

http        one question, one answer; what may have been sent and what was not
client      HttpBusiness: reads again, writes again with the same key, or says that it is not known
absent      a hotline that is connected to none

When the system is away, nobody waits for it: `cti.breaker`.
"""

from cti.business.client import HttpBusiness

__all__ = ["HttpBusiness"]
