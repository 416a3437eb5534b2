"""
Rewrites tests/stacks/systems/litellm_routes.json from the sources of LiteLLM releases; read the diff.

    python -m tests.stacks.rewrite_litellm_routes FOLDER [FOLDER ...]

Each folder is where one release is installed or unpacked (`pip download --no-deps litellm==1.93.0`, then
unzipped), the newest last: it decides of a route that it knows. LiteLLM says itself which of its routes
administer and which serve (litellm/proxy/_types.py, LiteLLMRoutes); beside these count the routes that the
modules of its management declare. Nothing of it is imported.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.places import ROOT

TABLE = ROOT / "tests" / "stacks" / "systems" / "litellm_routes.json"

ADMINISTERS = (
    "management_routes",
    "spend_tracking_routes",
    "global_spend_tracking_routes",
    "master_key_only_routes",
    "ui_routes",
    "internal_user_routes",
    "org_admin_only_routes",
    "admin_viewer_routes",
)
SERVES = ("llm_api_routes", "trace_telemetry_routes")
ALSO_SERVE = {
    "/health",
    "/health/liveliness",
    "/health/liveness",
    "/health/readiness",
    "/models/{model_id}",
    "/v1/models/{model_id}",
}
"""Routes for monitors and OpenAI's clients, though the UI uses them too."""
MODULES = (
    "config_management_endpoints",
    "caching_routes",
    "common_utils/debug_utils",
    "credential_endpoints",
    "management",
    "management_endpoints",
    "policy_engine",
    "spend_tracking",
    "ui_crud_endpoints",
)
"""Folders and modules of litellm/proxy with routes for administration only."""
METHODS = {"get", "post", "put", "patch", "delete", "api_route"}


class Lists:
    """The lists of routes of one release, by their names."""

    def __init__(self, package: Path) -> None:
        self._known: dict[str, list[str]] = {}
        body = _body(package / "proxy" / "_types.py")
        types = sorted((package / "types" / "proxy").rglob("*.py"))
        keys = [*body, *(one for path in types for one in _body(path))]
        self._keys = {
            name: str(ast.literal_eval(value))
            for name, value in _assigned(_class(keys, "KeyManagementRoutes").body)
        }
        routes = _class(body, "LiteLLMRoutes").body
        outside = [one for one in body if isinstance(one, ast.Assign | ast.AnnAssign)]
        for name, value in [*_assigned(outside), *_assigned(routes)]:
            if "ROUTES" in name or name.endswith(("_routes", "_wildcard")):
                self._known[name] = [*self._read(value)]

    def of(self, name: str) -> list[str]:
        """Return the list of that *name*; a release without it has none of its routes."""
        return self._known.get(name, [])

    def _read(self, node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                for part in parts:
                    yield from self._read(part)
            case ast.Starred(value=value):
                yield from self._read(value)
            case ast.Name(id=name):
                yield from self._known[name]
            case ast.BinOp(left=left, right=right):
                yield from self._read(left)
                yield from self._read(right)
            case ast.Call(args=[argument]):
                yield from self._read(argument)
            case ast.Attribute(value=ast.Attribute(attr=name), attr="value"):
                yield self._keys[name]
            case ast.ListComp():
                yield from (f"{one}/*" for one in self._known["mapped_pass_through_routes"])


def _body(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8")).body


def _class(body: list[ast.stmt], name: str) -> ast.ClassDef:
    (found,) = [one for one in body if isinstance(one, ast.ClassDef) and one.name == name]
    return found


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for one in body:
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            yield one.targets[0].id, one.value
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value:
            yield one.target.id, one.value


def declared(proxy: Path) -> Iterator[str]:
    """Yield the routes that the modules of management declare, with their routers' prefixes."""
    for module in MODULES:
        folder = proxy / module
        for path in [folder.with_suffix(".py"), *sorted(folder.rglob("*.py"))]:
            if path.is_file():
                yield from _of_module(ast.parse(path.read_text(encoding="utf-8")))


def _of_module(tree: ast.Module) -> Iterator[str]:
    constants = {name: value.value for name, value in _assigned(tree.body) if isinstance(value, ast.Constant)}
    before: dict[str, str] = {}
    for name, value in _assigned(tree.body):
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "APIRouter":
            for keyword in value.keywords:
                if keyword.arg == "prefix":
                    said = _text(keyword.value, constants)
                    before[name] = "/management/v1" if said is None else said
    for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr in METHODS | {"add_api_route"}:
            path = _text(call.args[0], constants) if call.args else None
            router = ast.unparse(function.value)
            if path is not None and router.endswith("router"):
                yield before.get(router, "") + path


def _text(node: ast.expr, constants: Mapping[str, object]) -> str | None:
    if isinstance(node, ast.Name):
        found = constants.get(node.id)
        return found if isinstance(found, str) else None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def release(folder: Path) -> tuple[str, set[str], set[str]]:
    """Return version, administrative and client routes of the release in *folder*."""
    (info,) = folder.glob("litellm-[0-9]*.dist-info")
    proxy = folder / "litellm" / "proxy"
    lists = Lists(folder / "litellm")
    serves = ALSO_SERVE | {route for name in SERVES for route in lists.of(name)}
    administers = {route for name in ADMINISTERS for route in lists.of(name)} | {*declared(proxy)}
    version = info.name.removeprefix("litellm-").removesuffix(".dist-info")
    return version, {one for one in administers if one.startswith("/")} - serves, serves


if __name__ == "__main__":
    decided: dict[str, bool] = {}
    versions = []
    for folder in sys.argv[1:]:
        version, administers, serves = release(Path(folder))
        versions.append(version)
        decided |= dict.fromkeys(administers, True) | dict.fromkeys(serves, False)
    table = {
        "seen": str(datetime.now(UTC).date()),
        "source": f"litellm {', '.join(versions)}",
        "administers": sorted(route for route, found in decided.items() if found),
        "serves": sorted(route for route, found in decided.items() if not found),
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
