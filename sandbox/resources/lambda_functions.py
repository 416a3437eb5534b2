"""AWS::Lambda::Function and Permission: stored by `functions.py`, validated as by Lambda."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from zipfile import ZipFile, is_zipfile

from botocore.exceptions import ClientError

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources import interfaces, require
from sandbox.resources.handler import Call, Handler, generated_name, unchanged
from sandbox.resources.shapes import text
from sandbox.services.functions.records import Function


def _create(call: Call) -> Provisioned:
    name = call.name("FunctionName")
    arn = call.arn("lambda", f"function:{name}")
    if call.services.functions.get(arn):
        raise call.already_exists(name)
    call.services.functions.put(_function(call, name, arn))
    return Provisioned(name, {"Arn": arn})


def _update(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    arn = current.attributes["Arn"]
    held = call.services.functions.get(arn)
    if held is None:
        raise call.not_found("function", current.physical_id)
    code = call.changed(old, "Code", "Handler")
    call.services.functions.put(_function(call, held.name, arn, None if code else held.code))
    return current


def _delete(call: Call, current: Provisioned) -> None:
    arn = current.attributes["Arn"]
    if call.services.functions.get(arn):
        interfaces.leave(call, current.physical_id, call.properties.get("VpcConfig", {}))
    call.services.functions.remove(arn)


def _function(call: Call, name: str, arn: str, code: bytes | None = None) -> Function:
    """Return the function of the properties; *code* is the code if it did not change."""
    _check(call)
    variables = call.properties.get("Environment", {}).get("Variables", {})
    return Function(
        arn=arn,
        name=name,
        code=_code(call) if code is None else code,
        handler=str(call.properties.get("Handler", "index.handler")),
        timeout=float(call.properties.get("Timeout", 3)),
        variables={key: text(value) for key, value in variables.items()},
    )


def _check(call: Call) -> None:
    role = call.properties["Role"]
    require.role(call, role)
    trusted = call.ask("iam", "get_role", RoleName=role.rsplit("/", 1)[-1])["Role"]
    if "lambda.amazonaws.com" not in json.dumps(trusted["AssumeRolePolicyDocument"]):
        raise _refused("The role defined for the function cannot be assumed by Lambda.")
    place = call.properties.get("VpcConfig", {})
    require.subnets(call, place.get("SubnetIds", []))
    require.groups(call, place.get("SecurityGroupIds", []))
    require.key(call, call.properties.get("KmsKeyArn"))


def _code(call: Call) -> bytes:
    code = call.properties["Code"]
    if "ZipFile" in code:
        return _inline(str(code["ZipFile"]))
    if "S3Bucket" not in code or "S3Key" not in code:
        raise _refused("Please provide a source for function code.")
    which = {"Bucket": code["S3Bucket"], "Key": code["S3Key"], "VersionId": code.get("S3ObjectVersion")}
    try:
        found: bytes = call.ask("s3", "get_object", **which)["Body"].read()
    except ClientError as error:
        details = {**error.response["Error"]}
        said = f"S3 Error Code: {details['Code']}. S3 Error Message: {details.get('Message', '')}"
        raise _refused(f"Error occurred while GetObject. {said}") from error
    if not is_zipfile(io.BytesIO(found)):
        raise _refused("Could not unzip uploaded file. Please check your file, then try to upload again.")
    return found


def _inline(source: str) -> bytes:
    """Return an archive of the source, which CloudFormation puts into a file named index."""
    archive = io.BytesIO()
    with ZipFile(archive, "w") as files:
        files.writestr("index.py", source)
    return archive.getvalue()


def _refused(message: str) -> ProvisionError:
    return ProvisionError(
        f'Resource handler returned message: "{message} (Service: Lambda, Status Code: 400)"'
        " (HandlerErrorCode: InvalidRequest)"
    )


def _permit(call: Call) -> Provisioned:
    arn = _permitted(call)
    if call.services.functions.get(arn) is None:
        raise call.not_found("function", arn)
    statement = generated_name(call.request.stack_name, call.request.logical_id, 100)
    call.services.functions.permit(arn, statement, str(call.properties["Principal"]))
    return Provisioned(statement, {"Id": statement})


def _permitted(call: Call) -> str:
    name = str(call.properties["FunctionName"])
    return name if name.startswith("arn:") else call.arn("lambda", f"function:{name}")


def _forbid(call: Call, current: Provisioned) -> None:
    call.services.functions.forbid(_permitted(call), current.physical_id)


HANDLERS: Mapping[str, Handler] = {
    "AWS::Lambda::Function": Handler(_create, _update, _delete),
    "AWS::Lambda::Permission": Handler(_permit, unchanged, _forbid),
}
