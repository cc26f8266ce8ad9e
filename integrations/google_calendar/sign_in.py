"""The sign-in that is under way: bound to this browser's session, this person, this practice.

It is used once. What comes back with another state, or too late, starts nothing.
"""

import hmac
from datetime import datetime, timedelta

from integrations.google_calendar import oauth
from practices.access import StaffRequest
from sightsync.lib import clock, crypto

KEY = "google_sign_in"
LIFE = timedelta(minutes=10)


def begin(request: StaffRequest, app: oauth.App, *, hint: str = "") -> str:
    """The address to send the person to."""
    state, verifier = crypto.random_token(), oauth.new_verifier()
    request.session[KEY] = {
        "state": state,
        "verifier": verifier,
        "user": str(request.user.pk),
        "practice": str(request.practice.pk),
        "until": (clock.now() + LIFE).isoformat(),
    }
    return oauth.authorize_url(app, state=state, verifier=verifier, hint=hint)


def finish(request: StaffRequest, state: str) -> str | None:
    """The verifier of the sign-in that the state belongs to; None when it is not this one's."""
    begun = request.session.get(KEY)
    if not begun or not hmac.compare_digest(str(begun["state"]), state):
        return None
    del request.session[KEY]
    mine = begun["user"] == str(request.user.pk) and begun["practice"] == str(request.practice.pk)
    in_time = clock.now() <= datetime.fromisoformat(begun["until"])
    return str(begun["verifier"]) if mine and in_time else None
