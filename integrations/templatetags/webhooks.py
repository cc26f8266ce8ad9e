"""Puts the words of `integrations.webhooks.words` on the page, and the banner of webhooks that were
turned off.
"""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import selectors, words
from practices.templatetags.ui import pill

register = template.Library()


@register.simple_tag
def delivery_pill(row: WebhookDelivery) -> SafeString:
    word, tone = words.STATES[row.state]
    return pill(word, tone, live=row.state == "sending")


@register.simple_tag
def endpoint_pill(row: WebhookEndpoint) -> SafeString:
    found = words.standing(row)
    return pill(found.word, found.tone)


@register.filter
def why_off(row: WebhookEndpoint) -> str:
    return words.standing(row).why


@register.filter
def error_words(code: str) -> str:
    return words.error(code)


@register.filter
def state_word(state: str) -> str:
    return words.STATES[state][0]


@register.inclusion_tag("components/_webhook_banner.html", takes_context=True)
def webhook_banner(context: dict[str, Any]) -> dict[str, Any]:
    """For those who can do something about it; nothing while all is well."""
    practice = context.get("practice")
    if practice is None or "developer.manage" not in context.get("permissions", ()):
        return {"off": []}
    return {"off": selectors.turned_off_by_us(practice)}
