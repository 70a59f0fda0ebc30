"""The mock API as one application: the API, the accounts service and the control endpoints."""

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

from simulator.mock_api import endpoints, reccobeats
from simulator.mock_api.accounts_service import AccountsService
from simulator.mock_api.api_objects import ApiObjects
from simulator.mock_api.api_request import ApiRequest
from simulator.mock_api.control import ControlEndpoints
from simulator.mock_api.errors import AccountsError, ApiError
from simulator.mock_api.fault_injection import MUST_RENEW_REFRESH_KEY, FaultInjector
from simulator.mock_api.scenario import RECCOBEATS_ENDPOINT, TOKEN_ENDPOINT, QuotaMode, Scenario
from simulator.mock_api.seed_data import SeedData
from simulator.mock_api.simulated_day import SimulatedDay
from simulator.mock_api.tokens import Clock, TokenSigner


class MockApiState:
    """The state that the application has between two requests."""

    def __init__(
        self, seed_data_path: Path, state: Path, scenario: Scenario, mode: QuotaMode, clock: Clock = time.time
    ) -> None:
        self.scenario = scenario
        self.mode = mode
        self.clock = clock
        self.tokens = TokenSigner(state, clock)
        self.accounts = AccountsService(self.tokens, scenario)
        self._seed_data_path = seed_data_path
        self._day_number_file = state / "night.json"
        self._seed_data: SeedData | None = None
        self._seed_data_version: tuple[int, int, int] | None = None
        self._simulated_day: SimulatedDay | None = None

    def get_seed_data(self) -> SeedData:
        """Return the seed data; replaced seed data is read again.

        :raises ApiError: if there is no seed data yet.
        """
        version = _get_file_version(self._seed_data_path)
        if version is None:
            raise ApiError(503, "The mock API has no seed data yet: it is still being written.")
        if self._seed_data is None or version != self._seed_data_version:
            if self._seed_data is not None:
                self._seed_data.close()
            self._seed_data, self._seed_data_version, self._simulated_day = (
                SeedData(self._seed_data_path),
                version,
                None,
            )
        return self._seed_data

    def get_simulated_day(self) -> SimulatedDay:
        """Return the state of the simulated day."""
        seed_data, number = self.get_seed_data(), self.get_day_number()
        if self._simulated_day is None or self._simulated_day.number != number:
            self._simulated_day = SimulatedDay(seed_data, self.scenario, number)
        return self._simulated_day

    def get_day_number(self) -> int:
        """Return the simulated day that was set, else the days since the first one."""
        if self._day_number_file.exists():
            return int(json.loads(self._day_number_file.read_text(encoding="utf-8"))["number"])
        today = datetime.fromtimestamp(self.clock(), UTC).date()
        return max((today - (self.scenario.first_day or self.get_seed_data().written_on)).days, 0)

    def get_day_number_or_none(self) -> int | None:
        """Return the number of the simulated day, None while there is no seed data."""
        try:
            return self.get_day_number()
        except ApiError:
            return None

    def set_day_number(self, number: int | None) -> None:
        """Set the simulated day, also for later starts of the server; None returns to the calendar."""
        if number is None:
            self._day_number_file.unlink(missing_ok=True)
            return
        draft = self._day_number_file.with_suffix(".part")
        draft.write_text(json.dumps({"number": number}), encoding="utf-8")
        draft.replace(self._day_number_file)

    def make_api_request(self, name: str, request: Request) -> ApiRequest:
        """Return a request with its account and simulated day.

        :raises ApiError: if there is no seed data yet, or no valid access token.
        """
        simulated_day = self.get_simulated_day()
        scheme, _, token_text = request.headers.get("authorization", "").partition(" ")
        if not token_text or scheme.lower() != "bearer":
            raise ApiError(401, "No token provided")
        token = self.tokens.verify_token(token_text, "access")
        if token is None:
            raise ApiError(401, "Invalid access token")
        if self.tokens.is_expired(token):
            raise ApiError(401, "The access token expired")
        account = simulated_day.seed_data.accounts.get(token.account)
        if token.account and account is None:
            raise ApiError(401, "Invalid access token")
        url = f"{request.url.scheme}://{request.url.netloc}"
        return ApiRequest(request, account, simulated_day, ApiObjects(simulated_day, self.mode, url), self.mode)

    def find_account(self, authorization: str, form: dict[str, list[str]]) -> str:
        """Return the name of the account that makes a call, empty without an account."""
        if form:
            token = self.tokens.verify_token(form.get("refresh_token", [""])[0], "refresh")
            token = token or self.tokens.verify_token(form.get("code", [""])[0], "code")
        else:
            token = self.tokens.verify_token(authorization.partition(" ")[2], "access")
        return token.account if token else ""

    def revoke_token(self, authorization: str) -> None:
        """Expire the access token of a call from now on."""
        token = self.tokens.verify_token(authorization.partition(" ")[2], "access")
        if token is not None:
            self.tokens.revoke_token(token)


def _get_file_version(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def create_app(mock_api: MockApiState) -> ASGIApp:
    """Return the application of a mock API, with its faults."""
    control = ControlEndpoints(mock_api)

    async def handle_authorise(request: Request) -> Response:
        return mock_api.accounts.authorise_account(request, list(mock_api.get_seed_data().accounts))

    async def handle_token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        return mock_api.accounts.issue_tokens(request, form, request.scope.get(MUST_RENEW_REFRESH_KEY))

    app = Starlette(
        routes=[
            Route("/authorize", handle_authorise),
            Route("/api/token", handle_token, methods=["POST"]),
            Mount("/v1", routes=endpoints.list_routes(mock_api.make_api_request)),
            Route(reccobeats.PATH, reccobeats.make_endpoint(mock_api.get_seed_data)),
            Mount("/stand-in", routes=control.list_routes()),
        ],
        exception_handlers={
            ApiError: _respond_with_error,
            AccountsError: _respond_with_error,
            HTTPException: _respond_not_found,
        },
    )
    control.fault_injector = FaultInjector(TrailingSlashRemover(app), mock_api, _find_endpoint)
    return control.fault_injector


def _find_endpoint(path: str) -> str | None:
    """Return the name under which calls of a path are counted, None for uncounted ones."""
    if path.startswith("/stand-in/"):
        return None
    if path.rstrip("/") == reccobeats.PATH:
        return RECCOBEATS_ENDPOINT
    if not path.startswith("/v1/"):
        return {"/api/token": TOKEN_ENDPOINT, "/authorize": "authorize"}.get(path, "unknown")
    return endpoints.find_endpoint(path.removeprefix("/v1").rstrip("/")) or "unknown"


async def _respond_with_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError | AccountsError)
    return error.to_response()


async def _respond_not_found(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return ApiError(error.status_code, "Service not found" if error.status_code == 404 else error.detail).to_response()


class TrailingSlashRemover:
    """Middleware that treats ``/v1/me/`` as ``/v1/me``, as the API does; spotipy requests such paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without its last slash."""
        if scope["type"] == "http" and len(scope["path"]) > 1:
            scope["path"] = scope["path"].rstrip("/")
        await self._app(scope, receive, send)
