"""The API's short way in: the same views as Django would find, and nothing left lying about."""

import gc
import re

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import get_resolver, resolve

from practices.api_access import NothingHere
from sightsync.lib.api import routes
from sightsync.middleware import ApiGate
from tests.api.conftest import ApiClient
from tests.routes import every

PATHS = [
    "/" + re.sub(r"<[^>]*>", "some-id", route.path)
    for route in every()
    if route.path.startswith("api/v1/")
]


@pytest.mark.parametrize("path", PATHS)
def test_each_path_leads_where_django_would_go(path: str) -> None:
    found, wanted = routes.find(path), resolve(path)
    assert found.func is wanted.func
    assert (found.args, found.kwargs, found.route) == (wanted.args, wanted.kwargs, wanted.route)


def test_each_path_is_found_without_trying_the_others() -> None:
    known = routes._by_word(get_resolver())
    assert sum(len(patterns) for patterns in known.values()) == len(PATHS)


@pytest.mark.parametrize(
    "path", ["/api/v1/patients/", "/api/v1/", "/api/v2/patients", "/api/v1/patients/a/b/c", "/api/"]
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert getattr(routes.find(path).func, "cls", None) is NothingHere


def test_beyond_the_api_a_wrong_path_is_a_404() -> None:
    with pytest.raises(Http404):
        routes.find("/nothing/here")


@pytest.mark.parametrize("path", ["/usage", "/patients", "/nothing"])
def test_a_request_leaves_nothing_to_the_garbage_collector(api: ApiClient, path: str) -> None:
    def ask() -> None:
        request = RequestFactory().get(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {api.plain}"}
        )
        assert gate(request).status_code in (200, 404)

    gate = ApiGate(_nobody)
    ask()
    gc.collect()
    gc.disable()
    try:
        ask()
        assert gc.collect() == 0
    finally:
        gc.enable()


def _nobody(request: HttpRequest) -> HttpResponse:
    raise AssertionError("the gate lets nothing of the API past")
