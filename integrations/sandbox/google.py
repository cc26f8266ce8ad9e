"""Speaks Google: OAuth, the list of calendars, free and busy times, events."""

from aiohttp import web

routes = web.RouteTableDef()
