"""Speaks Microsoft: tokens, and Bookings over Graph."""

from aiohttp import web

routes = web.RouteTableDef()
