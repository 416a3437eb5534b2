"""
The output filter: every text to stdout or stderr passes it, on a terminal, in a pipe, on a CI agent.

It masks secrets (`deployer.scrub`), escapes control characters (`generator.escapes`), and keeps agents from
reading commands in texts of others (`gatestack.agents`). The caller says what a text is, not its appearance:
gatestack's JSON comes through `document`, its agent commands through `command`, progress bars through
`plain`, a value that the user asked for through `exact`; anything else is text.

A closed stream (its reader ended, its terminal is gone, its disk is full) stops no run.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from deployer.scrub import scrubbed, scrubbed_json
from gatestack import agents
from generator.escapes import visible, visible_json


class Stream:
    """A stream that accepts all output; once nothing can be written to it, output is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost: OSError | ValueError | None = None
        """Why it can no longer be written to."""

    def write(self, text: str) -> int:
        """Write *text* as it is; characters missing in the stream's encoding are spelled out."""
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            code = self._stream.encoding
            self._stream.write(text.encode(code, "backslashreplace").decode(code))
        except (OSError, ValueError) as error:
            self._lose(error)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write *lines* one by one."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write out the buffer."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._lose(error)

    def _lose(self, error: OSError | ValueError) -> None:
        """Redirect the descriptor to nowhere: the buffered output would fail again, at the latest at exit."""
        self.lost = self.lost or error
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        if name in {"buffer", "detach"}:
            raise AttributeError(name)  # the way around
        return getattr(self._stream, name)


class Gate(Stream):
    """A stream whose reader sees no secret, no control character, and no command but ours."""

    def __init__(self, stream: TextIO, *, agent: bool) -> None:
        """*agent*: whether a CI agent reads it."""
        super().__init__(stream)
        self._agent = agent

    def write(self, text: str) -> int:
        """Write *text* of any origin."""
        said = visible(scrubbed(text))
        super().write(agents.harmless(said) if self._agent else said)
        return len(text)

    def document(self, text: str, *, revealed: bool = False) -> None:
        """Write JSON of ours; its data stays the same; *revealed*: secrets were requested."""
        found = visible_json(text if revealed else scrubbed_json(text))
        self._line(agents.harmless_json(found) if self._agent else found)

    def exact(self, text: str) -> None:
        """Write a requested value, secret or not; control characters are still escaped on a terminal."""
        shown = visible(text) if self._stream.isatty() else text
        self._line(agents.harmless(shown) if self._agent else shown)

    def command(self, line: str) -> None:
        """Write *line* for the agent."""
        self._line(visible(scrubbed(line)))

    def _line(self, text: str) -> None:
        super().write(f"{text}\n")
        self.flush()

    def plain(self) -> Stream:
        """Return the stream behind the filter, for drawing: texts have to pass `told` first."""
        return Stream(self._stream)


def told(text: str) -> str:
    """Return *text* filtered, for drawing or for a file that others show."""
    return visible(scrubbed(text))


@contextmanager
def closed() -> Iterator[None]:
    """Filter all output of the process."""
    own = sys.stdout, sys.stderr
    agent = agents.agent(os.environ) is not None
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - as quick as can be
        sys.stdout, sys.stderr = (Gate(one or nowhere, agent=agent) for one in own)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = own


def unread() -> bool:
    """Whether output to stdout is lost from now on."""
    return isinstance(sys.stdout, Gate) and sys.stdout.lost is not None


def not_whole() -> str:
    """Return why the output on stdout is incomplete; empty if it is complete, or its reader has left."""
    lost = sys.stdout.lost if isinstance(sys.stdout, Gate) else None
    if lost is None or getattr(lost, "errno", None) in {errno.EPIPE, errno.EIO}:
        return ""
    return f"stdout cannot be written: {getattr(lost, 'strerror', None) or lost}; the output is incomplete"
