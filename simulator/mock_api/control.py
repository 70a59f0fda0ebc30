"""The control endpoints, for tests and for scoring: counts of calls, the simulated day, true track ids."""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.mock_api.errors import ApiError
from simulator.mock_api.fault_injection import FaultInjector
from simulator.mock_api.seed_data import SeedData


class ControllableApi(Protocol):
    """The state of the mock API that the control endpoints need."""

    def get_seed_data(self) -> SeedData:
        """Return the seed data that is served."""

    def get_day_number(self) -> int:
        """Return the number of the simulated day."""

    def set_day_number(self, number: int | None) -> None:
        """Set the simulated day."""


class ControlEndpoints:
    """Control endpoints below /stand-in. ``faults`` is set when the application is assembled."""

    fault_injector: FaultInjector

    def __init__(self, mock_api: ControllableApi) -> None:
        self._mock_api = mock_api

    def list_routes(self) -> list[Route]:
        """Return the routes of all control endpoints."""
        return [
            Route("/calls", self._handle_calls, methods=["GET", "DELETE"]),
            Route("/faults", self._handle_faults),
            Route("/night", self._handle_simulated_day, methods=["GET", "PUT"]),
            Route("/truth", self._handle_truth),
        ]

    async def _handle_calls(self, request: Request) -> Response:
        """Return calls by endpoint and status since the last DELETE; status 0 means an incomplete response."""
        if request.method == "DELETE":
            self.fault_injector.call_counts.clear()
            self.fault_injector.injected.clear()
        counts_by_endpoint: dict[str, dict[str, int]] = {}
        for (name, status), count in sorted(self.fault_injector.call_counts.items()):
            counts_by_endpoint.setdefault(name, {})[str(status)] = count
        return JSONResponse(counts_by_endpoint)

    async def _handle_faults(self, _request: Request) -> Response:
        """Return the faults injected since the last DELETE of the calls, by kind."""
        return JSONResponse(dict(sorted(self.fault_injector.injected.items())))

    async def _handle_simulated_day(self, request: Request) -> Response:
        """Return the number of the simulated day; PUT sets it, null returns to the calendar."""
        if request.method == "PUT":
            self._mock_api.set_day_number(await _parse_day_number(request))
            self.fault_injector.reset_call_counts()
        return JSONResponse({"number": self._mock_api.get_day_number()})

    async def _handle_truth(self, request: Request) -> Response:
        """Return the catalogue's track id of each served id, null without one; without ``ids`` for all served ids."""
        ids = request.query_params.get("ids")
        return JSONResponse(dict(self._mock_api.get_seed_data().read_truth(ids.split(",") if ids else None)))


async def _parse_day_number(request: Request) -> int | None:
    try:
        number = (await request.json())["number"]
    except (ValueError, KeyError, TypeError):
        number = -1
    if number is not None and (type(number) is not int or number < 0):
        raise ApiError(400, 'PUT {"number": n} with n = 0, 1, 2, … or null for the calendar\'s night')
    return number
