"""
Ends the sandbox's processes when the sandbox ends, however it ends. Detects that by its standard input.

A line is ``+N`` or ``-N``: the process group N has started, or ended. The input ends with the sandbox.
"""

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Read the input to its end, then kill what is left."""
    left: set[int] = set()
    for line in sys.stdin:
        (left.add if line[0] == "+" else left.discard)(int(line[1:]))
    for group in left:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
