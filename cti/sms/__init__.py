"""Texts (短信): the port is `ivr.texts`, the contract with a carrier's gateway docs/texts.md.

outbox      Outbox: every text from its promise to its end, kept with the journal
ways        what a way to telephones is: takes a text, refuses it, or does not take it now
gateway     GatewayWay: over HTTP, signed          file   FileWay: into a file, for development
reports     what the gateway tells of them
signing     how both sides know that a message is the other's, unchanged, and new
absent      a hotline that sends none
"""

from cti.sms.absent import NoTexts
from cti.sms.file import FileWay
from cti.sms.gateway import GatewayWay
from cti.sms.outbox import Outbox
from cti.sms.reports import Reports
from cti.sms.signing import Doorman
from cti.sms.ways import Way

__all__ = ["Doorman", "FileWay", "GatewayWay", "NoTexts", "Outbox", "Reports", "Way"]
