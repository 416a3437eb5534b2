"""Tables of docs/troubleshooting.md: `python -m tests.docs.troubleshooting` rewrites them."""

from collections.abc import Mapping

from deployer.remedies import REMEDIES, Remedy
from deployer.statuses import STATUSES, Step
from tests.docs.generated_parts import with_parts
from tests.places import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
DEPLOY: Mapping[Step, str] = {
    Step.CREATE: "creates it",
    Step.UPDATE: "updates it",
    Step.WAIT: "waits for it, then checks again",
    Step.RECREATE: "deletes what is left (never what holds data), creates it again",
    Step.CONTINUE: "continues the rollback, then updates it",
    Step.ROLL_BACK: "rolls it back, then updates it",
    Step.STOP: "stops",
}
DESTROY: Mapping[Step, str] = {
    Step.NOTHING: "nothing",
    Step.WAIT: "waits for it, then checks again",
    Step.CONTINUE: "continues the rollback, then deletes it",
    Step.DELETE: "deletes it",
    Step.STOP: "stops",
}


def sections() -> Mapping[str, str]:
    """Return the generated parts by the name of their marker."""
    causes = [f"| {said(one)} | {one.remedy} | {one.source} |" for one in REMEDIES]
    rows = [
        f"| `{name}` | {row.text} | {DEPLOY[row.deploy]} | {DESTROY[row.destroy]} |"
        for name, row in sorted(STATUSES.items())
    ]
    return {
        "causes": "\n".join(["| AWS says | what to do | described in |", "|---|---|---|", *causes]),
        "statuses": "\n".join(
            ["| status | means | `deploy` | `destroy` |", "|---|---|---|---|", *rows],
        ),
    }


def said(one: Remedy) -> str:
    """Return AWS's message, with the resource type if it has another meaning for others."""
    types = one.types if len(one.types) < 3 else ()
    whose = ", ".join(f"`{start}*`" if start.endswith("::") else f"`{start}`" for start in types)
    return f"`{one.example}`" + (f" ({whose})" if whose else "")


def filled(page: str) -> str:
    """Return *page* with its generated parts replaced."""
    return with_parts(page, sections())


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
