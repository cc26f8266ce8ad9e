"""Opening a practice and letting people into it.

Diaries and everything else that recalls need are made one floor up (`recall.opening`).
"""

import secrets
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from practices import journal, pretend_numbers
from practices.journal import Actor
from practices.models import Membership, Mode, Plan, Practice, Role, User
from sightsync.lib import clock
from sightsync.lib.errors import AppError

# Without 0/o, 1/l/i: the password is read from a terminal and typed.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Opened:
    practice: Practice
    owner: User
    password: str


def random_password() -> str:
    """Four groups of four: 79 bits, and easy to type."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def create_practice(
    *,
    name: str,
    owner_email: str,
    actor: Actor,
    plan: str = Plan.GROWTH,
    mode: str = Mode.SANDBOX,
    owner_password: str | None = None,
) -> Opened:
    """A practice and its owner, who can sign in at once. Raises AppError and then wrote nothing.

    A sandbox practice gets a number for fiction to call from; a live one brings its own.
    """
    name = name.strip()
    if not name or len(name) > 120:
        raise AppError("bad_name", "Give the practice a name of up to 120 characters.")
    _one_of(plan, Plan.values, "bad_plan", "plan")
    _one_of(mode, Mode.values, "bad_mode", "mode")
    with transaction.atomic():
        number = pretend_numbers.unused() if mode == Mode.SANDBOX else ""
        practice = Practice.objects.create(
            name=name,
            plan=plan,
            mode=mode,
            phone_number=number,
            caller_number=number,
            whatsapp_number=number,
            created_at=clock.now(),
        )
        journal.record(
            practice=practice,
            action="practice.created",
            actor=actor,
            subject=practice,
            facts={"plan": plan, "mode": mode},
        )
        owner, password = add_person(
            practice=practice,
            email=owner_email,
            role=Role.OWNER,
            actor=actor,
            password=owner_password,
        )
    return Opened(practice, owner, password)


def add_person(
    *,
    practice: Practice,
    email: str,
    role: str,
    actor: Actor,
    full_name: str = "",
    password: str | None = None,
) -> tuple[User, str]:
    """A new account with a place in the practice, and its password. Raises AppError.

    The address counts as verified: whoever adds a person hands over the password themselves.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise AppError(
            "bad_email", f"{email[:80]!r} is not an email address: write it like name@example.org."
        ) from error
    _one_of(role, Role.values, "bad_role", "role")
    if User.objects.filter(email=email).exists():
        raise AppError(
            "person_exists", f"{email} already has an account: use another email address."
        )
    password = password or random_password()
    with transaction.atomic():
        user = User.objects.create_user(email, password, full_name=full_name)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        place = Membership.objects.create(practice=practice, user=user, role=role)
        journal.record(
            practice=practice,
            action="person.added",
            actor=actor,
            facts={"user": str(user.pk), "role": place.role},
        )
    return user, password


def _one_of(value: str, allowed: list[str], code: str, what: str) -> None:
    if value not in allowed:
        raise AppError(code, f"{value[:40]!r} is not a {what}: choose one of {', '.join(allowed)}.")
