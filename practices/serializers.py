"""The shapes of this app's answers, for the OpenAPI document. Input goes through none of them."""

from typing import Any

from rest_framework import serializers

from practices.models import Plan, SubscriptionStatus

_Shape = serializers.Serializer[Any]


class PeriodSerializer(_Shape):
    start = serializers.DateField()
    end = serializers.DateField()


class CallsUsedSerializer(_Shape):
    used = serializers.IntegerField(min_value=0)
    limit = serializers.IntegerField(min_value=0)
    remaining = serializers.IntegerField(min_value=0)
    overage = serializers.IntegerField(min_value=0)


class DaySerializer(_Shape):
    date = serializers.DateField()
    total = serializers.IntegerField(min_value=0)
    completed = serializers.IntegerField(min_value=0)
    failed = serializers.IntegerField(min_value=0)


class UsageSerializer(_Shape):
    period = PeriodSerializer()
    plan = serializers.ChoiceField(Plan.choices)
    status = serializers.ChoiceField(SubscriptionStatus.choices)
    calls = CallsUsedSerializer()
    daily = DaySerializer(many=True)
