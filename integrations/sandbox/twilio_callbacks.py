"""Posts to the product as Twilio does: signed form posts, to the address that was given.

It must not decide what to tell; calls and messages do.
"""

import logging

from aiohttp import ClientError, ClientTimeout
from yarl import URL

from integrations.sandbox.resources import Call, Message
from integrations.sandbox.world import World
from integrations.twilio.signature import sign

logger = logging.getLogger(__name__)
PATIENCE_S = 15
"""Real seconds that Twilio waits for an answer."""


async def post(
    world: World, *, account_sid: str, url: str, params: dict[str, str]
) -> tuple[int, str]:
    """Status and body of the product's answer; status 0 when there was none."""
    if world.http is None:
        return 0, ""
    token = world.tokens.get(account_sid, world.config.auth_token)
    headers = {
        "X-Twilio-Signature": sign(url=url, params=params, token=token),
        "User-Agent": "TwilioProxy/1.1",
    }
    try:
        # As it was signed: aiohttp would otherwise tidy up the address.
        async with world.http.post(
            URL(url, encoded=True),
            data=params,
            headers=headers,
            timeout=ClientTimeout(total=PATIENCE_S),
        ) as answer:
            return answer.status, await answer.text()
    except (TimeoutError, ClientError, ValueError) as error:
        logger.warning("callback not answered: %s", type(error).__name__)
        return 0, ""


async def tell(
    world: World, thing: Call | Message, *, url: str, params: dict[str, str], final: bool
) -> None:
    """Tell a status, in the way that the fault set for this call or message wants it."""
    if not url or thing.callback_mode == "callbacks_off":
        return
    if thing.callback_mode == "reorder_callbacks":
        thing.held.append(params)
        due = list(reversed(thing.held)) if final else []
    else:
        due = [params] * (2 if thing.callback_mode == "duplicate_callbacks" else 1)
    for each in due:
        await post(world, account_sid=thing.account_sid, url=url, params=each)
