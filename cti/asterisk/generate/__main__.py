"""`python -m cti.asterisk.generate`."""

import sys

from cti.asterisk.generate.files import main

if __name__ == "__main__":
    sys.exit(main())
