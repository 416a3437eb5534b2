"""Sends a trace, once; a failure is returned as one sentence, never raised."""

from __future__ import annotations

from threading import Thread
from typing import Any

from deployer.scrub import remember, said
from deployer.web.exchange import Ask, ExchangeError, Question, ask_once
from gatestack.tracing.settings import Settings


def send(document: Any, settings: Settings, ask: Ask = ask_once) -> str:
    """Return why *document* was not accepted completely, empty if it was; waits the settings' seconds."""
    for value in settings.headers.values():
        remember(value, *value.split())
    secret = bool(settings.headers)
    question = Question(
        "POST", settings.url, settings.headers, document, plain=not secret, seconds=settings.seconds
    )
    found: list[str] = []

    def try_() -> None:
        try:
            found.append(_problem(ask(question)))
        except ExchangeError as error:
            found.append(str(error))
        except Exception as error:  # noqa: BLE001 - it would be lost in a thread
            found.append(type(error).__name__)

    # a server that sends single bytes never reaches its timeout: the thread is abandoned
    thread = Thread(target=try_, daemon=True)
    try:
        thread.start()
        thread.join(settings.seconds)
    except KeyboardInterrupt:
        return "interrupted"
    return found[0] if found else f"no answer within {settings.seconds:.0f} s"


def _problem(reply: Any) -> str:
    """Return what the collector rejected (OTLP Specification, "Partial Success", "Failures")."""
    if not 200 <= reply.status < 300:
        return ": ".join(filter(None, (f"it answers {reply.status}", reply.message)))
    partial = reply.document.get("partialSuccess") if isinstance(reply.document, dict) else None
    if not isinstance(partial, dict) or str(partial.get("rejectedSpans", 0)) == "0":
        return ""
    rejected, why = said(partial["rejectedSpans"], most=20), partial.get("errorMessage")
    return ": ".join(filter(None, (f"it rejected {rejected} spans", said(why, most=200) if why else "")))
