"""A request to an endpoint of the mock API, with its parameters checked as the API checks them."""

from dataclasses import dataclass

from starlette.requests import Request

from simulator.mock_api.accounts import Account
from simulator.mock_api.api_objects import ApiObjects
from simulator.mock_api.errors import ApiError
from simulator.mock_api.scenario import QuotaMode
from simulator.mock_api.simulated_day import SimulatedDay

MAX_PAGE_SIZE = 50
DEFAULT_PAGE_SIZE = 20


@dataclass(frozen=True)
class ApiRequest:
    """A request, its account (None: an app's own token), the state of the simulated day and the builder of objects."""

    request: Request
    account: Account | None
    simulated_day: SimulatedDay
    object_builder: ApiObjects
    mode: QuotaMode

    def require_account(self) -> Account:
        """Return the account of the token; raise an error for an app's own token."""
        if self.account is None:
            raise ApiError(401, "Valid user authentication required")
        return self.account

    def parse_integer(self, name: str, default: int, smallest: int, largest: int | None) -> int:
        """Return an integer of the query."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if not text.isdecimal() or int(text) < smallest or (largest is not None and int(text) > largest):
            raise ApiError(400, f"Invalid {name}")
        return int(text)

    def parse_limit(self) -> int:
        """Return the maximum number of items on the page."""
        return self.parse_integer("limit", DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)

    def parse_offset(self) -> int:
        """Return the index of the page's first item."""
        return self.parse_integer("offset", 0, 0, 100_000)

    def parse_fields(self) -> frozenset[str] | None:
        """Return the requested fields if the query names them plainly; None: all fields."""
        text = self.request.query_params.get("fields", "")
        return frozenset(text.split(",")) if text and not set(text) & set("().!") else None

    def parse_ids(self, largest: int) -> list[str]:
        """Return the ids of a batch."""
        ids = [track_id for track_id in self.request.query_params.get("ids", "").split(",") if track_id]
        if not ids:
            raise ApiError(400, "Missing required field: ids")
        if len(ids) > largest:
            raise ApiError(400, f"Too many ids requested. Maximum: {largest}")
        return ids

    def get_path_id(self) -> str:
        """Return the id in the path."""
        return str(self.request.path_params["id"])
