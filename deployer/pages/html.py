"""
Renders `plan_page` and `run_page` with the templates next to this file. The only module that uses Jinja2.

A page is one file that loads nothing: its Content-Security-Policy allows only the script in the page, by its
hash. Every text is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined

from deployer.pages.plan_page import PlanPage
from deployer.pages.run_view import RunPage


def plan_html(page: PlanPage) -> str:
    """Return the page about a plan."""
    return _render("plan.html", page)


def run_html(page: RunPage) -> str:
    """Return the page about a run."""
    return _render("run.html", page)


def _render(template: str, page: PlanPage | RunPage) -> str:
    style, script = _file("page.css"), _file("page.js")
    return (
        _environment()
        .get_template(template)
        .render(page=page, style=style, script=script, policy=_policy(script))
    )


def _policy(script: str) -> str:
    """Return the policy of a page with *script* (W3C, Content Security Policy Level 3)."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(parts)


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(_file),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


@cache
def _file(name: str) -> str:
    return (resources.files("deployer.pages") / "templates" / name).read_text(encoding="utf-8")
