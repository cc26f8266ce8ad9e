"""Speaks Google: OAuth, the list of calendars, free and busy times, events."""

from aiohttp import web

from integrations.sandbox import google_control, google_events, google_pages, google_signin

routes: list[web.AbstractRouteDef] = [
    *google_signin.routes,
    *google_events.routes,
    *google_control.routes,
    *google_pages.routes,
]
