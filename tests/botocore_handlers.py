"""
What botocore works out of its own handlers for each session, worked out once in a process.

A session registers 120 of them: for each it compares the event's name with the former names of services, and
reads the function's signature. That is most of what a session costs, and every command opens two.
"""

from functools import cache
from types import FunctionType

from botocore import hooks
from botocore.hooks import EventAliaser


def register_once() -> None:
    """Have botocore remember both, for functions of modules and the services that it knows itself."""
    accepts, alias = hooks.accepts_kwargs, EventAliaser._alias_event_name  # type: ignore[attr-defined]
    of_function = cache(accepts)
    known = EventAliaser(hooks.HierarchicalEmitter())
    of_event = cache(lambda name: alias(known, name))

    def accepts_kwargs(func: object) -> bool:
        return bool(of_function(func) if type(func) is FunctionType else accepts(func))

    hooks.accepts_kwargs = accepts_kwargs  # type: ignore[attr-defined]
    EventAliaser._alias_event_name = lambda _, name: of_event(name)  # type: ignore[method-assign]
