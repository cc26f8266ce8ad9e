"""Every field of patients that could hold personal data is in the inventory, and nothing else
is.
"""

from django.apps import apps
from django.db import models

from patients.personal_data import INVENTORY

COULD_BE_PERSONAL = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
    models.FileField,
)


def holds(field: models.Field) -> bool:
    """Text, JSON, bytes, lists of them, and plain dates; not times, which are our own."""
    if isinstance(field, COULD_BE_PERSONAL) or hasattr(field, "base_field"):
        return True
    return isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)


def test_every_field_that_could_be_personal_is_in_the_inventory() -> None:
    found = {
        model.__name__: {field.name for field in model._meta.concrete_fields if holds(field)}
        for model in apps.get_app_config("patients").get_models()
    }
    assert found == {model: set(fields) for model, fields in INVENTORY.items()}
