"""RDS's certificate authorities: a table of real certificates, one for each region, that `make` rewrites."""

import re
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from stacks import authorities
from stacks.checking.region_table import REGIONS
from tests.stacks.rewrite_authorities import ROOT, roots, table


@pytest.mark.parametrize("region", authorities.by_region())
def test_each_is_the_root_of_its_region_and_nearer_to_its_beginning_than_its_end(region: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authorities.by_region()[region])
    (found,) = context.get_ca_certs()

    assert (
        authorities.common_name(authorities.by_region()[region]) == f"Amazon RDS {region} Root CA RSA2048 G1"
    )
    assert found["subject"] == found["issuer"]
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), tz=UTC)
    assert ends > datetime.now(tz=UTC) + timedelta(days=10 * 365)


def test_the_table_has_regions_alone_and_each_once() -> None:
    text = authorities.FILE.read_text(encoding="utf-8")

    assert set(authorities.by_region()) <= {region for regions in REGIONS.values() for region in regions}
    assert text.count(ssl.PEM_HEADER) == len(authorities.by_region()) >= 27


def test_what_make_writes_is_read_again_and_nothing_but_roots_of_regions_is_taken() -> None:
    """Both forms: PEM, and a JavaScript file's lines; a preview's root is left out."""
    text = authorities.FILE.read_text(encoding="utf-8")
    scripted = "'" + text.replace("\n", "\\n' +\n        '") + "'"

    assert roots(text) == roots(scripted) == authorities.by_region()
    source, day = "somewhere", "2026-11-28"
    assert table(authorities.by_region(), source, day).partition("\n\n")[2] == text.partition("\n\n")[2]
    assert not re.fullmatch(ROOT, "Amazon RDS Preview us-east-2 Root CA RSA2048 G1")
