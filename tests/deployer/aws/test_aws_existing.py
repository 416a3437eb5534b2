"""The adapter: what EC2, ACM and Route 53 answer, and what they refuse to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deployer.aws.existing import look
from deployer.checks.facts import Bundle, Certificate, Dns, Facts, Record, Zone
from deployer.errors import LostSight, Transient
from generator.manifest import Existing, ExistingSubnets
from sandbox.gateway.authority import Authority
from sandbox.server import Sandbox
from tests.command import KEY
from tests.deployer.checks.existing_vpc import ARN, OURS, REGION, Company, company
from tests.sandbox.sandbox_account import client, standing
from tests.serving import serving

PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with standing() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def vpc(account: Sandbox) -> Company:
    return company(client(account, "ec2"))


def asked(account: Sandbox, wanted: Existing) -> Facts:
    return look(lambda service: client(account, service), REGION, wanted, OURS)


def of(vpc: Company, **changes: Any) -> Existing:
    private = ExistingSubnets("private", vpc.private, "any", {})
    return Existing(vpc_id=vpc.vpc, vpc_cidr="10.9.0.0/16", subnets=(private,), **changes)


def imported(account: Sandbox, *names: str) -> str:
    """Import a certificate for *names* that nobody but this test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=60))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    acm = client(account, "acm")
    return str(
        acm.import_certificate(Certificate=certificate.public_bytes(PEM), PrivateKey=secret)["CertificateArn"]
    )


def test_a_vpc_is_seen_with_its_subnets_routes_and_endpoints(account: Sandbox, vpc: Company) -> None:
    found = asked(account, of(vpc, endpoints=("logs",)))

    assert found.unknown == {}
    assert found.vpc
    assert (found.vpc.state, found.vpc.cidrs, found.vpc.tenancy) == ("available", ("10.9.0.0/16",), "default")
    assert found.dns == Dns(support=True, hostnames=True)
    first, second = (found.subnet(one) for one in vpc.private)
    assert first
    assert second
    assert (first.zone, first.cidr, first.free, first.outpost) == ("us-east-1a", "10.9.11.0/24", 251, False)
    assert (second.zone, second.vpc_id) == ("us-east-1b", vpc.vpc)
    table = found.table(vpc.private[0])
    assert table
    assert table.id == vpc.private_table
    assert [one.target[:4] for one in table.routes if one.destination == "0.0.0.0/0"] == ["nat-"]
    main = found.table("subnet-elsewhere")
    assert main
    assert main.main
    assert [(one.kind, one.tables) for one in found.endpoints] == [("Gateway", (vpc.private_table,))]
    assert found.interfaces == {}


def test_ids_of_nothing_are_answered_with_nothing(account: Sandbox) -> None:
    private = ExistingSubnets("private", ("subnet-00000000", "subnet-11111111"), "any", {})
    wanted = Existing(
        vpc_id="vpc-00000000",
        subnets=(private,),
        endpoints=("logs",),
        certificate_arn=ARN,
        domain="llm.example.com",
        hosted_zone_id="Z00000000",
    )

    assert asked(account, wanted) == Facts(REGION)


def test_what_the_environment_made_is_known_by_its_tags(account: Sandbox, vpc: Company) -> None:
    ec2 = client(account, "ec2")
    tags = [{"Key": key, "Value": value} for key, value in OURS.items()]
    labels = {"TagSpecifications": [{"ResourceType": "security-group", "Tags": tags}]}
    group = ec2.create_security_group(GroupName="ours", Description="ours", VpcId=vpc.vpc, **labels)
    before = asked(account, of(vpc)).subnet(vpc.private[1])
    made = [ec2.create_network_interface(SubnetId=vpc.private[1], Groups=[group["GroupId"]])]
    made.append(ec2.create_network_interface(SubnetId=vpc.private[1]))

    found = asked(account, of(vpc))

    for one in made:
        ec2.delete_network_interface(NetworkInterfaceId=one["NetworkInterface"]["NetworkInterfaceId"])
    now = found.subnet(vpc.private[1])
    assert found.interfaces == {vpc.private[1]: 1}
    assert before
    assert now
    assert before.free - now.free == 2


def test_an_imported_certificate_is_seen_with_its_names(account: Sandbox) -> None:
    arn = imported(account, "llm.example.com", "*.example.org")

    found = asked(account, Existing(certificate_arn=arn)).certificate

    assert found
    assert found == Certificate(
        "ISSUED", ("llm.example.com", "*.example.org"), "EC_prime256v1", found.ends, imported=True
    )
    assert found.ends
    assert timedelta(days=58) < found.ends - datetime.now(UTC) < timedelta(days=60)


def test_a_file_of_authorities_is_read_as_openssl_reads_it(account: Sandbox, tmp_path: Path) -> None:
    s3, authority = client(account, "s3"), Authority(tmp_path)
    leaf, secret = authority.issue(["client"])
    s3.create_bucket(Bucket="acme-authorities")
    s3.put_bucket_versioning(Bucket="acme-authorities", VersioningConfiguration={"Status": "Enabled"})

    def read(text: str | None, version: str | None = None) -> Bundle | None:
        if text is not None:
            s3.put_object(Bucket="acme-authorities", Key="clients.pem", Body=text.encode())
        wanted = Existing(bundle="s3://acme-authorities/clients.pem", bundle_version=version)
        return asked(account, wanted).bundle

    assert read(None) is None
    found = read(f"# ours\n{authority.file.read_text()}")
    assert found
    assert found.authorities
    assert (found.certificates, found.private_key) == (1, False)
    assert found.authorities[0] > datetime.now(UTC)
    (first,) = s3.list_object_versions(Bucket="acme-authorities")["Versions"]
    assert read(authority.file.read_text() + secret) == Bundle(1, found.authorities, private_key=True)
    assert read(None, first["VersionId"]) == found
    assert read("nothing") == Bundle(0, None)
    assert read(leaf) == Bundle(1, ())
    assert asked(account, Existing(bundle="s3://acme-nowhere/clients.pem")).bundle is None


def test_a_zone_is_seen_with_the_records_that_clash(account: Sandbox, vpc: Company) -> None:
    route53 = client(account, "route53")
    inside = {"VPCRegion": REGION, "VPCId": vpc.vpc}
    public = route53.create_hosted_zone(Name="example.net", CallerReference="1")["HostedZone"]["Id"]
    private = route53.create_hosted_zone(
        Name="example.net", CallerReference="2", VPC=inside, HostedZoneConfig={"PrivateZone": True}
    )["HostedZone"]["Id"]
    records = [
        {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        for name, kind, value in (
            ("llm.example.net", "CNAME", "old.example.net"),
            ("mail.example.net", "A", "10.0.0.1"),
            ("txt.example.net", "TXT", '"x"'),
        )
    ]
    changes = [{"Action": "CREATE", "ResourceRecordSet": one} for one in records]
    route53.change_resource_record_sets(HostedZoneId=public, ChangeBatch={"Changes": changes})

    def zone(zone_id: str, domain: str) -> Facts:
        return asked(account, Existing(domain=domain, hosted_zone_id=zone_id.rsplit("/", 1)[-1]))

    taken = zone(public, "llm.example.net")
    assert taken.zone
    assert taken.zone.servers[0].startswith("ns-")
    assert (taken.zone.name, taken.records) == ("example.net", (Record("CNAME", "old.example.net"),))
    assert zone(public, "txt.example.net").records == ()
    assert zone(public, "free.example.net").records == ()
    assert zone(private, "llm.example.net").zone == Zone("example.net", private=True, vpcs=(vpc.vpc,))


class Endpoint:
    """Something at an address that a client can be made for."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.key = KEY


REFUSALS = {
    "ec2": b"<Response><Errors><Error><Code>%s</Code><Message>no</Message></Error></Errors></Response>",
    "acm": b'{"__type": "%s", "message": "no"}',
    "route53": b"<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>",
}


def refusing(**codes: str) -> Any:
    """An account in which each service refuses everything with its code."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        service = environ["HTTP_AUTHORIZATION"].split("/aws4_request")[0].rsplit("/", 1)[-1]
        start_response("400 Bad Request", [("Content-Type", "text/xml")])
        return [REFUSALS[service] % codes[service].encode()]

    return app


EVERYTHING = Existing(
    vpc_id="vpc-1", endpoints=("logs",), certificate_arn=ARN, domain="x.org", hosted_zone_id="Z1"
)


def test_a_missing_permission_leaves_that_unknown_and_names_it() -> None:
    codes = {"ec2": "UnauthorizedOperation", "acm": "AccessDeniedException", "route53": "AccessDenied"}
    with serving(refusing(**codes)) as address:
        found = look(lambda service: client(Endpoint(address), service), REGION, EVERYTHING, OURS)

    assert found.unknown.keys() == {
        "vpc",
        "dns",
        "subnets",
        "routes",
        "endpoints",
        "interfaces",
        "certificate",
        "zone",
        "records",
    }
    assert found.unknown["routes"].endswith("grant the permission ec2:DescribeRouteTables")
    assert found.unknown["certificate"].endswith("grant the permission acm:DescribeCertificate")
    assert found.unknown["zone"].endswith("grant the permission route53:GetHostedZone")
    assert (found.vpc, found.certificate, found.zone) == (None, None, None)


@pytest.mark.parametrize(
    ("code", "error"), [("RequestExpired", LostSight), ("RequestLimitExceeded", Transient)]
)
def test_a_login_that_is_over_and_a_busy_service_end_the_look(code: str, error: type[Exception]) -> None:
    with (
        serving(refusing(ec2=code, acm="AccessDeniedException", route53="AccessDenied")) as address,
        pytest.raises(error),
    ):
        look(lambda service: client(Endpoint(address), service), REGION, EVERYTHING, OURS)
