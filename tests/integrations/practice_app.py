"""A practice in miniature: answers the sandbox's callbacks with TwiML and has a booking page.

It keeps what it was told, checks every signature, and knows nothing of the product.
"""

import html
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, parse_qsl, urlsplit

from integrations.twilio.signature import verify

GATHER = (
    '<Response><Gather input="speech dtmf" action="{action}" timeout="4" numDigits="1"'
    ' actionOnEmptyResult="true"><Say>{say}</Say></Gather><Redirect>{action}</Redirect></Response>'
)
SAY = "<Response><Say>{say}</Say><Hangup/></Response>"
IDENTITY = "Hello, this is Acuity Opticians. Am I speaking with Tom? Press 1 for yes, 2 for no."
OFFER = (
    "I can offer: press 1 for Tuesday 24 November at 2:30pm, press 2 for Wednesday 25 November"
    " at 9am, press 4 for other days."
)
LATER = "I can offer: press 1 for Monday 30 November at 10am, press 4 for other days."
READ_BACK = "That is Tuesday 24 November at 2:30pm. Shall I book it?"
CALL_BACK = "When should we call you back?"
BOOKED = "You are booked for Tuesday 24 November at 2:30pm. Goodbye."
STOPPED = "We will not call you again. Goodbye."
MOST_TURNS = 8


class PracticeApp:
    """What it heard is in `posts` (path and form); `bookings` counts the booking page's posts."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.posts: list[tuple[str, dict[str, str]]] = []
        self.unsigned = 0
        self.bookings = 0
        self.opened: list[str] = []
        self.voice = ""
        self.inbound_answer = "<Response/>"
        self.taken = 0
        self.url = ""
        self._stage: dict[str, str] = {}
        self._turns: dict[str, int] = {}

    def told(self, path: str, field: str) -> list[str]:
        return [form.get(field, "") for where, form in self.posts if where == path]

    def answer(self, path: str, form: dict[str, str]) -> str:
        if path == "/voice":
            self._stage[form["CallSid"]] = "identity"
            return self.voice or GATHER.format(action="/turn", say=IDENTITY)
        if path == "/turn":
            return self._turn(form)
        if path.startswith("/hooks/twilio/inbound"):
            return self.inbound_answer
        return ""

    def _turn(self, form: dict[str, str]) -> str:
        sid = form["CallSid"]
        self._turns[sid] = self._turns.get(sid, 0) + 1
        if self._turns[sid] > MOST_TURNS:
            return SAY.format(say="Goodbye.")
        heard = form.get("SpeechResult", "").lower()
        if float(form.get("Confidence") or 1) < 0.5:
            heard = ""
        stage, say = self._decide(self._stage.get(sid, "identity"), heard, form.get("Digits", ""))
        self._stage[sid] = stage
        if stage == "over":
            return SAY.format(say=html.escape(say))
        return GATHER.format(action="/turn", say=html.escape(say))

    def _decide(self, stage: str, heard: str, key: str) -> tuple[str, str]:
        for words, result in (
            ("stop calling", ("over", STOPPED)),
            ("wrong number", ("over", "Sorry to have troubled you. Goodbye.")),
            ("flashes", ("over", "Ring us or 111 now. Goodbye.")),
            ("ring me back", ("call_back", CALL_BACK)),
        ):
            if words in heard:
                return result
        if key == "9":
            return "over", STOPPED
        if stage == "call_back":
            return "over", f"We will ring {heard}. Goodbye."
        return (
            ("over", "That is fine. Goodbye.") if heard[:2] == "no" else self._on(stage, heard, key)
        )

    def _on(self, stage: str, heard: str, key: str) -> tuple[str, str]:
        if stage == "identity":
            return ("offer", OFFER) if "yes" in heard or key == "1" else (stage, IDENTITY)
        if stage == "offer" and ("another day" in heard or key == "4"):
            return "offer", LATER
        if stage == "offer":
            chosen = "first one" in heard or key == "1"
            return ("read_back", READ_BACK) if chosen else (stage, OFFER)
        said_yes = "yes please" in heard or key == "1"
        return ("over", BOOKED) if said_yes else (stage, READ_BACK)

    def page(self, path: str, query: dict[str, list[str]]) -> str:
        self.opened.append(path)
        if "time" in query:
            return (
                "<h1>Is this right, Tom?</h1><a href='?'>Choose a different time</a>"
                '<form method="post"><input type="hidden" name="csrf" value="c1">'
                f'<input type="hidden" name="time" value="{html.escape(query["time"][0])}">'
                '<button type="submit">Book Tuesday at 2:30pm</button></form>'
            )
        if "day" in query:
            return (
                '<h1>Tuesday 24 November</h1><form method="get"><fieldset>'
                '<input type="radio" name="time" value="14:30"><input type="radio" name="time"'
                ' value="15:00"></fieldset><button>Choose this time</button></form>'
            )
        return (
            "<h1>Tom, choose a day for your eye examination</h1>"
            '<form method="post" action="/o/tok"><button>Stop messages</button></form>'
            '<a href="?day=2026-11-24">Tuesday 24 November<span>6 times</span></a>'
            '<a href="/o/tok">Stop messages from Acuity Opticians</a>'
        )

    def booked(self, form: dict[str, str]) -> str:
        if self.taken:
            self.taken -= 1
            return self.page("/again", {"day": ["2026-11-24"]})
        self.bookings += 1
        return f"<h1>You are booked, Tom</h1><p>{html.escape(form['time'])}</p>"


@contextmanager
def running(token: str) -> Iterator[PracticeApp]:
    app = PracticeApp(token)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._send(app.page(parts.path, parse_qs(parts.query)), "text/html")

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"] or 0)
            form = dict(parse_qsl(self.rfile.read(size).decode(), keep_blank_values=True))
            if self.path.startswith("/b/"):
                has_token = "csrf=c1" in self.headers.get("Cookie", "") and form["csrf"] == "c1"
                self._send(app.booked(form) if has_token else "<h1>Forbidden</h1>", "text/html")
                return
            signature = self.headers.get("X-Twilio-Signature")
            if not verify(
                url=app.url + self.path, params=form, signature=signature, token=app.token
            ):
                app.unsigned += 1
            app.posts.append((self.path, form))
            self._send(app.answer(self.path, form), "text/xml")

        def _send(self, body: str, kind: str) -> None:
            data = body.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Set-Cookie", "csrf=c1; Path=/")
            self.end_headers()
            self.wfile.write(data)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
