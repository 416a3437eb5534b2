"""
What botocore works out for each session and each client, worked out once in a process.

A session registers 120 handlers: for each it compares the event's name with the former names of services and
reads the function's signature. A client copies all of them, and makes a method of each of its operations.
That is most of what both cost, and every command opens two sessions and a dozen clients.
"""

from functools import cache
from types import FunctionType
from typing import Any

from botocore import hooks
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser, NodeList


def register_once() -> None:
    """Make botocore cache them, for functions of modules and the services that it knows itself."""
    accepts, alias = hooks.accepts_kwargs, EventAliaser._alias_event_name  # type: ignore[attr-defined]
    of_function = cache(accepts)
    known = EventAliaser(hooks.HierarchicalEmitter())
    of_event = cache(lambda name: alias(known, name))

    def accepts_kwargs(func: object) -> bool:
        return bool(of_function(func) if type(func) is FunctionType else accepts(func))

    hooks.accepts_kwargs = accepts_kwargs  # type: ignore[attr-defined]
    EventAliaser._alias_event_name = lambda _, name: of_event(name)  # type: ignore[method-assign]
    hooks._PrefixTrie._recursive_copy = lambda _, node: _copy(node)  # type: ignore[attr-defined]
    make_methods, made = ClientCreator._create_methods, {}  # type: ignore[attr-defined,var-annotated]

    def methods(creator: ClientCreator, model: Any) -> dict[str, Any]:
        which = (model.service_name, model.api_version, len(model.operation_names))
        if which not in made:
            made[which] = make_methods(creator, model)
        return dict(made[which])

    ClientCreator._create_methods = methods  # type: ignore[attr-defined]


def _copy(node: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the tree of *node* with its own lists of handlers, in a third of botocore's time."""
    return {
        key: NodeList([*value[0]], [*value[1]], [*value[2]])
        if type(value) is NodeList
        else _copy(value)
        if type(value) is dict
        else value
        for key, value in node.items()
    }
