"""Speaks Acuitas, as its connector's folder writes its wire format down."""

from aiohttp import web

routes = web.RouteTableDef()
