"""AWS's query protocol by botocore's model: form to parameters, answers and errors to XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import botocore.session
from botocore.model import ListShape, ServiceModel, StructureShape

from sandbox.errors import ApiError

Form = Mapping[str, str]
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@cache
def model() -> ServiceModel:
    """Return botocore's model of the service."""
    return botocore.session.get_session().get_service_model("cloudformation")


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
    root = Element(f"{action}Response", xmlns=NAMESPACE)
    shape = model().operation_model(action).output_shape
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{action}Result")
        _write_members(SubElement(root, wrapper), shape, answer)
    _write_id(SubElement(root, "ResponseMetadata"), request_id)
    return _written(root)


def refused(error: ApiError, request_id: str) -> bytes:
    """Write an error."""
    root = Element("ErrorResponse", xmlns=NAMESPACE)
    inner = SubElement(root, "Error")
    SubElement(inner, "Type").text = "Sender" if error.status < 500 else "Receiver"
    SubElement(inner, "Code").text = error.code
    SubElement(inner, "Message").text = error.message
    _write_id(root, request_id)
    return _written(root)


def _write_id(parent: Element, request_id: str) -> None:
    SubElement(parent, "RequestId").text = request_id


def _written(root: Element) -> bytes:
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _write_members(parent: Element, shape: StructureShape, values: Mapping[str, Any]) -> None:
    for name, member in shape.members.items():
        value = values.get(name)
        if value is not None:
            _write(SubElement(parent, member.serialization.get("name", name)), member, value)


def _write(element: Element, shape: Any, value: Any) -> None:
    if shape.type_name == "structure":
        _write_members(element, shape, value)
    elif shape.type_name == "list":
        _write_list(element, shape, value)
    else:
        element.text = _text(shape.type_name, value)


def _write_list(element: Element, shape: ListShape, values: Sequence[Any]) -> None:
    for value in values:
        _write(SubElement(element, "member"), shape.member, value)


def _text(type_name: str, value: Any) -> str:
    if type_name == "boolean":
        return "true" if value else "false"
    if type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
