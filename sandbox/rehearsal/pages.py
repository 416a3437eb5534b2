"""The control pages, `/_sandbox/NAME`, for clients with the sandbox's key."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sandbox.clock import RealClock

if TYPE_CHECKING:
    from sandbox.server import Sandbox


def answer(sandbox: Sandbox, page: str, method: str, given: Mapping[str, Any]) -> Any:
    """
    Return the response of *page* to *given*, None if there is no such page.

    Raises:
        ValueError, KeyError, TypeError: *given* is not valid for the page.

    """
    found = _PAGES.get((method, page)) or _PAGES.get(("", page))
    return found(sandbox, given) if found else None


def _health(sandbox: Sandbox, _: Mapping[str, Any]) -> Any:
    return {"status": "ok", "pid": os.getpid(), "gateway": sandbox.gateway is not None}


def _notes(sandbox: Sandbox, _: Mapping[str, Any]) -> Any:
    return list(sandbox.backing.notes())


def _calls(sandbox: Sandbox, _: Mapping[str, Any]) -> Any:
    return [asdict(call) for call in sandbox.calls]


def _faults(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    sandbox.faults.add(given)
    return sandbox.faults.described()


def _no_faults(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    sandbox.faults.clear()
    return _faults(sandbox, given)


def _stacks(sandbox: Sandbox, _: Mapping[str, Any]) -> Any:
    return sandbox.control.stacks()


def _acting(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    access = sandbox.backing.access
    if access is None:
        raise ValueError("nobody is judged here")
    if "role" in given:
        sandbox.logins.acting = access.acting(str(given["role"]))
    acting = sandbox.logins.acting
    return {"role": acting.role_arn if acting else None, "roles": access.roles()}


def _administrator(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    sandbox.logins.acting = None
    return _acting(sandbox, given)


def _quotas(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    quotas = sandbox.backing.quotas
    if quotas is None:
        raise ValueError("there are no quotas here")
    with sandbox.control.held():
        if "name" in given:
            quotas.set(str(given["name"]), float(given["value"]))
        return quotas.described()


def _default_quotas(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    if sandbox.backing.quotas:
        sandbox.backing.quotas.clear()
    return _quotas(sandbox, given)


def _there(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    return sandbox.backing.there(str(given["region"]))


def _balancers(sandbox: Sandbox, _: Mapping[str, Any]) -> Any:
    return sandbox.backing.balancers()


def _databases(sandbox: Sandbox, _: Mapping[str, Any]) -> Any:
    return sandbox.backing.databases()


def _drift(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    names = ("stack", "logical_id", "path", "value")
    return sandbox.control.change_by_hand(*(str(given[name]) for name in names))


def _provide(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    if sandbox.backing.provide is None:
        raise ValueError("nothing can be provided here")
    with sandbox.control.held() as regions:
        return sandbox.backing.provide(given, regions)


def _reset(sandbox: Sandbox, _: Mapping[str, Any]) -> Any:
    sandbox.control.reset()
    sandbox.backing.reset()
    sandbox.faults.clear()
    sandbox.calls.clear()
    sandbox.logins.forget()
    return {"status": "ok"}


def _set_clock(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    clock = sandbox.clock
    if "speed" in given:
        if not isinstance(clock, RealClock):
            raise ValueError("this clock is set by hand and has no speed")
        clock.run_at(float(given["speed"]))
    if "advance" in given:
        sandbox.advance(float(given["advance"]))
    if given.get("finish"):
        sandbox.finish()
    return {"now": clock.now(), "speed": getattr(clock, "speed", None)}


_PAGES: Mapping[tuple[str, str], Callable[[Sandbox, Mapping[str, Any]], Any]] = {
    ("", "health"): _health,
    ("", "clock"): _set_clock,
    ("", "faults"): _faults,
    ("DELETE", "faults"): _no_faults,
    ("", "acting"): _acting,
    ("DELETE", "acting"): _administrator,
    ("", "quotas"): _quotas,
    ("DELETE", "quotas"): _default_quotas,
    ("", "calls"): _calls,
    ("", "notes"): _notes,
    ("", "stacks"): _stacks,
    ("", "load-balancers"): _balancers,
    ("", "databases"): _databases,
    ("POST", "there"): _there,
    ("POST", "drift"): _drift,
    ("POST", "provide"): _provide,
    ("POST", "reset"): _reset,
}
"""Method, empty for all, and page -> its response."""
