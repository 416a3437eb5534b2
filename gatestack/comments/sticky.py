"""One comment per environment: found by its marker and updated, or created."""

from __future__ import annotations

from collections.abc import Callable

from deployer.scrub import scrubbed
from deployer.web.exchange import AGAIN, ATTEMPTS, Ask, ExchangeError, Question, Reply, ask_once, asked, pause
from gatestack.comments.fitted import fitted, mark
from gatestack.comments.places import Found, Place
from generator.escapes import visible

MOST_PAGES = 30
"""Pages of comments that are searched; a pull request with more gets a new comment each time."""
GONE = frozenset({403, 404})
"""Answers to a change of a comment that somebody else wrote, or that was deleted."""


class NotCommentedError(Exception):
    """The comment could not be written; the message says why, and what to do."""


def comment(
    where: Place, name: str, markdown: str, sleep: Callable[[float], None], ask: Ask = ask_once
) -> None:
    """
    Write *markdown*, the plan of the environment *name*, as the one comment about it at *where*.

    Creation is retried only after a check whether an unanswered attempt has succeeded.

    Raises:
        NotCommentedError: the server refuses, or gives no answer.

    """
    text = fitted(name, where.source, visible(scrubbed(markdown)), where.most)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            reply = _written(where, name, text, sleep, ask)
        except ExchangeError as error:
            if attempt == ATTEMPTS:
                raise NotCommentedError(f"{where.server}: {error}: run the job again") from error
            sleep(pause(attempt, None))
            continue
        if reply.status not in AGAIN or attempt == ATTEMPTS:
            break
        sleep(pause(attempt, reply.retry_after))
    _check(where, reply)


def _written(where: Place, name: str, text: str, sleep: Callable[[float], None], ask: Ask) -> Reply:
    found = _found(where, mark(name), sleep, ask)
    if found is not None:
        reply = asked(where.change(found, text), sleep, ask)
        if reply.status not in GONE:
            return reply
    return ask(where.creation(text))


def _found(where: Place, first_line: str, sleep: Callable[[float], None], ask: Ask) -> Found | None:
    """Return the comment with the mark; raises NotCommentedError where the server shows none."""
    for page in range(1, MOST_PAGES + 1):
        question: Question = where.listing(page)
        reply = asked(question, sleep, ask)
        _check(where, reply)
        try:
            comments = list(where.comments(reply.document))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise NotCommentedError(f"{where.server} answers with something else than comments") from error
        for text, found in comments:
            if text.startswith(first_line):
                return found
        if len(comments) < where.page_length or not where.page_length:
            return None
    return None


def _check(where: Place, reply: Reply) -> None:
    if reply.status in {200, 201} and reply.document is not None:
        return
    said = f', "{reply.message}"' if reply.message else ""
    raise NotCommentedError(
        f"{where.server} refuses the comment ({reply.status}{said}): {where.remedy(reply)}"
    )
