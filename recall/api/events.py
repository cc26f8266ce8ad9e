"""GET /events: the sealed journal, by its sequence; nothing is missed and nothing comes late."""

from django.http import HttpResponse, QueryDict
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema

from integrations.webhooks import events
from practices.api_access import ApiRequest, ApiView
from practices.models import JournalEntry
from recall.api.documenting import CALL, PATIENT, given
from recall.api.serializers import EventsSerializer
from sightsync.lib.api import fields, paging, render, schema
from sightsync.lib.api.errors import InvalidFields

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
_LARGEST = 2**63 - 1
_COUNT = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
_AFTER = {"type": "integer", "minimum": 0, "maximum": _LARGEST, "default": 0}
_EXAMPLE = {
    "id": "evt_01KKE71RZ4T8W2K6M9P3J5H7F1",
    "sequence": 4182,
    "type": "call.completed",
    "created_at": "2026-03-19T10:30:00Z",
    "data": {
        "call_id": CALL,
        "patient_id": PATIENT,
        "channel": "voice",
        "purpose": "recall",
        "outcome": "booked",
        "duration_seconds": 74,
        "actor": "system",
    },
}


class EventsView(ApiView):
    @extend_schema(
        operation_id="listEvents",
        summary="Read the events",
        description="What webhooks deliver, to be fetched: oldest first, by `sequence`."
        " Pass `next_after` as `after` to go on; when `has_more` is false, ask again later."
        " An event shows within seconds of its change, and never before one with a smaller number."
        " With `all` the journal's other entries come too. The `id` is the webhook's.",
        tags=["Events"],
        parameters=[
            OpenApiParameter("after", _AFTER, description="The sequence to go on from."),
            OpenApiParameter("limit", _COUNT, description="How many to return."),
            schema.text_parameter("type", "Only events of this type.", enum=list(events.CATALOGUE)),
            schema.bool_parameter("all", "Every entry of the journal, not only webhook events."),
        ],
        responses=EventsSerializer,
        examples=[given({"events": [_EXAMPLE], "next_after": 4182, "has_more": False})],
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        query = request._request.GET
        after, limit = _after(query), _limit(query)
        rows = JournalEntry.objects.filter(practice=request.practice, sequence__gt=after)
        wanted = fields.query_choice(query, "type", list(events.CATALOGUE))
        everything = fields.query_bool(query, "all")
        if wanted:
            rows = rows.filter(action=wanted)
        elif not everything:
            rows = rows.filter(action__in=list(events.CATALOGUE))
        found = list(rows.order_by("sequence")[: limit + 1])
        page = found[:limit]
        answer = {
            "events": [_out(entry) for entry in page],
            "next_after": page[-1].sequence if page else after,
            "has_more": len(found) > limit,
        }
        return render.answer(answer)


def _out(entry: JournalEntry) -> dict[str, object]:
    return {
        "id": events.public_id(events.event_id(entry)),
        "sequence": entry.sequence,
        "type": events.of_action(entry.action) or entry.action,
        "created_at": entry.at,
        "data": events.thin(entry),
    }


def _limit(query: QueryDict) -> int:
    only = QueryDict(mutable=True)
    if "limit" in query:
        only.appendlist("limit", query.get("limit", ""))
    return paging.window(only, default=DEFAULT_LIMIT, maximum=MAX_LIMIT).limit


def _after(query: QueryDict) -> int:
    text = query.get("after", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _LARGEST:
        raise InvalidFields({"after": ["This is not a sequence number."]})
    return int(text)


urlpatterns = [path("events", EventsView.as_view())]
