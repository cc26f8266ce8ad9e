"""Opens a practice: its owner, a first diary and an API key with every scope."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from practices import api_keys
from practices.journal import Actor
from practices.models import Mode, Plan
from recall import opening
from sightsync.lib.errors import AppError

_ACTOR = Actor.operator("create_practice")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="The practice's name, as patients know it.")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--plan", default=Plan.GROWTH, help=", ".join(Plan.values))
        parser.add_argument("--mode", default=Mode.SANDBOX, help=", ".join(Mode.values))
        parser.add_argument("--json", action="store_true", help="Print one line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                opened = opening.open_practice(
                    name=options["name"],
                    owner_email=options["owner"],
                    plan=options["plan"],
                    mode=options["mode"],
                    actor=_ACTOR,
                )
                _, key = api_keys.create(
                    practice=opened.practice,
                    name="First key",
                    scopes=api_keys.SCOPES,
                    actor=_ACTOR,
                )
        except AppError as error:
            raise CommandError(error.message) from error
        facts = {
            "practice_id": opened.practice.public_id,
            "owner_email": opened.owner.email,
            "owner_password": opened.password,
            "api_key": key,
        }
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        for label, value in facts.items():
            self.stdout.write(f"{label.replace('_', ' ').capitalize():<16} {value}")
        self.stdout.write("The password and the key are shown this once only.")
