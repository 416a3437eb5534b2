"""What a listener asks clients for: by mode, when the section goes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generator.manifest import contents, read
from generator.render import render
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings

FILE = "s3://acme-authorities/below/clients.pem"
DOMAIN = {"domain_name": "llm.acme.org", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
VERIFY = {"mode": "verify", "ca_certificates_bundle": FILE}


def load(clients: dict[str, Any] | None, alb: dict[str, Any] = DOMAIN, **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {**alb, "mutual_authentication": clients}}
    return parse_settings(json.dumps(file | sections), Path("dev.yaml"))


def refused(clients: dict[str, Any], alb: dict[str, Any] = DOMAIN) -> str:
    with pytest.raises(EnvironmentFileError) as caught:
        load(clients, alb)
    return " ".join(str(problem) for problem in caught.value.problems)


def template(settings: Settings) -> dict[str, Any]:
    (found,) = (json.loads(one.template) for one in render(settings).stacks if one.name == "alb")
    return dict(found)


def asked(found: dict[str, Any], listener: str = "HttpsListener") -> Any:
    return found["Resources"][listener]["Properties"].get("MutualAuthentication")


def test_clients_are_verified_by_a_trust_store_of_the_named_file() -> None:
    more = {"ca_certificates_bundle_version": "v1", "ignore_client_certificate_expiry": True}
    found = template(load({**VERIFY, **more, "advertise_trust_store_ca_names": True}))

    assert asked(found) == {
        "Mode": "verify",
        "TrustStoreArn": {"Ref": "TrustStore"},
        "IgnoreClientCertificateExpiry": True,
        "AdvertiseTrustStoreCaNames": "on",
    }
    store = found["Resources"]["TrustStore"]["Properties"]
    assert {name: value for name, value in store.items() if name != "Tags"} == {
        "Name": "dev-litellm",
        "CaCertificatesBundleS3Bucket": "acme-authorities",
        "CaCertificatesBundleS3Key": "below/clients.pem",
        "CaCertificatesBundleS3ObjectVersion": "v1",
    }
    assert found["Outputs"]["ClientCertificates"]["Value"] == "verify"
    assert asked(found, "HttpListener") is None


def test_a_test_listener_verifies_as_the_clients_one_does() -> None:
    found = template(load(VERIFY, service={"deployment_strategy": "canary"}))

    assert asked(found, "TestListener") == asked(found)


def test_passthrough_asks_no_trust_store_and_says_what_it_leaves_to_others() -> None:
    settings = load({**VERIFY, "mode": "passthrough"})
    found, told = template(settings), " ".join(advice(settings))

    assert asked(found) == {"Mode": "passthrough"}
    assert "TrustStore" not in found["Resources"]
    existing = render(settings).existing
    assert existing
    assert existing.bundle is None
    assert "X-Amzn-Mtls-Clientcert" in told
    assert "ca_certificates_bundle: has no effect with passthrough" in told


def test_who_asks_clients_for_nothing_says_so_since_aws_keeps_what_goes() -> None:
    found = template(load(None))

    assert asked(found) == {"Mode": "off"}
    assert "ClientCertificates" not in found["Outputs"]


def test_the_built_folder_knows_the_file_that_has_to_be_there(tmp_path: Path) -> None:
    manifest = render(load({**VERIFY, "ca_certificates_bundle_version": "v1"}))
    for name, content in contents(manifest).items():
        (tmp_path / name).write_bytes(content)

    existing = read(tmp_path).existing
    assert existing
    assert (existing.bundle, existing.bundle_version) == (FILE, "v1")


@pytest.mark.parametrize(
    ("clients", "alb", "said"),
    [
        (VERIFY, {}, "there is no HTTPS; add alb.certificate_arn"),
        ({"mode": "verify"}, DOMAIN, "add ca_certificates_bundle: s3://BUCKET/FILE.pem"),
        (
            {**VERIFY, "ca_certificates_bundle": "clients.pem"},
            DOMAIN,
            "the place of a file in S3, like s3://",
        ),
        ({"mode": "off"}, DOMAIN, "alb.mutual_authentication.mode"),
    ],
)
def test_what_no_client_could_be_asked_by_is_refused(
    clients: dict[str, Any], alb: dict[str, Any], said: str
) -> None:
    assert said in refused(clients, alb)
