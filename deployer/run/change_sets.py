"""The request of a change set: looked-up parameters, tags, a name from the content, the template."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from deployer.changes.comparison import differences
from deployer.checks.kept import again, import_template
from deployer.cloud import Cloud
from deployer.errors import DeployError, LostSight, Refused, Transient
from deployer.kept import Kept
from deployer.progress import Notice, Tell
from deployer.run.leftovers import tags_of_stack
from deployer.run.parameters import Parameters
from deployer.run.schema_migration import count_of
from deployer.states import ChangeSetRequest, ChangeSetState, Kind, StackState
from generator.manifest import Manifest, StackSpec, Upload

PREFIX = "gatestack-"
NOT_REVERTED = "drift is not reverted: this endpoint has no drift-aware change sets; deployed without them"
NO_EXPRESS = "this endpoint has no express mode: deployed in standard mode"
NO_S3 = "this endpoint has no S3"
INLINE_BYTES = 51_200
"""CloudFormation quotas: the largest template in a request …"""
S3_BYTES = 1_000_000
"""… and in an S3 object (1 MB)."""


def inline(template: str) -> str | None:
    """Return *template* as it fits into a request, without white space if needed; None if it never does."""
    if len(template.encode()) <= INLINE_BYTES:
        return template
    dense = json.dumps(json.loads(template), separators=(",", ":"))
    return dense if len(dense.encode()) <= INLINE_BYTES else None


def check_sizes(manifest: Manifest) -> None:
    """
    Refuse templates that CloudFormation would not take.

    Raises:
        Refused: a template is above 1 MB.

    """
    for spec in manifest.stacks:
        size = len(spec.template.encode())
        if size > S3_BYTES:
            raise Refused(
                f"{spec.name}: the template has {size} bytes, CloudFormation takes {S3_BYTES}: split it"
            )


def check_uploads(manifest: Manifest) -> None:
    """
    Refuse files that do not match their keys: templates refer to their content by key.

    Raises:
        Refused: a key does not end in the beginning of its content's SHA-256.

    """
    for spec in manifest.stacks:
        for one in spec.uploads:
            if not _addresses(one.key, manifest.files[one.file]):
                what = f"{spec.name}: {one.file} is not the file that its key {one.key} was made from"
                raise Refused(f"{what}: generate the environment again")


def _addresses(key: str, content: bytes) -> bool:
    """Whether *key* ends in the beginning of the content's SHA-256, at least 16 hexadecimal digits of it."""
    said = re.search(r"([0-9a-f]{16,64})(\.[a-z]+)?$", key)
    return said is not None and hashlib.sha256(content).hexdigest().startswith(said[1])


class Preparer:
    """Makes the requests for change sets of one run."""

    def __init__(
        self,
        manifest: Manifest,
        cloud: Cloud,
        tell: Tell,
        run_id: str,
        *,
        revert_drift: bool = False,
        env: str = "",
        push: str = "",
    ) -> None:
        self._revert_drift = revert_drift
        self._env = env or manifest.environment
        self._manifest = manifest
        self._cloud = cloud
        self._tell = tell
        self._run_id = run_id
        self.parameters = Parameters(manifest, cloud, tell, self._env, push)

    def token(self, *parts: object) -> str:
        """Return a token that is the same for the same request of the same run: repeating it is harmless."""
        return f"{self._run_id}-{_digest(*map(str, parts))}"

    def request(
        self,
        spec: StackSpec,
        stack: StackState | None,
        kind: Kind,
        attempt: int,
        *,
        revert: bool = False,
        imports: tuple[Kept, ...] = (),
    ) -> ChangeSetRequest:
        """
        Look parameters up and return the request for a change set of *spec*, or to import *imports* of it.

        The name comes from the content and from the state it is made for, so that the next run after a killed
        one finds its change set again. Others can guess it: an existing one is compared.

        Raises:
            DeployError: what the account has does not allow it; nothing was changed.

        """
        reverts = (self._revert_drift or revert) and kind == "UPDATE"
        parameters = self.parameters.look_up(spec, stack, reverts=reverts)
        if kind == "UPDATE" and stack is not None:
            self.parameters.groups.check_leaving(spec, stack)
        if imports:
            spec = replace(spec, template=import_template(spec.template, imports))
        wanted = replace(self.wanted(spec, stack, kind, parameters), imports=imports, revert_drift=reverts)
        state = () if stack is None else (stack.id, stack.change_set_id, stack.last_updated)
        content = _digest(spec.template, _inputs(wanted), str(state))
        body, url = self._template(spec)
        token = self.token(spec.stack_name, content, attempt)
        return replace(wanted, name=PREFIX + content, token=token, body=body, url=url)

    def wanted(
        self, spec: StackSpec, stack: StackState | None, kind: Kind, parameters: Mapping[str, str]
    ) -> ChangeSetRequest:
        """Return the request for a change set of *spec*, without a name."""
        alarms, minutes = self._alarms(spec, kind)
        return ChangeSetRequest(
            stack=stack.id if stack and kind == "UPDATE" else spec.stack_name,
            kind=kind,
            name="",
            token="",
            body=spec.template,
            url=None,
            parameters=parameters,
            tags=tags_of_stack(self._manifest, spec),
            capabilities=spec.capabilities,
            description=f"gatestack deploy {self._manifest.environment}",
            revert_drift=self._revert_drift and kind == "UPDATE",
            express=express(spec, stack, kind),
            rollback_alarms=alarms,
            rollback_minutes=minutes,
        )

    def differences(
        self, spec: StackSpec, request: ChangeSetRequest, found: ChangeSetState
    ) -> tuple[str, ...]:
        """Return, in words, how *found* differs from *request*, which was made for *spec*."""
        imports = request.imports
        template = import_template(spec.template, imports) if imports else spec.template
        holds = self._cloud.holds_template(found, template)
        return differences(request, template, found, holds_template=holds)

    def importable(
        self, spec: StackSpec, left: Collection[Kept], found: Collection[Kept]
    ) -> tuple[Kept, ...]:
        """Return what a creation of *spec* imports: what was *found*, and what a failed one has *left*."""
        anew = again(spec, left, self._manifest.region, self._manifest.account)
        ids = {one.logical_id for one in anew}
        return (*(one for one in found if one.logical_id not in ids), *anew)

    def renamed(self, request: ChangeSetRequest) -> ChangeSetRequest:
        """Return *request* under a name that nobody else can know in advance."""
        name = f"{request.name}-{self._run_id}"
        return replace(request, name=name, token=self.token(name))

    def _alarms(self, spec: StackSpec, kind: Kind) -> tuple[tuple[str, ...], int]:
        """Return the ARNs of the alarms; a new stack has none, since it often creates them itself."""
        if kind != "UPDATE":
            return (), 0
        names = [name for name in spec.rollback_alarms if not name.startswith("arn:")]
        partition, region = self._cloud.partition(), self._manifest.region
        account = (self._manifest.account or self._cloud.account()) if names else ""
        found = tuple(
            one if one not in names else alarm_arn(partition, region, account, one)
            for one in spec.rollback_alarms
        )
        return found, spec.rollback_minutes

    def _template(self, spec: StackSpec) -> tuple[str | None, str | None]:
        if fits := inline(spec.template):
            return fits, None
        bucket = self._cloud.artifacts_bucket(self._manifest.account or self._cloud.account())
        key = f"templates/{hashlib.sha256(spec.template.encode()).hexdigest()}.json"
        self._cloud.put_object(bucket, key, spec.template.encode())
        return None, self._cloud.object_url(bucket, key)

    def upload(
        self, spec: StackSpec, parameters: Mapping[str, str], value_of: Callable[[str], str | None]
    ) -> None:
        """
        Upload the files that *spec* needs in S3; *value_of* returns the value of an export.

        Raises:
            DeployError: a file that something is made from, or started with, cannot be put there.

        """
        for one in spec.uploads:
            problem = self._placed(one, value_of)
            if not problem:
                continue
            if one.key in _function_keys(spec.template):
                needed, use = problem != NO_S3, "functions of this stack are made from it"
                lost = "the rotation functions cannot be made there"
            else:
                needed, use = count_of(spec, parameters) != "0", "tasks read it at their start"
                lost = "no task is started that would read it"
            if needed:
                raise DeployError(f"{one.file} cannot be put into S3, and {use}: {problem}")
            text = f"{one.file} could not be put into S3 ({problem}); {lost}"
            self._tell(Notice(text, spec.name, warning=True))

    def _placed(self, one: Upload, value_of: Callable[[str], str | None]) -> str:
        """
        Upload a file; returns the problem, if any. Retryable errors are raised.

        An existing object under the key could be somebody else's, so the file is always written.
        """
        try:
            bucket = value_of(one.bucket_export)
            if bucket is None:
                return f"no stack exports {one.bucket_export}"
            placed = self._cloud.put_object(bucket, one.key, self._manifest.files[one.file])
        except (Transient, LostSight):
            raise
        except DeployError as error:
            return str(error)
        return "" if placed else NO_S3


def express(spec: StackSpec, stack: StackState | None, kind: Kind) -> bool:
    """Whether an operation of *kind* may be in express mode; the update behind an import is a creation."""
    updates = kind == "UPDATE" and stack is not None and not stack.status.startswith("IMPORT")
    return kind != "IMPORT" and (spec.express == "always" or (spec.express == "updates" and updates))


def alarm_arn(partition: str, region: str, account: str, name: str) -> str:
    """Return the ARN of the alarm called *name*."""
    return f"arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"


def _function_keys(template: str) -> frozenset[str]:
    """Return the S3 keys that functions of *template* are made from."""
    resources = json.loads(template).get("Resources", {}).values()
    functions = (one for one in resources if one["Type"] == "AWS::Lambda::Function")
    return frozenset(str(one.get("Properties", {}).get("Code", {}).get("S3Key", "")) for one in functions)


def _inputs(wanted: ChangeSetRequest) -> str:
    """Return what is requested besides the template, as text to derive a name from."""
    beside = [wanted.rollback_alarms, wanted.rollback_minutes, wanted.revert_drift, wanted.capabilities]
    beside += ["express"] if wanted.express else []
    beside += [[one.logical_id, one.physical_id] for one in wanted.imports]
    return json.dumps([dict(wanted.parameters), dict(wanted.tags), beside], sort_keys=True)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
