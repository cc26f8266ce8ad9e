"""Finds the view of an API path at once. Django tries one pattern after the other, floor by floor,
which takes as long as many an endpoint; the patterns themselves stay in the URL configuration.
"""

from collections.abc import Iterator
from functools import lru_cache

from django.urls import ResolverMatch, URLPattern, URLResolver, get_resolver, resolve
from django.urls.resolvers import RoutePattern

ROOT = "api/"
_WORD = 3
"""Where in `/api/v1/patients/...`, cut at its slashes, the word is that tells the routes apart."""


def find(path: str) -> ResolverMatch:
    """What `django.urls.resolve` finds. Raises Http404."""
    return _find(get_resolver(), path)


@lru_cache(maxsize=1024)
def _find(root: URLResolver, path: str) -> ResolverMatch:
    """Remembered, for most requests are for the same few paths; whoever gets it changes nothing."""
    parts = path.split("/", _WORD + 1)
    if len(parts) > _WORD:
        for pattern in _by_word(root).get(parts[_WORD], ()):
            if found := pattern.resolve(path[1:]):
                return found
    return resolve(path)


@lru_cache(maxsize=8)
def _by_word(root: URLResolver) -> dict[str, list[URLPattern]]:
    """The patterns under ROOT in their order, each with its whole route, by their third word."""
    found: dict[str, list[URLPattern]] = {}
    for pattern in _flat(root, ""):
        parts = str(pattern.pattern).split("/", _WORD)
        if len(parts) < _WORD or parts[0] + "/" != ROOT:
            continue
        if "<" in "".join(parts[:_WORD]):  # a route by no fixed word may come before any other
            return {}
        found.setdefault(parts[_WORD - 1], []).append(pattern)
    return found


def _flat(resolver: URLResolver, base: str) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        route = base + str(pattern.pattern)
        if not isinstance(pattern.pattern, RoutePattern):
            continue  # left to Django
        if isinstance(pattern, URLResolver):
            yield from _flat(pattern, route)
        else:
            whole = RoutePattern(route, name=pattern.name, is_endpoint=True)
            yield URLPattern(whole, pattern.callback, pattern.default_args, pattern.name)
