"""postman: writes docs/sightsync.postman_collection.json from the OpenAPI document."""

from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from sightsync.lib.api import postman, schema

FILE = Path(settings.BASE_DIR) / "docs" / "sightsync.postman_collection.json"


class Command(BaseCommand):
    help = "Writes the Postman collection of the public API from its OpenAPI document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=FILE)

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        target.write_text(postman.text(orjson.loads(schema.document())))
        self.stdout.write(f"Wrote {target}")
