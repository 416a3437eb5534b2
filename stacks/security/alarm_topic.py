"""The SNS topic of all the environment's alarms, encrypted with the environment's key."""

from __future__ import annotations

from awacs import sns as action
from awacs.aws import Allow, ArnLike, Condition, Principal, Statement, StringEquals
from troposphere import AccountId, Ref
from troposphere.kms import Key
from troposphere.sns import SubscriptionResource, Topic, TopicPolicy

from stacks.parts.policies import arn, document
from stacks.wiring import Stack


def add(stack: Stack, key: Key) -> Topic:
    """Add the topic, who may publish on it, and the e-mail subscription where an address is given."""
    topic = stack.add(Topic("AlarmTopic", TopicName=stack.settings.alarm_topic_name, KmsMasterKeyId=Ref(key)))
    events = [_events_publish(topic)] if stack.settings.observability.alarms.stopped_tasks else []
    policy = document(_alarms_publish(topic), *events)
    stack.add(TopicPolicy("AlarmTopicPolicy", Topics=[Ref(topic)], PolicyDocument=policy))
    address = stack.settings.observability.alarm_email
    if address:
        stack.add(SubscriptionResource("AlarmEmail", TopicArn=Ref(topic), Protocol="email", Endpoint=address))
    return topic


def _alarms_publish(topic: Topic) -> Statement:
    """Allow alarms of this account to publish: a topic policy replaces the default one."""
    return Statement(
        Sid="AlarmsPublish",
        Effect=Allow,
        Principal=Principal("Service", "cloudwatch.amazonaws.com"),
        Action=[action.Publish],
        Resource=[Ref(topic)],
        Condition=Condition(
            [
                StringEquals("aws:SourceAccount", AccountId),
                ArnLike("aws:SourceArn", arn("cloudwatch", "alarm:*")),
            ]
        ),
    )


def _events_publish(topic: Topic) -> Statement:
    """
    Let EventBridge report stopped tasks; without a condition.

    It sends no condition keys, so a message would be lost silently (EventBridge User Guide, "Using
    resource-based policies", Amazon SNS permissions).
    """
    return Statement(
        Sid="EventsPublish",
        Effect=Allow,
        Principal=Principal("Service", "events.amazonaws.com"),
        Action=[action.Publish],
        Resource=[Ref(topic)],
    )
