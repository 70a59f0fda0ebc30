"""What goes wrong: one middleware around the whole application, driven by the scenario.

It also counts every call by endpoint and status, those that it spoils included. Which calls a fault hits depends on
the night and on how many calls there were before in that night; setting the night starts that count anew.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etl.simulate.spotify_api.connection import ABORT
from etl.simulate.spotify_api.errors import AccountsRefusal, Refusal
from etl.simulate.spotify_api.ids import number, share
from etl.simulate.spotify_api.scenario import (
    ANY_ENDPOINT,
    API_ENDPOINTS,
    API_FAULTS,
    TOKEN_ENDPOINT,
    TOKEN_FAULTS,
    Fault,
    Scenario,
)

DROPPED = 0
"""The status under which calls without a whole answer are counted."""

IS_NEW_REFRESH_WANTED = "stand_in.is_new_refresh_wanted"
"""The scope's key under which the token endpoint is told whether to give a new refresh token."""

_SERVER_ERRORS = (500, 502, 503)
_LONG_SECONDS = 74_214


class Known(Protocol):
    """What the middleware asks of the stand-in."""

    scenario: Scenario

    def night_or_none(self) -> int | None:
        """The number of the night, None while there is no stock."""

    def account_of(self, authorization: str, form: dict[str, list[str]]) -> str:
        """The name of the account that a call is made for, empty where it is for none."""

    def revoke(self, authorization: str) -> None:
        """Let the access token of a call be expired from now on."""


@dataclass(frozen=True)
class Call:
    """A call, as far as faults are chosen by it."""

    endpoint: str
    account: str
    night: int
    nth: dict[tuple[str, str], int]


class Faults:
    """The middleware."""

    def __init__(self, app: ASGIApp, known: Known, endpoint_of: Callable[[str], str | None]) -> None:
        self._app = app
        self._known = known
        self._endpoint_of = endpoint_of
        self._nth: Counter[tuple[int, str, str]] = Counter()
        self._used_up_night: int | None = None
        self.calls: Counter[tuple[str, int]] = Counter()
        self.made: Counter[str] = Counter()

    def start_night(self) -> None:
        """Count the calls of each night anew."""
        self._nth.clear()
        self._used_up_night = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, spoil it, or answer it in the application's place."""
        endpoint = self._endpoint_of(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        statuses: list[int] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        try:
            await self._meet(endpoint, scope, receive, noted)
        finally:
            status = DROPPED if scope.get(_IS_DROPPED) or not statuses else statuses[-1]
            self.calls[endpoint, status] += 1

    async def _meet(self, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        night = self._known.night_or_none()
        if night is None or endpoint not in (TOKEN_ENDPOINT, *API_ENDPOINTS):
            await self._app(scope, receive, send)
            return
        form: dict[str, list[str]] = {}
        if endpoint == TOKEN_ENDPOINT:
            body = await _whole_body(receive)
            form, receive = parse_qs(body.decode("utf-8", "replace")), _replayed(body, receive)
        authorization = _header(scope, b"authorization")
        call = self._counted(endpoint, self._known.account_of(authorization, form), night)
        fault = self._fault(call)
        if fault is None:
            await self._app(scope, receive, send)
            return
        self.made[fault.kind] += 1
        if fault.kind == "quota_exceeded" and fault.sticky:
            self._used_up_night = night
        if fault.kind == "expired_token":
            self._known.revoke(authorization)
        await self._make(fault, call)(scope, receive, send)

    def _counted(self, endpoint: str, account: str, night: int) -> Call:
        names = {endpoint} if endpoint == TOKEN_ENDPOINT else {endpoint, ANY_ENDPOINT}
        nth = {}
        for name in names:
            for whose in {"", account}:
                self._nth[night, name, whose] += 1
                nth[name, whose] = self._nth[night, name, whose]
        return Call(endpoint, account, night, nth)

    def _fault(self, call: Call) -> Fault | None:
        if call.night == self._used_up_night and call.endpoint != TOKEN_ENDPOINT:
            return Fault(kind="quota_exceeded", endpoint=call.endpoint)
        named = next((fault for fault in self._known.scenario.fault if _hits(fault, call)), None)
        return named or self._drawn(call)

    def _drawn(self, call: Call) -> Fault | None:
        """A fault by rate: a pure function of seed, night, endpoint and the number of the call."""
        said = self._known.scenario.faults
        if said.endpoints and call.endpoint not in said.endpoints:
            return None
        drawn = (said.seed, call.night, call.endpoint, call.nth[call.endpoint, ""])
        if not said.first_night <= call.night <= said.last_night or share("fault", *drawn) >= said.rate:
            return None
        strange = API_FAULTS if call.endpoint == TOKEN_ENDPOINT else TOKEN_FAULTS
        kinds = [kind for kind in said.kinds if kind not in strange]
        if not kinds:
            return None
        kind = kinds[number("kind", *drawn) % len(kinds)]
        seconds = None if kind == "rate_limited_long" else said.seconds
        return Fault(kind=kind, endpoint=call.endpoint, seconds=seconds, sticky=said.sticky)

    def _make(self, fault: Fault, call: Call) -> ASGIApp:
        """The application that answers in the way of a fault."""
        drawn = number("way", call.night, call.endpoint, call.nth[call.endpoint, ""])
        match fault.kind:
            case "rate_limited" | "rate_limited_long":
                usual = 2 if fault.kind == "rate_limited" else _LONG_SECONDS
                seconds = str(int(usual if fault.seconds is None else fault.seconds))
                return Refusal(429, "API rate limit exceeded", headers={"Retry-After": seconds}).response()
            case "quota_exceeded":
                return Refusal(429, "Quota exceeded for this app", "QUOTA_EXCEEDED").response()
            case "forbidden":
                return Refusal(403, "Forbidden").response()
            case "not_found":
                return Refusal(404, "Resource not found").response()
            case "expired_token":
                return Refusal(401, "The access token expired").response()
            case "invalid_grant":
                return AccountsRefusal("invalid_grant", "Refresh token revoked").response()
            case "server_error":
                return _server_error(fault.status or _SERVER_ERRORS[drawn % 3])
            case "invalid_json":
                return Response("<html>Something else</html>", media_type="application/json; charset=utf-8")
            case "cut_json":
                return _cut(self._app)
            case "slow":
                return _slow(self._app, 3 if fault.seconds is None else fault.seconds)
            case "dropped":
                return _dropped(self._app, fault.at or ("start", "middle")[drawn % 2])
            case _:
                return _with_key(self._app, IS_NEW_REFRESH_WANTED, fault.kind == "new_refresh_token")


_IS_DROPPED = "stand_in.is_dropped"


def _hits(fault: Fault, call: Call) -> bool:
    if fault.night not in (None, call.night) or fault.account not in (None, call.account):
        return False
    nth = call.nth.get((fault.endpoint, fault.account or ""))
    if nth is None:
        return False
    return fault.nth is None or fault.nth <= nth < fault.nth + fault.count


def _server_error(status: int) -> Response:
    if status == 502:  # a gateway answers with a page of its own
        return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
    return Refusal(status, "Service unavailable" if status == 503 else "Server error.").response()


def _cut(app: ASGIApp) -> ASGIApp:
    """The right answer, of which the second half is missing, while the headers say that it is whole."""

    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _answer(app, scope, receive)
        half = body[: len(body) // 2]
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(half)).encode())]})
        await send({"type": "http.response.body", "body": half})

    return cut


def _slow(app: ASGIApp, seconds: float) -> ASGIApp:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return slow


def _dropped(app: ASGIApp, at: str) -> ASGIApp:
    """The connection ends before any byte of the answer, or in the middle of its body."""

    async def dropped(scope: Scope, receive: Receive, send: Send) -> None:
        if at == "middle":
            start, body = await _answer(app, scope, receive)
            await send(start)
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        scope[_IS_DROPPED] = True
        scope["extensions"][ABORT]()
        while (await receive())["type"] != "http.disconnect":
            pass

    return dropped


def _with_key(app: ASGIApp, key: str, value: bool) -> ASGIApp:
    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope[key] = value
        await app(scope, receive, send)

    return told


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """The start and the whole body of the application's answer."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives a body which has been read already."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")
