"""Puts the sandbox's servers on loopback: HTTP on one port, mail on the next."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from aiohttp import ClientSession, TCPConnector, web
from django.conf import settings

from integrations.sandbox import (
    acuitas,
    control,
    google,
    graph,
    graph_control,
    graph_signin,
    llm,
    mail,
    optisoft,
    optix,
    phone,
    pms_control,
    twilio_api,
    twilio_numbers,
    wire,
)
from integrations.sandbox.world import WORLD, Config, World
from integrations.twilio import client

HOST = "127.0.0.1"
LARGEST_REQUEST = 2 * 1024 * 1024


def config_from_settings() -> Config:
    account = client.account_for(sandbox=True)
    return Config(
        account_sid=account.sid,
        auth_token=account.token,
        public_base_url=settings.PUBLIC_BASE_URL,
        speed=float(settings.SANDBOX_SPEED),
    )


def build(world: World) -> web.Application:
    app = web.Application(middlewares=[wire.provider], client_max_size=LARGEST_REQUEST)
    app[WORLD] = world
    for module in (
        twilio_api,
        twilio_numbers,
        llm,
        google,
        graph,
        graph_signin,
        graph_control,
        optix,
        acuitas,
        optisoft,
        pms_control,
        control,
        phone,
    ):
        app.add_routes(module.routes)
    app.add_routes([web.static("/static", settings.BASE_DIR / "static")])
    return app


@contextlib.asynccontextmanager
async def running(config: Config, *, port: int) -> AsyncIterator[World]:
    """The servers, up while the block runs."""
    world = World(config)
    # No cookies, no proxies, and no connection kept: a worker of the product may die under it.
    connector = TCPConnector(force_close=True, limit=0)
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=1)
    async with ClientSession(connector=connector, trust_env=False) as http:
        world.http = http
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        smtp = await mail.listen(world, port + 1)
        try:
            yield world
        finally:
            await world.reset()
            await mail.stop(smtp)
            await runner.cleanup()


async def serve(
    config: Config, *, port: int, stop: asyncio.Event, on_ready: Callable[[], None]
) -> None:
    """Serve until `stop` is set."""
    async with running(config, port=port):
        on_ready()
        await stop.wait()
