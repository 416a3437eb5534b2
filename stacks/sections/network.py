"""`network` and `alb`: the VPC, and how clients reach the application."""

from typing import Annotated, Literal

from stacks.checking import fields
from stacks.checking.entrance import entrance_fields as kinds
from stacks.checking.fields import between
from stacks.sections import Section
from stacks.sections.oidc import Oidc


class ExistingVpc(Section):
    """An existing VPC; gatestack then creates no VPC, subnets, gateways or routes."""

    vpc_id: fields.VpcId
    public_subnet_ids: fields.SubnetIds = ()
    """Two, in different zones; none with an internal load balancer."""
    private_subnet_ids: fields.SubnetIds
    """Two, in different zones."""
    data_subnet_ids: fields.SubnetIds = ()
    """Two, in different zones, with data_subnets."""


class Network(Section):
    """VPC, subnets, gateways and endpoints."""

    vpc_cidr: fields.NetworkCidr
    """Address range, /16 to /28; with existing_vpc that VPC's own."""
    public_subnet_cidrs: fields.SubnetPair
    """One in each availability zone; left out: the first and second /24 of the VPC (.1, .2)."""
    private_subnet_cidrs: fields.SubnetPair
    """Left out: the eleventh and twelfth /24 of the VPC (.11, .12)."""
    data_subnet_cidrs: fields.SubnetPair
    """Isolated subnets for databases; left out: .21, .22. Used with data_subnets."""
    availability_zones: fields.ZonePair | None
    """Zones of the first and second subnet of each kind, by id or by the account's name; left out: zones
    that offer what the environment needs. Existing subnets stay in their zones."""
    nat_gateways: Annotated[Literal[0, 1, 2], fields.NUMBER]
    """Number of NAT gateways, the private subnets' route to the internet. 0 is accepted only if endpoints
    reach every provider (AWS's)."""
    vpc_endpoints: bool
    """VPC endpoints for S3, ECR, Secrets Manager and CloudWatch Logs."""
    endpoint_zones: Annotated[Literal[1, 2], fields.NUMBER]
    """Number of availability zones with interface endpoints."""
    data_subnets: bool
    """Put the database in subnets of its own, without any route to the internet."""
    flow_logs: bool
    """Record the VPC's traffic in CloudWatch Logs."""
    existing_vpc: ExistingVpc | None


class TargetCheck(Section):
    """The load balancer's health check of a task."""

    path: fields.Path
    interval_seconds: Annotated[int, between(5, 300, "seconds")]
    timeout_seconds: Annotated[int, between(2, 120, "seconds")]
    healthy_count: Annotated[int, between(2, 10, "checks")]
    """Successful checks in a row before a task gets requests."""
    unhealthy_count: Annotated[int, between(2, 10, "checks")]
    """Failed checks in a row before it gets none, and ECS replaces it."""


class MutualAuthentication(Section):
    """Clients show a certificate of their own before the HTTPS listeners take a request (mutual TLS)."""

    mode: Literal["verify", "passthrough"]
    """verify: only certificates of the authorities in ca_certificates_bundle are accepted; passthrough: any
    certificate or none, and the application gets it in X-Amzn-Mtls-Clientcert ([client
    certificates](security.md#client-certificates))."""
    ca_certificates_bundle: kinds.CaCertificatesBundle | None = None
    """The authorities' certificates in PEM, in S3: s3://acme-authorities/clients.pem. Required by verify."""
    ca_certificates_bundle_version: kinds.ObjectVersion | None = None
    """Version of that file; left out: the current one when the trust store is created or changed."""
    ignore_client_certificate_expiry: bool = False
    """Accept expired certificates; with verify."""
    advertise_trust_store_ca_names: bool = False
    """Send the authorities' names to clients, so that a browser can select the certificate; with verify."""

    @property
    def authorities(self) -> tuple[str, str] | None:
        """Bucket and key of the certificates by which clients are verified; None where nobody is."""
        if self.mode != "verify" or self.ca_certificates_bundle is None:
            return None
        bucket, _, key = self.ca_certificates_bundle.removeprefix("s3://").partition("/")
        return bucket, key


class Alb(Section):
    """Load balancer, certificate, DNS and web application firewall."""

    certificate_arn: fields.CertificateArn | None
    """An existing certificate; without it, one is created for domain_name."""
    domain_name: fields.DomainName | None
    hosted_zone_id: fields.HostedZoneId | None
    """Public Route 53 zone of domain_name: the validation record and the DNS record are created there."""
    waf: bool
    """Web application firewall: rate limit and AWS's managed rules."""
    waf_rate_limit: Annotated[int, between(10, 2_000_000_000, "requests")]
    """Requests in five minutes from one address, or with one key (waf_rate_key)."""
    waf_rate_key: Literal["ip", "authorization", "forwarded_ip"]
    """What the rate limit counts by: the client's address, the Authorization header, or the first address in
    X-Forwarded-For. A request without that header counts by the client's address."""
    waf_exempt_cidrs: kinds.FirewallCidrs
    """Addresses without a rate limit (IPv4). All other rules apply to them."""
    waf_logs: bool
    """Log the requests that the firewall blocks, without keys, cookies and query strings."""
    admin_cidrs: kinds.FirewallCidrs
    """Who reaches the UI and the management routes (IPv4); left out: everybody who may connect. Without waf
    it creates a web ACL with this rule only."""
    oidc: Oidc | None
    mutual_authentication: MutualAuthentication | None
    drop_invalid_headers: bool
    """Drop headers whose names contain other characters than letters, digits and hyphens, like
    langfuse_trace_user_id."""
    ssl_policy: kinds.SslPolicy
    """TLS versions and ciphers of the HTTPS listeners, by AWS's name."""
    deletion_protection: bool
    idle_timeout_seconds: Annotated[int, between(1, 4000, "seconds")]
    """How long a connection may be idle. A model can need minutes before its first token."""
    deregistration_delay_seconds: Annotated[int, between(0, 3600, "seconds")]
    """How long a task that leaves the target group may finish its responses."""
    health_check: TargetCheck
    internal: bool
    """Reachable from the VPC only."""
    allowed_cidrs: Annotated[fields.Cidrs, fields.NonEmpty]
    """Who may connect (IPv4)."""
    access_logs: bool
    test_port: Annotated[int, between(1, 65535)]
    """Port of the test listener, which a deployment_strategy other than rolling has."""
    test_cidrs: fields.Cidrs
    """Who may connect to it (IPv4); left out: the VPC only. With an internet-facing load balancer that is
    nobody, since requests from the VPC then come from public addresses."""

    @property
    def https(self) -> bool:
        """Whether a 443 listener exists: with a certificate of the user's, or one made for the domain."""
        return self.certificate_arn is not None or self.domain_name is not None

    @property
    def firewalled(self) -> bool:
        """Whether there is a web ACL: all of it, or the one rule that admin_cidrs or oidc asks for."""
        return self.waf or bool(self.admin_cidrs) or self.oidc is not None
