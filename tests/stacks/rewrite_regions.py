"""Rewrites stacks/checking/region_table.py from the data of the installed botocore; read the diff."""

import re
from datetime import UTC, datetime

import botocore
from botocore.loaders import create_loader

from tests.places import ROOT

TABLE = ROOT / "stacks" / "checking" / "region_table.py"
TEXT = '''"""AWS's regions by partition, as botocore's data has them. `make regions` writes this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SEEN: Final = "{day}"
SOURCE: Final = "botocore {version}"
REGIONS: Final[Mapping[str, tuple[str, ...]]] = {{
{rows}
}}
"""
Partition -> its regions.

Source: `partitions.json` and `endpoints.json` of that release, without the places that are no region
(``aws-global``).
"""
'''


def regions() -> dict[str, tuple[str, ...]]:
    """Return what the installed botocore knows: partition -> regions."""
    data, found = create_loader(), dict[str, set[str]]()
    for name, key in (("partitions", "id"), ("endpoints", "partition")):
        for one in data.load_data(name)["partitions"]:
            found.setdefault(one[key], set()).update(one["regions"])
    return {
        name: tuple(sorted(one for one in places if re.search(r"-\d$", one)))
        for name, places in sorted(found.items())
    }


if __name__ == "__main__":
    rows = [
        f'    "{name}": (\n' + "".join(f'        "{one}",\n' for one in places) + "    ),"
        for name, places in regions().items()
    ]
    TABLE.write_text(
        TEXT.format(day=datetime.now(UTC).date(), version=botocore.__version__, rows="\n".join(rows)),
        encoding="utf-8",
    )
