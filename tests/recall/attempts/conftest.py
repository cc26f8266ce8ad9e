"""Fixtures of the engine's tests."""

import pytest


@pytest.fixture
def carrier(sandbox, live_server, settings):
    """The sandbox, whose callbacks reach the product's own web server."""
    settings.PUBLIC_BASE_URL = live_server.url
    settings.CARRIER_CALL_SPACING_S = 0.0
    return sandbox
