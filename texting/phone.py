"""`python -m texting.phone NUMBER`: what that telephone received from the reference gateway since it started, a line a text."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from texting.signing import signed

STATE = Path("var")
"""Of the hotline whose folder this is run in."""
PORT = 8092
PATIENCE_S = 5.0


def main() -> int:
    """Print them; 1 when the gateway cannot be asked."""
    parser = argparse.ArgumentParser("texting.phone", description="What a telephone received.")
    parser.add_argument("number", help="E.164, such as +8613800000002")
    parser.add_argument("--state-dir", type=Path, default=STATE, help="the hotline's state folder")
    parser.add_argument("--port", type=int, default=PORT, help="where the gateway listens")
    told = parser.parse_args()
    try:
        key = (told.state_dir / "etc" / "texting.key").read_text().strip().encode()
        body = json.dumps({"number": told.number}).encode()
        headers = {"Content-Type": "application/json", **signed(key, body)}
        asked = urllib.request.Request(f"http://127.0.0.1:{told.port}/v1/inbox", body, headers)
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            texts = json.load(answer)["texts"]
    except OSError as error:  # urllib's own are such, too
        sys.stderr.write(f"the reference gateway cannot be asked: {error}. Mend: make up; see --state-dir and --port\n")
        return 1
    sys.stdout.write("".join(f"{text}\n" for text in texts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
