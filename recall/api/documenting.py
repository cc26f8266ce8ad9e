"""Pieces of the recall operations' OpenAPI annotations, and of reading their requests."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from sightsync.lib import ids

PATIENT = "pat_01KKDW5T0R2Y4Z6A8P1B3S5D7F"
CALL = "c_01KKE70B5Q3S8V1X6Z9C2N4M7K"
APPOINTMENT = "apt_01KKE7AHW2B4C6D8E0F1G3H5J7"
CAMPAIGN = "cmp_01KKE6TM9N1P3Q5R7S8T0V2W4X"
RECALL = "rec_01KKE6TP1A3B5C7D9E0F2G4H6J"


def key_of(prefix: str, text: str) -> UUID:
    """The key in a path; a malformed one is the same 404 as one that does not exist."""
    try:
        return ids.decode(prefix, text)
    except ids.BadId:
        raise Http404 from None


def sent(value: object, name: str = "Request") -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def given(value: object, status: str = "200", name: str = "Answer") -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[status])


def error(description: str) -> OpenApiResponse:
    """An answer that is an error; its documented bodies are examples of that status."""
    return OpenApiResponse({"$ref": "#/components/schemas/Error"}, description=description)


NO_PATIENT = error("The practice has no such patient, or no such call.")
