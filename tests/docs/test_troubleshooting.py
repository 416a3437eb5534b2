"""docs/troubleshooting.md says what the tables of the deployer say."""

from pathlib import Path

from deployer.changes.export_impact import FLAG
from tests.docs.troubleshooting import PAGE, filled


def test_the_page_is_what_the_tables_make_of_it() -> None:
    page = Path(PAGE).read_text(encoding="utf-8")

    assert filled(page) == page
    assert FLAG in page
