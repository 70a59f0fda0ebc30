"""The control endpoints, for tests and for scoring: what was asked, which night it is, what is true."""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etl.simulate.spotify_api.errors import Refusal
from etl.simulate.spotify_api.faults import Faults
from etl.simulate.spotify_api.stock import Stock


class Controlled(Protocol):
    """What the control endpoints ask of the stand-in."""

    def stock(self) -> Stock:
        """The stock that is served."""

    def night_number(self) -> int:
        """The number of the night."""

    def set_night(self, number: int | None) -> None:
        """Make it another night."""


class Control:
    """The endpoints below /stand-in. ``faults`` is set when the application is put together."""

    faults: Faults

    def __init__(self, stand_in: Controlled) -> None:
        self._stand_in = stand_in

    def routes(self) -> list[Route]:
        """The routes of all control endpoints."""
        return [
            Route("/calls", self._calls, methods=["GET", "DELETE"]),
            Route("/faults", self._faults),
            Route("/night", self._night, methods=["GET", "PUT"]),
            Route("/truth", self._truth),
        ]

    async def _calls(self, request: Request) -> Response:
        """Calls by endpoint and status since the last DELETE; status 0 where no whole answer was given."""
        if request.method == "DELETE":
            self.faults.calls.clear()
            self.faults.made.clear()
        counted: dict[str, dict[str, int]] = {}
        for (name, status), count in sorted(self.faults.calls.items()):
            counted.setdefault(name, {})[str(status)] = count
        return JSONResponse(counted)

    async def _faults(self, _request: Request) -> Response:
        """The faults made since the last DELETE of the calls, by kind."""
        return JSONResponse(dict(sorted(self.faults.made.items())))

    async def _night(self, request: Request) -> Response:
        """The number of the night; PUT sets it, null gives the calendar's night back."""
        if request.method == "PUT":
            self._stand_in.set_night(await _wanted_night(request))
            self.faults.start_night()
        return JSONResponse({"number": self._stand_in.night_number()})

    async def _truth(self, request: Request) -> Response:
        """The catalogue's track id of each served one, null where it has none; all without ``ids``."""
        ids = request.query_params.get("ids")
        return JSONResponse(dict(self._stand_in.stock().truth(ids.split(",") if ids else None)))


async def _wanted_night(request: Request) -> int | None:
    try:
        number = (await request.json())["number"]
    except (ValueError, KeyError, TypeError):
        number = -1
    if number is not None and (type(number) is not int or number < 0):
        raise Refusal(400, 'PUT {"number": n} with n = 0, 1, 2, … or null for the calendar\'s night')
    return number
