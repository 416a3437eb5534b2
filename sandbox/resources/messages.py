"""Messages and settings: SNS topics, subscriptions and topic policies; Parameter Store parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import Provisioned
from sandbox.resources import require
from sandbox.resources.handler import Call, Handler, generated_name
from sandbox.resources.shapes import text

_TOPIC = (
    "DisplayName",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
    "FifoTopic",
    "ContentBasedDeduplication",
)
_SUBSCRIPTION = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy")


def _create_topic(call: Call) -> Provisioned:
    name = call.name("TopicName", 256)
    arn = call.arn("sns", name)
    if _topic_exists(call, arn):
        raise call.already_exists(arn)
    require.key(call, call.properties.get("KmsMasterKeyId"))
    attributes = {key: call.properties[key] for key in _TOPIC if key in call.properties}
    made = call.ask("sns", "create_topic", Name=name, Attributes=attributes, Tags=call.tags)["TopicArn"]
    for subscription in call.properties.get("Subscription", []):
        call.ask("sns", "subscribe", TopicArn=made, **subscription)
    return Provisioned(made, {"TopicArn": made, "TopicName": name})


def _topic_exists(call: Call, arn: str) -> bool:
    try:
        call.ask("sns", "get_topic_attributes", TopicArn=arn)
    except ClientError:
        return False
    return True


def _update_topic(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    arn = current.physical_id
    for key in _TOPIC:
        if call.changed(old, key):
            value = text(call.properties.get(key, ""))
            call.ask("sns", "set_topic_attributes", TopicArn=arn, AttributeName=key, AttributeValue=value)
    call.retag("sns", "tag_resource", "untag_resource", ResourceArn=arn)
    return current


def _delete_topic(call: Call, current: Provisioned) -> None:
    call.ask("sns", "delete_topic", TopicArn=current.physical_id)


def _create_subscription(call: Call) -> Provisioned:
    attributes = {key: call.properties[key] for key in _SUBSCRIPTION if key in call.properties}
    made = call.apply("sns", "subscribe", Attributes=attributes, ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]
    return Provisioned(made, {"Arn": made})


def _update_subscription(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    for key in _SUBSCRIPTION:
        if call.changed(old, key):
            target = {"SubscriptionArn": current.physical_id, "AttributeName": key}
            call.ask(
                "sns",
                "set_subscription_attributes",
                **target,
                AttributeValue=text(call.properties.get(key, "")),
            )
    return current


def _delete_subscription(call: Call, current: Provisioned) -> None:
    call.ask("sns", "unsubscribe", SubscriptionArn=current.physical_id)


def _create_topic_policy(call: Call) -> Provisioned:
    _set_topic_policies(call)
    return Provisioned(generated_name(call.request.stack_name, call.request.logical_id, 128))


def _set_topic_policies(call: Call) -> None:
    policy = text(call.properties["PolicyDocument"])
    for topic in call.properties["Topics"]:
        call.ask("sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _update_topic_policy(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _set_topic_policies(call)
    return current


def _delete_topic_policy(call: Call, current: Provisioned) -> None:
    """Leave the policy: AWS restores the default one, which gives the owner the same access."""
    del call, current


def _create_parameter(call: Call) -> Provisioned:
    name = call.name("Name", 512)
    call.apply("ssm", "put_parameter", Name=name, Tags=call.tags, Overwrite=False)
    return Provisioned(name, _parameter_attributes(call))


def _parameter_attributes(call: Call) -> dict[str, Any]:
    return {"Type": call.properties["Type"], "Value": call.properties["Value"]}


def _update_parameter(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "Value", "Type", "Description", "Tier", "AllowedPattern"):
        call.apply("ssm", "put_parameter", Name=current.physical_id, Tags=None, Overwrite=True)
    target = {"ResourceType": "Parameter", "ResourceId": current.physical_id}
    call.retag("ssm", "add_tags_to_resource", "remove_tags_from_resource", **target)
    return Provisioned(current.physical_id, _parameter_attributes(call))


def _delete_parameter(call: Call, current: Provisioned) -> None:
    call.ask("ssm", "delete_parameter", Name=current.physical_id)


HANDLERS: Mapping[str, Handler] = {
    "AWS::SNS::Topic": Handler(_create_topic, _update_topic, _delete_topic),
    "AWS::SNS::Subscription": Handler(_create_subscription, _update_subscription, _delete_subscription),
    "AWS::SNS::TopicPolicy": Handler(_create_topic_policy, _update_topic_policy, _delete_topic_policy),
    "AWS::SSM::Parameter": Handler(_create_parameter, _update_parameter, _delete_parameter),
}
