"""
Rewrites stacks/systems/litellm_providers.py from the sources of the LiteLLM in .venv-litellm; read the diff.

LiteLLM publishes no table of the variables that a provider needs. Its own word is what `validate_environment`
reports as missing; where that says nothing of a provider, the variable that its code reads for the key.
Nothing of it is imported: its sources are read.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from stacks.checking.limits import ROLE_VARIABLES
from tests.places import ROOT

TABLE = ROOT / "stacks" / "systems" / "litellm_providers.py"
TEXT = '''"""The providers of LiteLLM and their variables. `make providers` writes this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SEEN: Final = "{day}"
SOURCE: Final = "litellm {version}"
VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {{
{rows}
}}
"""
Provider -> the variables without which it cannot be called; none: the task's role, or what config.yaml says.

Source: `validate_environment` of that release (litellm/utils.py), else the variable read for the key.
"""
'''
KEY = re.compile(r"[A-Z][A-Z0-9_]*(KEY|TOKEN|JWT)")
FORM = re.compile(r"_(text|chat|beta|nova)$")
"""Names of a provider's other interfaces."""
READ = {"get_secret", "get_secret_str", "getenv", "get"}


@cache
def tree(path: Path) -> ast.Module:
    """Return the parsed source at *path*."""
    return ast.parse(path.read_text(encoding="utf-8"))


def names(node: ast.AST) -> set[str]:
    """Return the providers that a test compares with."""
    compared = [one for one in ast.walk(node) if isinstance(one, ast.Compare)]
    about = [one for one in compared if ast.unparse(one.left) == "custom_llm_provider"]
    return {text for one in about for side in one.comparators for text in texts(side)}


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts in *node*, in their order."""
    found = [one for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    yield from (str(one.value) for one in sorted(found, key=lambda one: (one.lineno, one.col_offset)))


def branches(node: ast.AST) -> Iterator[tuple[str, ast.If]]:
    """Yield each provider of a branch of *node*."""
    for one in ast.walk(node):
        if isinstance(one, ast.If):
            for provider in sorted(names(one.test)):
                yield provider, one


def missing(package: Path) -> dict[str, tuple[str, ...]]:
    """Return what `validate_environment` reports as missing, by provider."""
    (function,) = [
        one
        for one in tree(package / "utils.py").body
        if isinstance(one, ast.FunctionDef) and one.name == "validate_environment"
    ]
    return {provider: told(provider, branch.body[0]) for provider, branch in branches(function)}


def told(provider: str, check: ast.stmt) -> tuple[str, ...]:
    """Return the variables of one branch; of equivalent ones, the provider's own."""
    assert isinstance(check, ast.If)
    said = (text for line in check.orelse for text in texts(line))
    whole = (f"{provider.upper()}{one}" if one.startswith("_") else one for one in said)  # f"{...}_API_KEY"
    reported = tuple(dict.fromkeys(whole))
    either = isinstance(check.test, ast.BoolOp) and isinstance(check.test.op, ast.Or)
    own = [name for name in reported if name.startswith(provider.upper())]
    return tuple(own[-1:] or reported[-1:]) if either and not ROLE_VARIABLES & {*reported} else reported


def key_read(provider: str, package: Path) -> tuple[str, ...]:
    """Return the variable that the provider's code reads for its key; nothing if it is not unique."""
    told_by_table = json.loads((package / "llms" / "openai_like" / "providers.json").read_text("utf-8"))
    if provider in told_by_table:
        return (told_by_table[provider]["api_key_env"],)
    logic = package / "litellm_core_utils" / "get_llm_provider_logic.py", package / "main.py"
    every = [found for path in logic for found in branches(tree(path))]
    here = [one for name, branch in every if name == provider for one in branch.body]
    folder = package / "llms" / provider
    trees = [*here, *(tree(path) for path in sorted(folder.rglob("*.py")))]
    read = [
        text
        for part in trees
        for call in ast.walk(part)
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in READ
        for text in texts(call)
        if KEY.fullmatch(text)
    ]
    likely = [
        name for name in read if name.replace("_", "").startswith(provider.upper().replace("_", "")[:5])
    ]
    likely = likely or (read if len(set(read)) == 1 else [])
    keys = [name for name in likely if name.endswith("API_KEY")] or likely
    return (max(sorted(set(keys)), key=keys.count),) if keys else ()


def providers(package: Path) -> dict[str, tuple[str, ...]]:
    """Return provider -> variables, of the LiteLLM in the folder *package*."""
    (kinds,) = [
        one
        for one in tree(package / "types" / "utils.py").body
        if isinstance(one, ast.ClassDef) and one.name == "LlmProviders"
    ]
    known = [text for line in kinds.body if isinstance(line, ast.Assign) for text in texts(line.value)]
    reported = missing(package)
    found = {name: reported.get(name) or key_read(name, package) for name in known}
    found = {name: variables or found.get(FORM.sub("", name), ()) for name, variables in found.items()}
    return {
        name: tuple(sorted(variables)) if not ROLE_VARIABLES & {*variables} else ()
        for name, variables in sorted(found.items())
    }


if __name__ == "__main__":
    (place,) = (
        [Path(sys.argv[1])] if len(sys.argv) > 1 else (ROOT / ".venv-litellm").glob("lib/*/site-packages")
    )
    (info,) = place.glob("litellm-[0-9]*.dist-info")
    rows = [f'    "{name}": {json.dumps(known)},' for name, known in providers(place / "litellm").items()]
    lines = [row.replace("[", "(").replace("],", ",),").replace("(,)", "()") for row in rows]
    TABLE.write_text(
        TEXT.format(
            day=datetime.now(UTC).date(),
            version=info.name.removeprefix("litellm-").removesuffix(".dist-info"),
            rows="\n".join(lines),
        ),
        encoding="utf-8",
    )
