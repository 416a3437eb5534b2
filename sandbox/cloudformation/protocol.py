"""AWS's query protocol by botocore's model: form to parameters, responses and errors to XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, ServiceModel, StructureShape

from sandbox.descriptions import session
from sandbox.errors import ApiError

Form = Mapping[str, str]
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@cache
def model() -> ServiceModel:
    """Return botocore's model of the service."""
    return session().get_service_model("cloudformation")


def known(action: str) -> bool:
    """Whether CloudFormation has the action, offered here or not."""
    return action in model().operation_names


def parameters(action: str, form: Form) -> dict[str, Any]:
    """Read the parameters of *action*; raises ApiError where a required one is missing."""
    if not known(action):
        raise ApiError("InvalidAction", f"Could not find operation {action} for version 2010-05-15")
    shape = model().operation_model(action).input_shape
    found = _structure(shape, form, "") if shape is not None else {}
    for name in shape.required_members if shape is not None else ():
        if name not in found:
            lower = name[0].lower() + name[1:]
            raise ApiError(
                "ValidationError",
                f"1 validation error detected: Value null at '{lower}' failed to satisfy constraint: "
                "Member must not be null",
            )
    return found


def _structure(shape: StructureShape, form: Form, prefix: str) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        value = _value(member, form, f"{prefix}{member.serialization.get('name', name)}")
        if value is not None:
            found[name] = value
    return found


def _value(shape: Any, form: Form, key: str) -> Any:
    if shape.type_name == "structure":
        return _structure(shape, form, f"{key}.") or None
    if shape.type_name == "list":
        return _list(shape, form, key)
    if shape.type_name == "map":
        return _map(form, key)
    if key not in form:
        return None
    return _scalar(shape.type_name, form[key])


def _scalar(type_name: str, text: str) -> Any:
    if type_name == "boolean":
        return text.lower() == "true"
    if type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError as error:
            raise ApiError("MalformedInput", f"{text!r} is not a number") from error
    return text


def _list(shape: ListShape, form: Form, key: str) -> list[Any] | None:
    """Return a list; `key=` alone is how the protocol writes an empty one."""
    if key in form and form[key] == "":
        return []
    numbers = sorted({int(number) for number in _numbers(form, f"{key}.member.")})
    found = [_value(shape.member, form, f"{key}.member.{number}") for number in numbers]
    return found or None


def _numbers(form: Form, prefix: str) -> Iterator[str]:
    for name in form:
        number = name[len(prefix) :].partition(".")[0]
        if name.startswith(prefix) and number.isdigit():
            yield number


def _map(form: Form, key: str) -> dict[str, str] | None:
    prefix = f"{key}.entry."
    numbers = sorted({int(number) for number in _numbers(form, prefix)})
    return {form[f"{prefix}{n}.key"]: form.get(f"{prefix}{n}.value", "") for n in numbers} or None


def answered(action: str, answer: Mapping[str, Any], request_id: str) -> bytes:
    """Write the answer of *action*."""
    shape = model().operation_model(action).output_shape
    result = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{action}Result")
        result = _element(wrapper, _members(shape, answer))
    metadata = _element("ResponseMetadata", _element("RequestId", request_id))
    return _document(f"{action}Response", result + metadata)


def refused(error: ApiError, request_id: str) -> bytes:
    """Write an error."""
    told = {
        "Type": "Sender" if error.status < 500 else "Receiver",
        "Code": error.code,
        "Message": error.message,
    }
    inner = "".join(_element(name, escape(text)) for name, text in told.items())
    return _document("ErrorResponse", _element("Error", inner) + _element("RequestId", request_id))


def _document(tag: str, inner: str) -> bytes:
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<{tag} xmlns="{NAMESPACE}">{inner}</{tag}>'
    return text.encode(errors="xmlcharrefreplace")


def _element(tag: str, inner: str) -> str:
    return f"<{tag}>{inner}</{tag}>"


def _members(shape: StructureShape, values: Mapping[str, Any]) -> str:
    return "".join(
        _element(tag, _written(member, value))
        for name, tag, member in _tags(shape)
        if (value := values.get(name)) is not None
    )


@cache
def _tags(shape: StructureShape) -> tuple[tuple[str, str, Any], ...]:
    """Return name, tag and shape of each member: botocore computes them at each access."""
    return tuple(
        (name, member.serialization.get("name", name), member) for name, member in shape.members.items()
    )


def _written(shape: Any, value: Any) -> str:
    """Write the content of an element: a response has thousands, so no tree is built."""
    if shape.type_name == "structure":
        return _members(shape, value)
    if shape.type_name == "list":
        return "".join(_element("member", _written(shape.member, one)) for one in value)
    return escape(_text(shape.type_name, value))


def _text(type_name: str, value: Any) -> str:
    if type_name == "boolean":
        return "true" if value else "false"
    if type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
