"""Fault injection: one middleware around the whole application, driven by the scenario.

It also counts every call by endpoint and status, including the calls with a fault. A fault selects its calls by the
simulated day and the number of earlier calls of that day; setting the day resets that count.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.mock_api.abortable_connection import ABORT
from simulator.mock_api.errors import AccountsError, ApiError
from simulator.mock_api.hashed_ids import hash_fraction, hash_number
from simulator.mock_api.scenario import (
    ANY_ENDPOINT,
    API_FAULTS,
    FAULTY_ENDPOINTS,
    RECCOBEATS_ENDPOINT,
    TOKEN_ENDPOINT,
    TOKEN_FAULTS,
    Fault,
    Scenario,
)

DROPPED_STATUS = 0
"""The status under which calls with an incomplete response are counted."""

MUST_RENEW_REFRESH_KEY = "stand_in.is_new_refresh_wanted"
"""The scope's key that requests a new refresh token, or none, from the token endpoint."""

_SERVER_ERROR_STATUSES = (500, 502, 503)
_LONG_RETRY_AFTER_SECONDS = 74_214


class FaultTarget(Protocol):
    """The state of the mock API that the middleware needs."""

    scenario: Scenario

    def get_day_number_or_none(self) -> int | None:
        """Return the number of the simulated day, None while there is no seed data."""

    def find_account(self, authorization: str, form: dict[str, list[str]]) -> str:
        """Return the name of the account that makes a call, empty without an account."""

    def revoke_token(self, authorization: str) -> None:
        """Expire the access token of a call from now on."""


@dataclass(frozen=True)
class Call:
    """A call, with the properties by which faults are chosen."""

    endpoint: str
    account: str
    simulated_day: int
    counts: dict[tuple[str, str], int]


class FaultInjector:
    """Middleware that injects faults and counts calls."""

    def __init__(self, app: ASGIApp, mock_api: FaultTarget, find_endpoint: Callable[[str], str | None]) -> None:
        self._app = app
        self._mock_api = mock_api
        self._find_endpoint = find_endpoint
        self._call_counts: Counter[tuple[int, str, str]] = Counter()
        self._quota_used_up_day: int | None = None
        self.call_counts: Counter[tuple[str, int]] = Counter()
        self.injected: Counter[str] = Counter()

    def reset_call_counts(self) -> None:
        """Reset the counts of calls of each day."""
        self._call_counts.clear()
        self._quota_used_up_day = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, spoil its response, or respond in the application's place."""
        endpoint = self._find_endpoint(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        statuses: list[int] = []

        async def send_and_record(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        try:
            await self._handle_call(endpoint, scope, receive, send_and_record)
        finally:
            status = DROPPED_STATUS if scope.get(_IS_DROPPED_KEY) or not statuses else statuses[-1]
            self.call_counts[endpoint, status] += 1

    async def _handle_call(self, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        simulated_day = self._mock_api.get_day_number_or_none()
        if simulated_day is None or endpoint not in (TOKEN_ENDPOINT, *FAULTY_ENDPOINTS):
            await self._app(scope, receive, send)
            return
        form: dict[str, list[str]] = {}
        if endpoint == TOKEN_ENDPOINT:
            body = await _read_body(receive)
            form, receive = parse_qs(body.decode("utf-8", "replace")), _replay_body(body, receive)
        authorization = _get_header(scope, b"authorization")
        call = self._count_call(endpoint, self._mock_api.find_account(authorization, form), simulated_day)
        fault = self._choose_fault(call)
        if fault is None:
            await self._app(scope, receive, send)
            return
        self.injected[fault.kind] += 1
        if fault.kind == "quota_exceeded" and fault.sticky:
            self._quota_used_up_day = simulated_day
        if fault.kind == "expired_token":
            self._mock_api.revoke_token(authorization)
        await self._make_fault_app(fault, call)(scope, receive, send)

    def _count_call(self, endpoint: str, account: str, simulated_day: int) -> Call:
        names = {endpoint} if endpoint == TOKEN_ENDPOINT else {endpoint, ANY_ENDPOINT}
        counts = {}
        for name in names:
            for account_name in {"", account}:
                self._call_counts[simulated_day, name, account_name] += 1
                counts[name, account_name] = self._call_counts[simulated_day, name, account_name]
        return Call(endpoint, account, simulated_day, counts)

    def _choose_fault(self, call: Call) -> Fault | None:
        if call.simulated_day == self._quota_used_up_day and call.endpoint != TOKEN_ENDPOINT:
            return Fault(kind="quota_exceeded", endpoint=call.endpoint)
        scripted_fault = next((fault for fault in self._mock_api.scenario.fault if _matches_call(fault, call)), None)
        return scripted_fault or self._draw_fault(call)

    def _draw_fault(self, call: Call) -> Fault | None:
        """Return a fault by rate: a pure function of seed, day, endpoint and the number of the call."""
        fault_rate = self._mock_api.scenario.faults
        if fault_rate.endpoints and call.endpoint not in fault_rate.endpoints:
            return None
        draw_values = (fault_rate.seed, call.simulated_day, call.endpoint, call.counts[call.endpoint, ""])
        if (
            not fault_rate.first_night <= call.simulated_day <= fault_rate.last_night
            or hash_fraction("fault", *draw_values) >= fault_rate.rate
        ):
            return None
        excluded_kinds: tuple[str, ...] = API_FAULTS if call.endpoint == TOKEN_ENDPOINT else TOKEN_FAULTS
        if call.endpoint == RECCOBEATS_ENDPOINT:
            excluded_kinds = (*TOKEN_FAULTS, "expired_token")
        kinds = [kind for kind in fault_rate.kinds if kind not in excluded_kinds]
        if not kinds:
            return None
        kind = kinds[hash_number("kind", *draw_values) % len(kinds)]
        seconds = None if kind == "rate_limited_long" else fault_rate.seconds
        return Fault(kind=kind, endpoint=call.endpoint, seconds=seconds, sticky=fault_rate.sticky)

    def _make_fault_app(self, fault: Fault, call: Call) -> ASGIApp:
        """Return an application that responds in the way of a fault."""
        random_number = hash_number("way", call.simulated_day, call.endpoint, call.counts[call.endpoint, ""])
        match fault.kind:
            case "rate_limited" | "rate_limited_long":
                default_seconds = 2 if fault.kind == "rate_limited" else _LONG_RETRY_AFTER_SECONDS
                seconds = str(int(default_seconds if fault.seconds is None else fault.seconds))
                return ApiError(429, "API rate limit exceeded", headers={"Retry-After": seconds}).to_response()
            case "quota_exceeded":
                return ApiError(429, "Quota exceeded for this app", "QUOTA_EXCEEDED").to_response()
            case "forbidden":
                return ApiError(403, "Forbidden").to_response()
            case "not_found":
                return ApiError(404, "Resource not found").to_response()
            case "expired_token":
                return ApiError(401, "The access token expired").to_response()
            case "invalid_grant":
                return AccountsError("invalid_grant", "Refresh token revoked").to_response()
            case "server_error":
                return _make_server_error(fault.status or _SERVER_ERROR_STATUSES[random_number % 3])
            case "invalid_json":
                return Response("<html>Something else</html>", media_type="application/json; charset=utf-8")
            case "cut_json":
                return _cut_body(self._app)
            case "slow":
                return _delay_response(self._app, 3 if fault.seconds is None else fault.seconds)
            case "dropped":
                return _drop_connection(self._app, fault.at or ("start", "middle")[random_number % 2])
            case _:
                return _set_scope_key(self._app, MUST_RENEW_REFRESH_KEY, fault.kind == "new_refresh_token")


_IS_DROPPED_KEY = "stand_in.is_dropped"


def _matches_call(fault: Fault, call: Call) -> bool:
    if fault.night not in (None, call.simulated_day) or fault.account not in (None, call.account):
        return False
    call_count = call.counts.get((fault.endpoint, fault.account or ""))
    if call_count is None:
        return False
    return fault.nth is None or fault.nth <= call_count < fault.nth + fault.count


def _make_server_error(status: int) -> Response:
    if status == 502:  # a gateway responds with a page of its own
        return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
    return ApiError(status, "Service unavailable" if status == 503 else "Server error.").to_response()


def _cut_body(app: ASGIApp) -> ASGIApp:
    """Wrap an application: cut the body of its response in half, with headers that declare it complete."""

    async def send_half(scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _capture_response(app, scope, receive)
        half = body[: len(body) // 2]
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(half)).encode())]})
        await send({"type": "http.response.body", "body": half})

    return send_half


def _delay_response(app: ASGIApp, seconds: float) -> ASGIApp:
    async def delay(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return delay


def _drop_connection(app: ASGIApp, drop_position: str) -> ASGIApp:
    """Wrap an application: drop the connection before the first byte of its response, or in the middle of the body."""

    async def drop(scope: Scope, receive: Receive, send: Send) -> None:
        if drop_position == "middle":
            start, body = await _capture_response(app, scope, receive)
            await send(start)
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        scope[_IS_DROPPED_KEY] = True
        scope["extensions"][ABORT]()
        while (await receive())["type"] != "http.disconnect":
            pass

    return drop


def _set_scope_key(app: ASGIApp, key: str, value: bool) -> ASGIApp:
    async def call_with_key(scope: Scope, receive: Receive, send: Send) -> None:
        scope[key] = value
        await app(scope, receive, send)

    return call_with_key


async def _capture_response(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """Return the start and the whole body of the application's response."""
    messages: list[Message] = []

    async def collect_message(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect_message)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _read_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that supplies a body which has already been read."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def _get_header(scope: Scope, header_name: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == header_name), "")
