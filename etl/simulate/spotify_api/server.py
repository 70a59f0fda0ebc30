"""The stand-in as one application: the API, the accounts service and the control endpoints."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from etl.simulate.spotify_api import pages
from etl.simulate.spotify_api.accounts import Accounts
from etl.simulate.spotify_api.errors import AccountsRefusal, Refusal
from etl.simulate.spotify_api.night import Night
from etl.simulate.spotify_api.scenario import Mode, Scenario
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
        self.calls: Counter[tuple[str, int]] = Counter()
        self._path = stock
        self._night_file = state / "night.json"
        self._night: Night | None = None
        self._version: tuple[int, int, int] | None = None

    def night(self) -> Night:
        """Tonight's state; a stock that was replaced is read again."""
        number = self.night_number()
        if self._night is None or self._night.number != number or self._version != self._stock_version():
            stock = self._night.stock if self._night and self._version == self._stock_version() else self._opened()
            self._night = Night(stock, self.scenario, number)
        return self._night

    def night_number(self) -> int:
        """The night that was set, else the days since the first one."""
        if self._night_file.exists():
            return int(json.loads(self._night_file.read_text(encoding="utf-8"))["number"])
        stock = self._stock()
        today = datetime.fromtimestamp(self.clock(), UTC).date()
        return max((today - self.scenario.first_day(stock)).days, 0)

    def set_night(self, number: int | None) -> None:
        """Make it the night ``number``, also after a restart; None: the calendar's night again."""
        if number is None:
            self._night_file.unlink(missing_ok=True)
            return
        draft = self._night_file.with_suffix(".part")
        draft.write_text(json.dumps({"number": number}), encoding="utf-8")
        draft.replace(self._night_file)

    def ask(self, name: str, request: Request) -> pages.Asked:
        """Who asks, and what tonight is like."""
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if not text or kind.lower() != "bearer":
            raise Refusal(401, "No token provided")
        token = self.tokens.read(text, "access")
        if token is None:
            raise Refusal(401, "Invalid access token")
        if self.tokens.is_expired(token):
            raise Refusal(401, "The access token expired")
        night = self.night()
        account = night.stock.accounts.get(token.account)
        if token.account and account is None:
            raise Refusal(401, "Invalid access token")
        url = f"{request.url.scheme}://{request.url.netloc}"
        return pages.Asked(request, account, night, Shapes(night, self.mode, url), self.mode)

    def _stock(self) -> Stock:
        if self._night and self._version == self._stock_version():
            return self._night.stock
        self._night = Night(self._opened(), self.scenario, 0)
        return self._night.stock

    def _opened(self) -> Stock:
        self._version = self._stock_version()
        if self._version is None:
            raise Refusal(503, "The stand-in has no stock yet: its catalogue is still being written.")
        if self._night:
            self._night.stock.close()
        return Stock(self._path)

    def _stock_version(self) -> tuple[int, int, int] | None:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return None
        return there.st_ino, there.st_mtime_ns, there.st_size


def application(stand_in: StandIn) -> Starlette:
    """The application of one stand-in."""

    async def authorise(request: Request) -> Response:
        return stand_in.accounts.authorise(request, list(stand_in.night().stock.accounts))

    async def token(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        return stand_in.accounts.give_token(request, form, None)

    async def night(request: Request) -> Response:
        if request.method == "PUT":
            stand_in.set_night((await request.json())["number"])
        return JSONResponse({"number": stand_in.night_number()})

    async def truth(request: Request) -> Response:
        ids = request.query_params.get("ids")
        return JSONResponse(dict(stand_in.night().stock.truth(ids.split(",") if ids else None)))

    async def calls(request: Request) -> Response:
        if request.method == "DELETE":
            stand_in.calls.clear()
        counted: dict[str, dict[str, int]] = {}
        for (name, status), count in sorted(stand_in.calls.items()):
            counted.setdefault(name, {})[str(status)] = count
        return JSONResponse(counted)

    return Starlette(
        routes=[
            Route("/authorize", authorise),
            Route("/api/token", token, methods=["POST"]),
            Mount("/v1", routes=pages.routes(stand_in.ask)),
            Route("/stand-in/night", night, methods=["GET", "PUT"]),
            Route("/stand-in/truth", truth),
            Route("/stand-in/calls", calls, methods=["GET", "DELETE"]),
        ],
        middleware=[Middleware(WithoutLastSlash)],
        exception_handlers={Refusal: _refused, AccountsRefusal: _refused, HTTPException: _not_found},
    )


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
