"""Keeps a reading of many pages from never ending: one that comes round again, or has no end."""

from integrations.pms.wire import broken

MOST_PAGES = 5000


class Walk:
    """One list of one connector. A page may be asked for again; an earlier one must not follow."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._pages = 0

    def begins(self, cursor: str) -> None:
        """Before a page is asked for. Raises ProviderError past any believable number of pages."""
        if not cursor:
            self._asked, self._pages = set(), 0
        self._asked.add(cursor)
        self._pages += 1
        if self._pages > MOST_PAGES:
            raise broken()

    def follows(self, cursor: str, *, rows: int) -> str:
        """The cursor of the next page. Raises ProviderError when it was asked for already, or when
        it follows a page with nothing on it.
        """
        if cursor and (cursor in self._asked or rows == 0 or len(cursor) > 400):
            raise broken()
        return cursor
