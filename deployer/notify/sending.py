"""Sends a notification to its webhooks; a failure is returned as one sentence each, never raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from deployer.errors import DeployError
from deployer.notify.messages import Notice, body
from deployer.scrub import remember
from deployer.web.exchange import Ask, ExchangeError, Question, allowed, ask_once, asked
from generator.manifest import Notified

ATTEMPTS = 2
"""Few: a deployment waits for them."""
Read = Callable[[str], str | None]
"""Returns the value of the SSM parameter of that name; None: there is none. May raise DeployError."""


def send(
    notice: Notice,
    channels: Iterable[Notified],
    path: str,
    read: Read,
    sleep: Callable[[float], None],
    ask: Ask = ask_once,
) -> Iterator[str]:
    """Notify each of *channels* that wants it; yields why one was not notified. *path*: ``/dev-litellm``."""
    for channel in channels:
        if notice.occasion in channel.events:
            name = f"{path}/{channel.secret}"
            try:
                problem = _sent(notice, channel.where, name, read, sleep, ask)
            except (DeployError, ExchangeError) as error:
                problem = str(error)
            if problem:
                what = f"the notification of {notice.occasion} to {channel.where} ({name})"
                yield f"{what} was not sent: {problem}"


def _sent(notice: Notice, where: str, name: str, read: Read, sleep: Callable[[float], None], ask: Ask) -> str:
    url = (read(name) or "").strip()
    if not url:
        return "there is no such SSM parameter: put the webhook's URL there as a SecureString"
    remember(url)
    if not allowed(url):
        return "the parameter does not hold an https:// URL"
    reply = asked(Question("POST", url, {}, body(notice, where)), sleep, ask, attempts=ATTEMPTS)
    return "" if 200 <= reply.status < 300 else f"the webhook answers {reply.status}"
