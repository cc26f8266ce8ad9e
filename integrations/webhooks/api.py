"""The webhook operations of the public API.

Reading needs the scope `read`. Everything else needs `admin`: an endpoint is where the practice's
data goes from then on, so adding one is an act like making a key.
"""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import OpenApiExample, extend_schema

from integrations.models import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import endpoints, resend, selectors, serializers
from practices import access
from practices.api_access import ApiRequest, ApiView
from practices.models import Practice
from sightsync.lib.api import fields, paging, render
from sightsync.lib.api.schema import id_parameter, listed, text_parameter
from sightsync.lib.api.schema import paging as paging_parameters

_CHANGES = {"POST": "admin", "PATCH": "admin", "DELETE": "admin"}
_TAG = ["Webhooks"]
_ID = id_parameter("webhook_id", WebhookEndpoint.PREFIX, "The webhook's id.")
_DELIVERY_ID = id_parameter("delivery_id", WebhookDelivery.PREFIX, "The delivery's id.")
_PAGE = {"default": 100, "maximum": 500}

_ENDPOINT: dict[str, Any] = {
    "id": "wh_01KKE6X2F0ZJ7Q4W8T5N3M9R1C",
    "url": "https://your-pms.example/webhooks/sightsync",
    "events": ["call.completed", "appointment.booked"],
    "is_active": True,
    "created_at": "2026-03-01T09:00:00Z",
    "last_delivery_at": "2026-03-19T10:30:00Z",
    "consecutive_failures": 0,
    "full_objects": False,
    "failing_since": None,
    "disabled_at": None,
    "disabled_reason": None,
    "previous_secret_expires_at": None,
}
_NEW: dict[str, Any] = {
    "id": "wh_01KKE6X2F0ZJ7Q4W8T5N3M9R1C",
    "url": "https://your-pms.example/webhooks/sightsync",
    "events": ["call.completed", "appointment.booked"],
    "secret": "whsec_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "is_active": True,
    "created_at": "2026-03-19T11:00:00Z",
    "full_objects": False,
}
_DELIVERY: dict[str, Any] = {
    "id": "whd_01KKE71S8M6R2C9V4X7B5N3Q0D",
    "event_id": "evt_01KKE71RZ4T8W2K6M9P3J5H7F1",
    "event_type": "call.completed",
    "status": "waiting",
    "attempts": 2,
    "created_at": "2026-03-19T10:30:00Z",
    "last_tried_at": "2026-03-19T10:30:06Z",
    "next_try_at": "2026-03-19T10:35:09Z",
    "delivered_at": None,
    "response_status": 500,
    "latency_ms": 184,
    "error": "bad_status",
}
_DETAIL: dict[str, Any] = {
    **_DELIVERY,
    "request": {
        "id": _DELIVERY["event_id"],
        "type": "call.completed",
        "created_at": "2026-03-19T10:30:00Z",
        "data": {
            "call_id": "c_01KKE70B5Q3S8V1X6Z9C2N4M7K",
            "patient_id": "pat_01KKDW5T0R2Y4Z6A8P1B3S5D7F",
            "channel": "voice",
            "purpose": "recall",
            "outcome": "booked",
            "duration_seconds": 74,
            "actor": "system",
        },
    },
    "response": "Internal Server Error",
    "tries": [
        {"at": "2026-03-19T10:30:00Z", "status": None, "ms": 10000, "error": "timeout"},
        {"at": "2026-03-19T10:30:06Z", "status": 500, "ms": 184, "error": "bad_status"},
    ],
}


def _given(value: object, *status: str) -> list[OpenApiExample]:
    return [OpenApiExample("Answer", value=value, response_only=True, status_codes=list(status))]


def _sent(value: object) -> list[OpenApiExample]:
    return [OpenApiExample("Request", value=value, request_only=True)]


def _endpoint(practice: Practice, webhook_id: str) -> WebhookEndpoint:
    return access.load(selectors.endpoints(practice), webhook_id)


def _delivery(practice: Practice, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    return access.load(selectors.delivery(_endpoint(practice, webhook_id)), delivery_id)


class _WebhookView(ApiView):
    scopes: ClassVar[dict[str, str]] = _CHANGES


class WebhooksView(_WebhookView):
    @extend_schema(
        operation_id="listWebhooks",
        summary="List webhook endpoints",
        description="Every endpoint of the practice, oldest first.",
        tags=_TAG,
        responses=serializers.WebhooksSerializer,
        examples=_given({"endpoints": [_ENDPOINT]}, "200"),
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        rows = selectors.endpoints(request.practice)
        return render.answer({"endpoints": [serializers.endpoint_out(row) for row in rows]})

    @extend_schema(
        operation_id="createWebhook",
        summary="Register a webhook endpoint",
        description="It hears of what happens from now on. The answer holds the secret that signs"
        " deliveries, this once. Events: the names in `events`, or `*` for all.",
        tags=_TAG,
        request=serializers.WebhookInputSerializer,
        responses={201: serializers.NewWebhookSerializer},
        examples=[
            *_sent({"url": _NEW["url"], "events": _NEW["events"]}),
            *_given(_NEW, "201"),
        ],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        asked = serializers.WebhookInputSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row, secret = endpoints.create(
            practice=request.practice,
            url=asked.validated_data["url"],
            wanted=asked.validated_data["events"],
            full_objects=asked.validated_data["full_objects"],
            actor=self.actor,
        )
        answer = {
            "id": row.public_id,
            "url": row.url,
            "events": row.events,
            "secret": secret,
            "is_active": row.is_active,
            "created_at": row.created_at,
            "full_objects": row.full_objects,
        }
        return render.answer(answer, 201)


class WebhookView(_WebhookView):
    @extend_schema(
        operation_id="getWebhook",
        summary="Get a webhook endpoint",
        tags=_TAG,
        parameters=[_ID],
        responses=serializers.WebhookSerializer,
        examples=_given(_ENDPOINT, "200"),
    )
    def get(self, request: ApiRequest, webhook_id: str) -> HttpResponse:
        return render.answer(serializers.endpoint_out(_endpoint(request.practice, webhook_id)))

    @extend_schema(
        operation_id="updateWebhook",
        summary="Change a webhook endpoint",
        description="Only the fields in the body change. With `is_active: true` deliveries that"
        " waited go on; what happened while it was off is in the list of events.",
        tags=_TAG,
        parameters=[_ID],
        request=serializers.WebhookPatchSerializer,
        responses=serializers.WebhookSerializer,
        examples=[*_sent({"is_active": True}), *_given(_ENDPOINT, "200")],
    )
    def patch(self, request: ApiRequest, webhook_id: str) -> HttpResponse:
        row = _endpoint(request.practice, webhook_id)
        asked = serializers.WebhookPatchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        row = endpoints.update(
            endpoint=row,
            url=given.get("url"),
            wanted=given.get("events"),
            full_objects=given.get("full_objects"),
            actor=self.actor,
        )
        if given.get("is_active") is True:
            row = endpoints.enable(endpoint=row, actor=self.actor)
        elif given.get("is_active") is False:
            row = endpoints.disable(endpoint=row, reason=DisabledReason.BY_HAND, actor=self.actor)
        return render.answer(serializers.endpoint_out(row))

    @extend_schema(
        operation_id="deleteWebhook",
        summary="Remove a webhook endpoint",
        description="Its delivery log goes with it.",
        tags=_TAG,
        parameters=[_ID],
        request=None,
        responses={200: serializers.WebhookRemovedSerializer},
        examples=_given({"success": True}, "200"),
    )
    def delete(self, request: ApiRequest, webhook_id: str) -> HttpResponse:
        endpoints.delete(endpoint=_endpoint(request.practice, webhook_id), actor=self.actor)
        return render.answer({"success": True})


class TestView(_WebhookView):
    @extend_schema(
        operation_id="testWebhook",
        summary="Send a test event",
        description="Sends a `webhook.test` event the same way as every other, within seconds and"
        " once. Read the delivery to see what came of it.",
        tags=_TAG,
        parameters=[_ID],
        request=None,
        responses={202: serializers.WebhookDeliveryQueuedSerializer},
        examples=_given({"success": True, "delivery": _DELIVERY}, "202"),
    )
    def post(self, request: ApiRequest, webhook_id: str) -> HttpResponse:
        row = resend.test(endpoint=_endpoint(request.practice, webhook_id), actor=self.actor)
        return _queued(row)


class RotateView(_WebhookView):
    @extend_schema(
        operation_id="rotateWebhookSecret",
        summary="Replace the secret",
        description="The answer holds the new secret, this once. For 24 hours the one before signs"
        " as well: `webhook-signature` then holds two signatures with a space between,"
        " `X-SightSync-Signature` two with a comma.",
        tags=_TAG,
        parameters=[_ID],
        request=None,
        responses=serializers.WebhookSecretSerializer,
        examples=_given(
            {
                "id": _NEW["id"],
                "secret": _NEW["secret"],
                "previous_secret_expires_at": "2026-03-20T11:00:00Z",
            },
            "200",
        ),
    )
    def post(self, request: ApiRequest, webhook_id: str) -> HttpResponse:
        row = _endpoint(request.practice, webhook_id)
        row, secret = endpoints.rotate_secret(endpoint=row, actor=self.actor)
        return render.answer(
            {
                "id": row.public_id,
                "secret": secret,
                "previous_secret_expires_at": row.previous_expires_at,
            }
        )


class DeliveriesView(_WebhookView):
    @extend_schema(
        operation_id="listWebhookDeliveries",
        summary="List deliveries",
        description="The delivery log of the last 30 days, newest first.",
        tags=_TAG,
        parameters=[
            _ID,
            *paging_parameters(_PAGE["default"], _PAGE["maximum"]),
            text_parameter("status", "Only of this status.", enum=DeliveryState.values),
        ],
        responses=listed("WebhookDelivery", "deliveries", serializers.WebhookDeliverySerializer),
        examples=_given({"deliveries": [_DELIVERY], "total": 1, "limit": 100, "offset": 0}, "200"),
    )
    def get(self, request: ApiRequest, webhook_id: str) -> HttpResponse:
        endpoint = _endpoint(request.practice, webhook_id)
        query = request._request.GET
        state = fields.query_choice(query, "status", DeliveryState.values)
        window = paging.window(query, default=_PAGE["default"], maximum=_PAGE["maximum"])
        rows = selectors.deliveries(endpoint, state).defer("tries", "response_excerpt")
        page = rows[window.offset : window.offset + window.limit]
        found = [serializers.delivery_out(row) for row in page]
        return render.answer(window.answer("deliveries", found, rows.count()))


class DeliveryView(_WebhookView):
    @extend_schema(
        operation_id="getWebhookDelivery",
        summary="Get a delivery",
        description="With the body as it is sent now, the start of the last answer, and each try.",
        tags=_TAG,
        parameters=[_ID, _DELIVERY_ID],
        responses=serializers.WebhookDeliveryDetailSerializer,
        examples=_given(_DETAIL, "200"),
    )
    def get(self, request: ApiRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
        row = _delivery(request.practice, webhook_id, delivery_id)
        return render.answer(serializers.delivery_detail_out(row))


class ResendView(_WebhookView):
    @extend_schema(
        operation_id="resendWebhookDelivery",
        summary="Send a delivery again",
        description="Whatever came of it before. The event keeps its id.",
        tags=_TAG,
        parameters=[_ID, _DELIVERY_ID],
        request=None,
        responses={202: serializers.WebhookDeliveryQueuedSerializer},
        examples=_given({"success": True, "delivery": _DELIVERY}, "202"),
    )
    def post(self, request: ApiRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
        row = _delivery(request.practice, webhook_id, delivery_id)
        return _queued(resend.again(delivery=row, actor=self.actor))


def _queued(row: WebhookDelivery) -> HttpResponse:
    return render.answer({"success": True, "delivery": serializers.delivery_out(row)}, 202)


_ONE = "webhooks/<str:webhook_id>"
urlpatterns = [
    path("webhooks", WebhooksView.as_view()),
    path(_ONE, WebhookView.as_view()),
    path(f"{_ONE}/test", TestView.as_view()),
    path(f"{_ONE}/rotate-secret", RotateView.as_view()),
    path(f"{_ONE}/deliveries", DeliveriesView.as_view()),
    path(f"{_ONE}/deliveries/<str:delivery_id>", DeliveryView.as_view()),
    path(f"{_ONE}/deliveries/<str:delivery_id>/resend", ResendView.as_view()),
]
