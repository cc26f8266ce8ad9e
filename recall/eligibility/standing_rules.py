"""The rules about who the patient is, what they and the practice have decided, and what the number
or address allows. Most stay as they are until somebody changes a record. Pure.
"""

from datetime import timedelta

from recall.eligibility import words
from recall.eligibility.case import BY_NUMBER, EMAIL, RECALLS, TEXTS, VOICE, Case, Kind, Rule, said
from recall.eligibility.facts import PHONE_KINDS, REGISTER_DAYS

# What ends by itself very soon, at an instant nobody knows, is asked about again after this.
MOMENTS = timedelta(minutes=5)

PAID = frozenset({"trialing", "active"})


def _suppressed(case: Case) -> bool:
    return case.channel.value in case.facts.suppressed_on


def _register_age(case: Case) -> int | None:
    registered = case.policy.register_date
    return None if registered is None else (case.today - registered).days


def _register_is_stale(case: Case) -> bool:
    age = _register_age(case)
    return age is not None and age > REGISTER_DAYS


def _listed_on(case: Case) -> str:
    names = {1: "TPS", 2: "CTPS", 3: "TPS and the CTPS"}
    return f"The number is on the {names.get(case.facts.tps_listing or 0, 'register')}."


STANDING_RULES: tuple[Rule, ...] = (
    Rule(
        "subscription_inactive",
        402,
        Kind.HELD,
        lambda case: case.policy.subscription_status not in PAID,
        lambda case: f"The subscription is {case.policy.subscription_status.replace('_', ' ')}.",
        "The subscription is in order.",
        purposes=RECALLS,
    ),
    Rule(
        "contact_stopped",
        409,
        Kind.HELD,
        lambda case: case.policy.contact_stopped,
        said("The practice has stopped all contact."),
        "The practice has not stopped contact.",
    ),
    Rule(
        "erased",
        409,
        Kind.LASTING,
        lambda case: case.facts.erased,
        said("The record has been erased."),
        "The record has not been erased.",
    ),
    Rule(
        "deceased",
        409,
        Kind.LASTING,
        lambda case: case.facts.deceased,
        said("The patient is recorded as deceased."),
        "The patient is not recorded as deceased.",
    ),
    Rule(
        "archived",
        409,
        Kind.LASTING,
        lambda case: case.facts.archived,
        said("The record is archived."),
        "The record is not archived.",
    ),
    Rule(
        "opted_out",
        409,
        Kind.LASTING,
        lambda case: case.facts.opted_out,
        said("The patient has opted out of all contact."),
        "The patient has not opted out.",
    ),
    Rule(
        "opted_out_of_channel",
        409,
        Kind.LASTING,
        lambda case: case.channel.value in case.facts.opted_out_of,
        lambda case: f"The patient has opted out of {words.channel(case.channel)}.",
        "The patient has not opted out of this channel.",
    ),
    Rule(
        "suppressed",
        409,
        Kind.LASTING,
        _suppressed,
        said("Somebody with this number or address has asked not to be contacted."),
        "The number or address is not on the practice's suppression list.",
    ),
    Rule(
        "channel_off",
        409,
        Kind.LASTING,
        lambda case: case.channel not in case.policy.channels_on,
        lambda case: f"The practice does not use {words.channel(case.channel)}.",
        "The practice uses this channel.",
        purposes=RECALLS,
    ),
    Rule(
        "no_number",
        422,
        Kind.LASTING,
        lambda case: not case.facts.phone_kind,
        said("There is no phone number."),
        "There is a phone number.",
        channels=BY_NUMBER,
    ),
    Rule(
        "wrong_number",
        422,
        Kind.LASTING,
        lambda case: case.facts.phone_is_wrong,
        said("Somebody else answered at this number."),
        "The number is not known to be wrong.",
        channels=BY_NUMBER,
    ),
    Rule(
        "number_type",
        422,
        Kind.LASTING,
        lambda case: case.facts.phone_kind not in PHONE_KINDS,
        said("Numbers of this type are not rung."),
        "The number is of a type that can be rung.",
        channels=VOICE,
    ),
    Rule(
        "not_a_mobile",
        422,
        Kind.LASTING,
        lambda case: bool(case.facts.phone_kind) and case.facts.phone_kind != "mobile",
        said("The number is not a mobile."),
        "The number is a mobile.",
        channels=TEXTS,
    ),
    Rule(
        "drama_number",
        422,
        Kind.LASTING,
        lambda case: case.policy.live and case.facts.phone_is_drama,
        said("The number is reserved for fiction and is nobody's."),
        "The number is not one reserved for fiction, or this is the sandbox.",
        channels=BY_NUMBER,
    ),
    Rule(
        "no_email",
        422,
        Kind.LASTING,
        lambda case: not case.facts.has_email,
        said("There is no email address."),
        "There is an email address.",
        channels=EMAIL,
    ),
    Rule(
        "email_bounced",
        422,
        Kind.LASTING,
        lambda case: case.facts.email_bounced,
        said("The last email came back."),
        "No email has come back.",
        channels=EMAIL,
    ),
    Rule(
        "tps_listed",
        451,
        Kind.LASTING,
        lambda case: bool(case.facts.tps_listing),
        _listed_on,
        "The number is on neither the TPS nor the CTPS.",
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "tps_register_missing",
        451,
        Kind.HELD,
        lambda case: case.policy.register_date is None,
        said("No TPS register is loaded, so the number cannot be screened."),
        "A TPS register is loaded.",
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "tps_register_stale",
        451,
        Kind.HELD,
        _register_is_stale,
        lambda case: (
            f"The TPS register is {_register_age(case)} days old; {REGISTER_DAYS} are allowed."
        ),
        f"The TPS register is at most {REGISTER_DAYS} days old.",
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "tps_register_being_applied",
        451,
        Kind.PASSING,
        lambda case: case.policy.register_being_applied,
        said("A new TPS register is being applied to the patients."),
        "Every patient has been screened against the register.",
        passes_at=lambda case: case.now + MOMENTS,
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "tps_not_screened",
        451,
        Kind.HELD,
        lambda case: (
            case.policy.register_date is not None
            and bool(case.facts.phone_kind)
            and case.facts.tps_listing is None
        ),
        said("The number has not been screened against the present TPS register."),
        "The number has been screened.",
        channels=VOICE,
        purposes=RECALLS,
    ),
)
