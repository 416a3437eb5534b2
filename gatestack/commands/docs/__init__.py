"""`docs`: prints pages of the documentation; messages refer to pages by this command."""

from __future__ import annotations

from difflib import get_close_matches

import click

from gatestack import telling
from gatestack.repository.shipped import DOCS


@click.command()
@click.argument("page", required=False)
def docs(page: str | None) -> int:
    """
    Print a PAGE of the documentation, as Markdown; without PAGE, list the pages.

    The pages are those of the installed gatestack.
    """
    if page is None:
        width = max(map(len, pages()))
        telling.document("\n".join(f"{name:<{width}}  {_title(name)}" for name in pages()))
        return 0
    name = page.removesuffix(".md").removeprefix("docs/")
    if name not in pages():
        near = get_close_matches(name, pages(), n=1)
        hint = f"did you mean {near[0]}?" if near else "`gatestack docs` lists the pages"
        raise click.UsageError(f"there is no page {page}; {hint}")
    telling.document(_text(name).rstrip("\n"))
    return 0


def pages() -> tuple[str, ...]:
    """Return the names of the pages, without `.md`; those of systems begin with ``systems/``."""
    found = (path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))
    return tuple(sorted(found))


def _title(name: str) -> str:
    return _text(name).partition("\n")[0].removeprefix("# ")


def _text(name: str) -> str:
    return DOCS.joinpath(f"{name}.md").read_text(encoding="utf-8")
