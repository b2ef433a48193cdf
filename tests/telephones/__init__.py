"""Telephones so light that dozens fit in one process, and the people at them.

    sip.py call.py      SIP as text, one call of a telephone
    voice.py            its sound, stamped by the kernel: what was heard when
    phone.py            a telephone: it registers, calls and is called
    crowd.py            callers and advisers at telephones

Their sound is a tone and they answer like machines; a proof by ear takes `tests/asterisk/phones.py` (baresip).
"""
