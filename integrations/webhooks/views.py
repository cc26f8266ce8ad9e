"""Developer, Webhooks: the endpoints, the delivery log, and what can be done about either."""

import json
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.models import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import deliver, endpoints, events, resend, selectors, words
from integrations.webhooks.forms import EndpointForm, NewEndpointForm
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib.errors import AppError

PAGE_SIZE = 50
_MAY = "developer.manage"
_CHANGED_BEFORE = (
    "The secret was changed and shown before, so it was not changed again. If it was not copied,"
    " make another."
)
_SHOWN_ONCE = "Its secret is shown once: if it was not copied, make a new secret."


@require_safe
@access.require(_MAY)
def index(request: StaffRequest) -> HttpResponse:
    rows = selectors.with_counts(request.practice)
    return render(request, "integrations/webhooks.html", {"endpoints": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def new(request: StaffRequest) -> HttpResponse:
    """The secret is on the page that answers the form, and nowhere after that."""
    form = NewEndpointForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = endpoints.create(
                practice=request.practice,
                url=form.cleaned_data["url"],
                wanted=form.wanted,
                full_objects=form.cleaned_data["full_objects"],
                endpoint_id=form.cleaned_data["endpoint_id"],
                actor=Actor.user(request.user),
            )
        except AppError as error:
            if error.code == "made_already":
                return _shown_before(request, form.cleaned_data["endpoint_id"])
            form.add_error("url", error.message)
        else:
            return _secret(request, row, secret)
    return _form(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def edit(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = _load(request, webhook_id)
    if request.method != "POST":
        return _form(request, EndpointForm.of(row), row)
    form = EndpointForm(request.POST)
    if form.is_valid():
        try:
            endpoints.update(
                endpoint=row,
                url=form.cleaned_data["url"],
                wanted=form.wanted,
                full_objects=form.cleaned_data["full_objects"],
                actor=Actor.user(request.user),
            )
        except AppError as error:
            form.add_error("url", error.message)
        else:
            messages.success(request, "Saved.")
            return redirect("webhooks:show", row.public_id)
    return _form(request, form, row)


@require_safe
@access.require(_MAY)
def show(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = _load(request, webhook_id)
    state = request.GET.get("state", "")
    state = state if state in DeliveryState.values else ""
    log = Paginator(selectors.deliveries(row, state).defer("tries"), PAGE_SIZE)
    tallies = selectors.tallies(row)
    context = {
        "endpoint": row,
        "page": log.get_page(request.GET.get("page")),
        "tallies": [tally for tally in tallies if tally.count or tally.state == state],
        "total": sum(tally.count for tally in tallies),
        "failed": next(tally.count for tally in tallies if tally.state == DeliveryState.FAILED),
        "state": state,
        "last_error": words.error(selectors.last_error(row)) if row.failing_since else "",
    }
    return render(request, "integrations/webhook.html", context)


@require_safe
@access.require(_MAY)
def delivery(request: StaffRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
    endpoint = _load(request, webhook_id)
    row = access.load(selectors.delivery(endpoint), delivery_id)
    content = json.dumps(deliver.content_of(row), indent=2, ensure_ascii=False, default=str)
    context = {
        "endpoint": endpoint,
        "delivery": row,
        "sent": content,
        "event_id": events.public_id(row.event_id),
        "tries": [
            {
                **line,
                "moment": datetime.fromisoformat(line["at"]),
                "why": words.error(line["error"]),
            }
            for line in reversed(row.tries)
        ],
    }
    return render(request, "integrations/webhook_delivery.html", context)


@require_POST
@access.require(_MAY)
def test(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = _load(request, webhook_id)
    try:
        sent = resend.test(endpoint=row, actor=Actor.user(request.user))
    except AppError as error:
        messages.error(request, error.message)
        return redirect("webhooks:show", row.public_id)
    messages.success(request, "A test event is on its way. Load the page again to see the answer.")
    return redirect("webhooks:delivery", row.public_id, sent.public_id)


@require_POST
@access.require(_MAY)
def enable(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = endpoints.enable(endpoint=_load(request, webhook_id), actor=Actor.user(request.user))
    messages.success(request, "On. Deliveries that waited go on, and new events are sent.")
    return redirect("webhooks:show", row.public_id)


@require_POST
@access.require(_MAY)
def disable(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = endpoints.disable(
        endpoint=_load(request, webhook_id),
        reason=DisabledReason.BY_HAND,
        actor=Actor.user(request.user),
    )
    messages.success(request, "Off. Nothing is sent until somebody turns it on again.")
    return redirect("webhooks:show", row.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def rotate(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = _load(request, webhook_id)
    if request.method != "POST":
        context = {"endpoint": row, "rotation": endpoints.rotation(row)}
        return render(request, "integrations/webhook_rotate.html", context)
    try:
        row, secret = endpoints.rotate_secret(
            endpoint=row, actor=Actor.user(request.user), seen=request.POST.get("rotation", "")
        )
    except AppError as error:
        messages.info(request, _CHANGED_BEFORE if error.status == 409 else error.message)
        return redirect("webhooks:show", row.public_id)
    return _secret(request, row, secret)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def delete(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = _load(request, webhook_id)
    if request.method != "POST":
        return render(request, "integrations/webhook_delete.html", {"endpoint": row})
    endpoints.delete(endpoint=row, actor=Actor.user(request.user))
    messages.success(request, "The webhook is removed.")
    return redirect("webhooks:list")


@require_POST
@access.require(_MAY)
def resend_failed(request: StaffRequest, webhook_id: str) -> HttpResponse:
    row = _load(request, webhook_id)
    try:
        count = resend.all_failed(endpoint=row, actor=Actor.user(request.user))
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{count} failed deliveries are sent again.")
    return redirect("webhooks:show", row.public_id)


@require_POST
@access.require(_MAY)
def resend_one(request: StaffRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
    endpoint = _load(request, webhook_id)
    row: WebhookDelivery = access.load(selectors.delivery(endpoint), delivery_id)
    try:
        resend.again(delivery=row, actor=Actor.user(request.user))
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "It is sent again, with the same event id.")
    return redirect("webhooks:delivery", endpoint.public_id, row.public_id)


def _load(request: StaffRequest, webhook_id: str) -> WebhookEndpoint:
    return access.load(selectors.endpoints(request.practice), webhook_id)


def _form(
    request: StaffRequest, form: EndpointForm, row: WebhookEndpoint | None = None
) -> HttpResponse:
    status = 400 if form.errors else 200
    context = {"form": form, "endpoint": row}
    return render(request, "integrations/webhook_form.html", context, status=status)


def _shown_before(request: StaffRequest, endpoint_id: UUID) -> HttpResponse:
    """The form came a second time: there is one webhook, and its secret is shown no more."""
    messages.info(request, f"The webhook was added before. {_SHOWN_ONCE}")
    row = access.load(selectors.endpoints(request.practice), str(endpoint_id))
    return redirect("webhooks:show", row.public_id)


def _secret(request: StaffRequest, row: WebhookEndpoint, secret: str) -> HttpResponse:
    answer = render(
        request, "integrations/webhook_secret.html", {"endpoint": row, "secret": secret}
    )
    answer["Cache-Control"] = "no-store"
    return answer
