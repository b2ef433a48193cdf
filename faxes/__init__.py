"""What fax machines send and receive: pages of black and white, out of a document of the city's or of words laid out here.

    pages.py    a picture file -> pages -> the file that Asterisk sends: `read`, `write`
    sheet.py    a title, sentences and a table -> pages: `lay_out`

Nothing here knows of calls: files and words in, pages out. Laying out is work for a thread of its own.
"""

from faxes.pages import MOST_PAGES, NotAPicture, Page, read, write
from faxes.sheet import NoFont, Sheet, lay_out

__all__ = ["MOST_PAGES", "NoFont", "NotAPicture", "Page", "Sheet", "lay_out", "read", "write"]
