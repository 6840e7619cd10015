"""The command line: `tuner`, or `python -m tuner`. It begins here, so that Ctrl-C is answered while
the rest is still being imported."""

from __future__ import annotations

import sys
from typing import Any


def main() -> Any:
    """Run the command line on the arguments of this process."""
    try:
        from tuner.cli.main import main as run
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    return run()


if __name__ == "__main__":
    main()
