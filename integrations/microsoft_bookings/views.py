"""Settings, Calendar & PMS, Microsoft Bookings: connect, choose, try, disconnect."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from integrations.microsoft_bookings import account, consent, oauth, words
from integrations.microsoft_bookings.forms import ChoiceForm
from integrations.microsoft_bookings.oauth import Organisation
from integrations.microsoft_bookings.payloads import Business
from integrations.models import Connection
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib.errors import AppError, ProviderError

_MAY = "integrations.manage"
_BOTH = ["GET", "HEAD", "POST"]
HOME = "microsoft:show"


@require_safe
@access.require(_MAY)
def show(request: StaffRequest) -> HttpResponse:
    connection = account.of(request.practice)
    world = consent.world(request)
    context = {
        "connection": connection,
        "standing": words.standing(connection),
        "must_connect": connection is not None and words.must_connect(connection),
        "can_connect": world.is_set_up,
        "people": _people(connection),
        "pretend_url": f"{settings.SANDBOX_URL}/bookings" if world.sandbox else "",
    }
    answer = render(request, "integrations/microsoft/show.html", context)
    # The button's form ends at Microsoft's sign-in, which this page alone may lead to.
    parts = urlsplit(world.address(f"{oauth.LOGIN}/"))
    answer._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]
    return answer


@require_POST
@access.require(_MAY)
def connect(request: StaffRequest) -> HttpResponse:
    """Off to Microsoft, with what brings the person back kept in the session."""
    if not consent.world(request).is_set_up:
        return _not_connected(request, "no_app")
    return redirect(consent.begin(request))


@require_GET
@access.require(_MAY)
def callback(request: StaffRequest) -> HttpResponse:
    """Back from Microsoft, twice: with the consent, and with the sign-in that proves whose it was.
    It changes nothing but the session; connecting is the choice that follows.
    """
    try:
        following = consent.come_back(request)
    except (AppError, ProviderError) as error:
        return _not_connected(request, error.code, error.message)
    return redirect(following or "microsoft:choose")


@require_http_methods(_BOTH)
@access.require(_MAY)
def choose(request: StaffRequest) -> HttpResponse:
    """First the business, unless there is only one; then the service, and who is which diary."""
    connection = account.of(request.practice)
    home = consent.proven(request) or (account.organisation(connection) if connection else None)
    if home is None:
        return redirect(HOME)
    try:
        found = account.businesses(request.practice, home)
        if not found:
            return _not_connected(request, "no_business")
        wanted = request.GET.get("business", "") or (found[0].id if len(found) == 1 else "")
        business = next((each for each in found if each.id == wanted), None)
        if business is None:
            return _businesses(request, connection, home, found)
        return _offer(request, connection, home, business, alone=len(found) == 1)
    except ProviderError as error:
        return _not_connected(request, error.code)


def _businesses(
    request: StaffRequest, connection: Connection | None, home: Organisation, found: list[Business]
) -> HttpResponse:
    used = connection.settings.get("business_id", "") if connection else ""
    name = request.practice.name.lower()
    likely = next((each.id for each in found if each.name.lower() == name), found[0].id)
    context = {"businesses": found, "home": home, "used": used, "likely": used or likely}
    return render(request, "integrations/microsoft/businesses.html", context)


def _offer(
    request: StaffRequest,
    connection: Connection | None,
    home: Organisation,
    business: Business,
    *,
    alone: bool,
) -> HttpResponse:
    offer = account.offer(request.practice, home, business)
    chosen = connection.settings if connection else {}
    same = chosen.get("business_id") == business.id
    data = request.POST if request.method == "POST" else None
    form = ChoiceForm(request.practice, offer, chosen if same else {}, data)
    if request.method == "POST" and form.is_valid():
        return _save(request, home, form)
    context = {"form": form, "offer": offer, "home": home, "alone": alone}
    status = 400 if form.errors else 200
    return render(request, "integrations/microsoft/choose.html", context, status=status)


def _save(request: StaffRequest, home: Organisation, form: ChoiceForm) -> HttpResponse:
    account.save(
        practice=request.practice,
        home=home,
        choice=form.choice,
        consented=consent.proven(request) is not None,
        user=request.user,
        actor=Actor.user(request.user),
    )
    consent.finished(request)
    messages.success(
        request, f"Bookings are written to {form.offer.business.name}, those ahead already too."
    )
    return redirect(HOME)


@require_POST
@access.require(_MAY)
def test(request: StaffRequest) -> HttpResponse:
    connection = account.of(request.practice)
    if connection is None:
        return redirect(HOME)
    try:
        name = account.test(connection=connection, actor=Actor.user(request.user))
    except ProviderError as error:
        messages.error(request, words.error(error.code))
    else:
        messages.success(request, f"{name} answers, and all that you chose is there.")
    return redirect(HOME)


@require_http_methods(_BOTH)
@access.require(_MAY)
def disconnect(request: StaffRequest) -> HttpResponse:
    connection = account.of(request.practice)
    if connection is None:
        return redirect(HOME)
    if request.method != "POST":
        return render(request, "integrations/microsoft/disconnect.html", {"connection": connection})
    account.disconnect(connection=connection, actor=Actor.user(request.user))
    messages.success(request, "Microsoft Bookings is disconnected. Its appointments stay.")
    return redirect(HOME)


def _not_connected(request: StaffRequest, code: str, message: str = "") -> HttpResponse:
    known = code in words.SIGN_IN or code in words.ERRORS
    messages.error(request, words.sign_in(code) if known or not message else message)
    return redirect(HOME)


def _people(connection: Connection | None) -> list[tuple[str, str]]:
    """Our diaries and the last known names of who they are in Bookings."""
    if connection is None:
        return []
    names: dict[str, str] = connection.settings.get("staff_names") or {}
    ours = {each.public_id: each.name for each in connection.practice.diaries.all()}
    return sorted(
        (ours.get(diary, "A diary that is no longer there"), names.get(person, "Somebody"))
        for person, diary in (connection.settings.get("diaries") or {}).items()
    )
