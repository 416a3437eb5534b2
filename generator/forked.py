"""
Runs a function for several items in forked processes, which share what this process has loaded.

Where forking is not safe, or a child fails, the items run in this process: no item is left out.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

Item = TypeVar("Item")
Found = dict[int, Any]
"""Place of an item -> what was found, as JSON."""

_PLACE = 2
"""Bytes of an item's place in the queue: more items than a pipe holds at once are done here."""
_MOST = 16_000


def each(do: Callable[[Item], Any], items: Sequence[Item], processes: int) -> list[Any]:
    """Return what *do* returns for every item, JSON values, in their order; what it raises is raised here."""
    width = min(processes, len(items))
    found = _spread(do, items, width) if width > 1 and len(items) < _MOST and safe() else {}
    return [found[place] if place in found else do(item) for place, item in enumerate(items)]


def ahead(prepare: Callable[[], object], answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """
    Start another process that begins to *prepare*; returns a function that sends it a question.

    Question and *answer* are JSON values. If that process fails, this one answers; if it is never asked, it
    ends with this one.
    """
    if not safe() or cores() < 2:
        return answer
    question, answers = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(question[1])
            _prepared(prepare, answer, question[0], answers[1])
        finally:
            os._exit(0)
    os.close(question[0])
    os.close(answers[1])

    def ask(what: Any) -> Any:
        with suppress(BrokenPipeError), os.fdopen(question[1], "w", encoding="utf-8") as asking:
            json.dump(what, asking)
        found = _gathered(pid, answers[0]).get(0)
        return answer(what) if found is None else found

    return ask


def _prepared(
    prepare: Callable[[], object], answer: Callable[[Any], Any], question: int, answers: int
) -> None:
    """Prepare, silently: readers of the parent's output must not wait for this process; then answer."""
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(silence, stream)
    prepare()
    with os.fdopen(question, encoding="utf-8") as asked, os.fdopen(answers, "w", encoding="utf-8") as told:
        if text := asked.read():
            json.dump([[0, answer(json.loads(text))]], told)


def cores() -> int:
    """Return how many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def safe() -> bool:
    """
    Whether this process can be forked and continue in Python.

    A lock that another thread holds would never be released in the child, and the libraries of macOS do not
    support it (Python's documentation of `multiprocessing`, "Contexts and start methods").
    """
    if sys.platform != "linux":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - as quick as it gets
    except OSError:
        return False


def _spread(do: Callable[[Item], Any], items: Sequence[Item], width: int) -> Found:
    """Process items from one queue, here and in the children, until it is empty."""
    queue, filling = os.pipe()
    os.write(filling, b"".join(place.to_bytes(_PLACE, "big") for place in range(len(items))))
    os.close(filling)
    children = [child for child in (_child(do, items, queue) for _ in range(width - 1)) if child]
    try:
        found = dict(_work(do, items, queue))
    finally:
        os.close(queue)
        gathered = [_gathered(pid, reading) for pid, reading in children]
    for one in gathered:
        found |= one
    return found


def _work(do: Callable[[Item], Any], items: Sequence[Item], queue: int) -> Iterator[tuple[int, Any]]:
    while taken := os.read(queue, _PLACE):
        place = int.from_bytes(taken, "big")
        yield place, do(items[place])


def _child(do: Callable[[Item], Any], items: Sequence[Item], queue: int) -> tuple[int, int] | None:
    """Fork; returns the child's id and the descriptor of its results. None: the machine has no resources."""
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if pid:
        os.close(writing)
        return pid, reading
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as answer:
            json.dump(list(_work(do, items, queue)), answer)
    finally:
        os._exit(0)  # neither the parent's buffers nor its exit handlers are ours, whatever happened


def _gathered(pid: int, reading: int) -> Found:
    """Return the results of a child that has ended; none if it failed."""
    with os.fdopen(reading, encoding="utf-8") as answer:
        try:
            found = {int(place): value for place, value in json.load(answer)}
        except ValueError:
            found = {}
    os.waitpid(pid, 0)
    return found
