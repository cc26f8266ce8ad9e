"""Recall: the campaigns, choosing patients with a dry run, starting once, and the progress."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from recall import selectors
from recall.campaigns import goal, preview, reading, run, selection
from recall.campaigns.grammar_text import MAX_LETTERS
from recall.campaigns.reading import ADDED
from recall.models import Campaign, CampaignState
from recall.views.choosing import ChoiceForm, GoalForm, form_of, query_of
from recall.wording import rule_words
from sightsync.lib import ids, spreadsheet
from sightsync.lib.errors import AppError

PAGE_SIZE = 50
PREVIEW_ROWS = 40


def _load(request: StaffRequest, campaign_id: str) -> Campaign:
    rows = Campaign.objects.filter(practice=request.practice).select_related("started_by")
    return access.load(rows, campaign_id)


@require_safe
@access.require("recall.view")
def index(request: StaffRequest) -> HttpResponse:
    page = Paginator(selectors.campaigns(request.practice), PAGE_SIZE)
    context = {"page": page.get_page(request.GET.get("page"))}
    return render(request, "recall/campaigns.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("recall.start")
def choose(request: StaffRequest) -> HttpResponse:
    """A goal in words, its filters, and under them the dry run of what they choose. Changes
    nothing: a goal that is sent becomes the address of its filters.
    """
    if request.method == "POST":
        return _read_goal(request)
    return _choosing(request, ChoiceForm(request.GET or None))


def _read_goal(request: StaffRequest) -> HttpResponse:
    said = GoalForm(request.POST)
    if not said.is_valid():
        return _not_understood(request, said, ChoiceForm(None), [])
    found = goal.read(said.cleaned_data["goal"])
    if found.choice is None:
        said.add_error("goal", goal.refusal(found))
        return _not_understood(request, said, form_of(found.partly), list(found.understood))
    added = dict(found.understood).get(ADDED)
    if added:
        messages.warning(request, f"{ADDED}: {added}. Check it before you start.")
    return redirect(f"{reverse('recall:new')}?{query_of(found.choice)}")


def _not_understood(
    request: StaffRequest, said: GoalForm, form: ChoiceForm, understood: list[tuple[str, str]]
) -> HttpResponse:
    """The filters hold what was understood, to be corrected; nothing can be started from here."""
    context = {"goal_form": said, "form": form, "words": understood}
    return render(request, "recall/new.html", context, status=422)


def _choosing(request: StaffRequest, form: ChoiceForm, status: int = 200) -> HttpResponse:
    choice = form.choice()
    seen = preview.of(practice=request.practice, choice=choice) if choice else None
    said = reading.sentence(choice) if choice and form.is_bound else ""
    context = {
        "goal_form": GoalForm(initial={"goal": said if len(said) <= MAX_LETTERS else ""}),
        "form": form,
        "seen": seen,
        "words": selection.words(choice) if choice else [],
        "name": form.name_of(choice) if choice else "",
        "shown": seen.rows if seen and "all" in request.GET else seen and seen.rows[:PREVIEW_ROWS],
        "start_token": ids.new(),
    }
    return render(request, "recall/new.html", context, status=status)


@require_POST
@access.require("recall.start")
def start(request: StaffRequest) -> HttpResponse:
    """The filters are in the address; the form adds its token: pressing twice starts once."""
    form = ChoiceForm(request.GET or None)
    choice, token = form.choice(), _token(request.POST.get("start_token", ""))
    if choice is None or token is None:
        return _choosing(request, form, status=400)
    try:
        campaign = run.start(
            practice=request.practice,
            choice=choice,
            name=request.POST.get("name", "").strip()[:120] or form.name_of(choice),
            start_token=token,
            user=request.user,
            actor=Actor.user(request.user),
        )
    except AppError as error:
        messages.error(request, error.message)
        return _choosing(request, form, status=error.status)
    return redirect("recall:campaign", campaign.public_id)


def _token(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_safe
@access.require("recall.start")
def download(request: StaffRequest) -> HttpResponse:
    """The dry run as CSV: everybody chosen, taken in or left out, with the reason."""
    choice = ChoiceForm(request.GET or None).choice()
    if choice is None:
        return redirect("recall:new")
    table: list[tuple[str, ...]] = [("Patient", "PMS id", "Due", "Contacted", "Why not")]
    for row in preview.of(practice=request.practice, choice=choice).rows:
        why = "; ".join(rule_words(code, passed=False) for code in row.codes)
        due = row.patient.next_clinical_due_date.isoformat()
        who = row.patient
        table.append((who.full_name, who.external_id, due, row.fate.value, why))
    answer = HttpResponse(spreadsheet.to_csv(table), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="recall-preview.csv"'
    return answer


@require_safe
@access.require("recall.view")
def show(request: StaffRequest, campaign_id: str) -> HttpResponse:
    campaign = _load(request, campaign_id)
    return render(request, "recall/campaign.html", _progress(request, campaign))


@require_safe
@access.require("recall.view")
def progress(request: StaffRequest, campaign_id: str) -> HttpResponse:
    """The part of a campaign's page that changes by itself."""
    campaign = _load(request, campaign_id)
    answer = render(request, "recall/_campaign_live.html", _progress(request, campaign))
    if campaign.state != CampaignState.RUNNING:
        answer["HX-Refresh"] = "true"  # its buttons are other ones now
    return answer


def _progress(request: StaffRequest, campaign: Campaign) -> dict[str, object]:
    state = request.GET.get("state", "")
    rows = Paginator(selectors.campaign_episodes(campaign, state), PAGE_SIZE)
    page = rows.get_page(request.GET.get("page"))
    latest = selectors.latest_attempts(page.object_list)
    return {
        "campaign": campaign,
        "progress": selectors.progress(campaign),
        "page": page,
        "rows": [
            (row, latest.get(row.pk), selectors.next_moment(row, latest.get(row.pk)))
            for row in page.object_list
        ],
        "state": state,
        "left_out": selectors.left_out(campaign),
        "words": selection.words(selection.Choice.from_json(campaign.filters)),
    }


@require_POST
@access.require("recall.control")
def pause(request: StaffRequest, campaign_id: str) -> HttpResponse:
    campaign = _load(request, campaign_id)
    run.pause(campaign=campaign, actor=Actor.user(request.user))
    messages.success(request, "Paused. Calls under way finish; nothing new starts.")
    return redirect("recall:campaign", campaign.public_id)


@require_POST
@access.require("recall.control")
def resume(request: StaffRequest, campaign_id: str) -> HttpResponse:
    campaign = _load(request, campaign_id)
    run.resume(campaign=campaign, actor=Actor.user(request.user))
    messages.success(request, "Running again. Every rule is checked anew before each call.")
    return redirect("recall:campaign", campaign.public_id)


@require_safe
@access.require("recall.control")
def ask_stop(request: StaffRequest, campaign_id: str) -> HttpResponse:
    campaign = _load(request, campaign_id)
    context = {"campaign": campaign, "progress": selectors.progress(campaign)}
    return render(request, "recall/campaign_stop.html", context)


@require_POST
@access.require("recall.control")
def stop(request: StaffRequest, campaign_id: str) -> HttpResponse:
    campaign = _load(request, campaign_id)
    run.stop(campaign=campaign, actor=Actor.user(request.user))
    messages.success(request, "Stopped. Nothing more leaves for these patients.")
    return redirect("recall:campaign", campaign.public_id)
