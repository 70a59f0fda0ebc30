"""The stand-in as one application: the API, the accounts service and the control endpoints."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from etl.simulate.spotify_api import pages
from etl.simulate.spotify_api.accounts import Accounts
from etl.simulate.spotify_api.control import Control
from etl.simulate.spotify_api.errors import AccountsRefusal, Refusal
from etl.simulate.spotify_api.faults import IS_NEW_REFRESH_WANTED, Faults
from etl.simulate.spotify_api.night import Night
from etl.simulate.spotify_api.scenario import TOKEN_ENDPOINT, Mode, Scenario
from etl.simulate.spotify_api.shapes import Shapes
from etl.simulate.spotify_api.stock import Stock
from etl.simulate.spotify_api.tokens import Clock, Tokens


class StandIn:
    """What the application keeps between two requests."""

    def __init__(self, stock: Path, state: Path, scenario: Scenario, mode: Mode, clock: Clock = time.time) -> None:
        self.scenario = scenario
        self.mode = mode
        self.clock = clock
        self.tokens = Tokens(state, clock)
        self.accounts = Accounts(self.tokens, scenario)
        self._path = stock
        self._night_file = state / "night.json"
        self._stock: Stock | None = None
        self._version: tuple[int, int, int] | None = None
        self._night: Night | None = None

    def stock(self) -> Stock:
        """The stock; one that was replaced is read again.

        :raises Refusal: where there is none yet.
        """
        version = _version_of(self._path)
        if version is None:
            raise Refusal(503, "The stand-in has no stock yet: its catalogue is still being written.")
        if self._stock is None or version != self._version:
            if self._stock is not None:
                self._stock.close()
            self._stock, self._version, self._night = Stock(self._path), version, None
        return self._stock

    def night(self) -> Night:
        """Tonight's state."""
        stock, number = self.stock(), self.night_number()
        if self._night is None or self._night.number != number:
            self._night = Night(stock, self.scenario, number)
        return self._night

    def night_number(self) -> int:
        """The night that was set, else the days since the first one."""
        if self._night_file.exists():
            return int(json.loads(self._night_file.read_text(encoding="utf-8"))["number"])
        today = datetime.fromtimestamp(self.clock(), UTC).date()
        return max((today - (self.scenario.first_day or self.stock().written_on)).days, 0)

    def night_or_none(self) -> int | None:
        """The number of the night, None while there is no stock."""
        try:
            return self.night_number()
        except Refusal:
            return None

    def set_night(self, number: int | None) -> None:
        """Make it the night ``number``, also after a restart; None: the calendar's night again."""
        if number is None:
            self._night_file.unlink(missing_ok=True)
            return
        draft = self._night_file.with_suffix(".part")
        draft.write_text(json.dumps({"number": number}), encoding="utf-8")
        draft.replace(self._night_file)

    def ask(self, name: str, request: Request) -> pages.Asked:
        """Who asks, and what tonight is like.

        :raises Refusal: where there is no stock yet, or no token that lets anybody ask.
        """
        night = self.night()
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if not text or kind.lower() != "bearer":
            raise Refusal(401, "No token provided")
        token = self.tokens.read(text, "access")
        if token is None:
            raise Refusal(401, "Invalid access token")
        if self.tokens.is_expired(token):
            raise Refusal(401, "The access token expired")
        account = night.stock.accounts.get(token.account)
        if token.account and account is None:
            raise Refusal(401, "Invalid access token")
        url = f"{request.url.scheme}://{request.url.netloc}"
        return pages.Asked(request, account, night, Shapes(night, self.mode, url), self.mode)

    def account_of(self, authorization: str, form: dict[str, list[str]]) -> str:
        """The name of the account that a call is made for, empty where it is for none."""
        if form:
            token = self.tokens.read(form.get("refresh_token", [""])[0], "refresh")
            token = token or self.tokens.read(form.get("code", [""])[0], "code")
        else:
            token = self.tokens.read(authorization.partition(" ")[2], "access")
        return token.account if token else ""

    def revoke(self, authorization: str) -> None:
        """Let the access token of a call be expired from now on."""
        token = self.tokens.read(authorization.partition(" ")[2], "access")
        if token is not None:
            self.tokens.revoke(token)


def _version_of(path: Path) -> tuple[int, int, int] | None:
    try:
        there = path.stat()
    except FileNotFoundError:
        return None
    return there.st_ino, there.st_mtime_ns, there.st_size


def application(stand_in: StandIn) -> ASGIApp:
    """The application of one stand-in, faults and all."""
    control = Control(stand_in)

    async def authorise(request: Request) -> Response:
        return stand_in.accounts.authorise(request, list(stand_in.stock().accounts))

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        return stand_in.accounts.give_token(request, form, request.scope.get(IS_NEW_REFRESH_WANTED))

    served = Starlette(
        routes=[
            Route("/authorize", authorise),
            Route("/api/token", token, methods=["POST"]),
            Mount("/v1", routes=pages.routes(stand_in.ask)),
            Mount("/stand-in", routes=control.routes()),
        ],
        exception_handlers={Refusal: _refused, AccountsRefusal: _refused, HTTPException: _not_found},
    )
    control.faults = Faults(WithoutLastSlash(served), stand_in, _endpoint_of)
    return control.faults


def _endpoint_of(path: str) -> str | None:
    """The name under which calls of a path are counted, None for those that are not."""
    if path.startswith("/stand-in/"):
        return None
    if not path.startswith("/v1/"):
        return {"/api/token": TOKEN_ENDPOINT, "/authorize": "authorize"}.get(path, "unknown")
    return pages.endpoint_of(path.removeprefix("/v1").rstrip("/")) or "unknown"


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal | AccountsRefusal)
    return error.response()


async def _not_found(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Refusal(error.status_code, "Service not found" if error.status_code == 404 else error.detail).response()


class WithoutLastSlash:
    """Lets ``/v1/me/`` mean ``/v1/me``, as the API does; spotipy asks so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without its last slash."""
        if scope["type"] == "http" and len(scope["path"]) > 1:
            scope["path"] = scope["path"].rstrip("/")
        await self._app(scope, receive, send)
