"""The scenario: one TOML file with the changes of each simulated day, and the faults.

Its keys are the fields of ``Scenario``, ``Change``, ``Fault`` and ``FaultRate``; docs/mock_api.md explains each.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from etl.errors import ActionNeededError

QuotaMode = Literal["development", "extended"]

PLAYLIST_CHANGES = ("add_tracks", "remove_tracks", "rename_playlist", "new_playlist", "delete_playlist")
LIBRARY_CHANGES = ("save_tracks", "unsave_tracks", "follow_artists", "unfollow_artists")
CHANGE_KINDS = (*PLAYLIST_CHANGES, *LIBRARY_CHANGES, "rename_artist")

API_FAULTS = ("rate_limited_long", "quota_exceeded", "forbidden", "not_found", "expired_token")
TOKEN_FAULTS = ("invalid_grant", "no_new_refresh_token", "new_refresh_token")
COMMON_FAULTS = ("rate_limited", "server_error", "cut_json", "invalid_json", "slow", "dropped")
FAULT_KINDS = (*API_FAULTS, *TOKEN_FAULTS, *COMMON_FAULTS)
RECOVERABLE_FAULTS = (*COMMON_FAULTS, "expired_token", "no_new_refresh_token", "new_refresh_token")
"""Faults from which a client recovers by itself: a rate draws from them if the scenario names no kinds."""

ANY_ENDPOINT = "any"
TOKEN_ENDPOINT = "token"
API_ENDPOINTS = (
    *("me", "my_playlists", "saved_tracks", "followed_artists", "recently_played"),
    *("playlist", "playlist_items", "playlist_tracks", "track", "album", "artist"),
    *("tracks", "albums", "artists", "audio_features"),
)
"""The names of the API's endpoints."""

RECCOBEATS_ENDPOINT = "reccobeats"
"""The endpoint of ReccoBeats, which the same server mocks; it takes no token."""

FAULTY_ENDPOINTS = (*API_ENDPOINTS, RECCOBEATS_ENDPOINT)
"""The endpoints that ``any`` means."""

_TableType = TypeVar("_TableType", "Change", "Fault", "FaultRate", "Scenario")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change that takes effect on a simulated day.

    ``playlist`` is an id, the name of a playlist that the scenario has made, or a number: the index among the account's
    own playlists on the first day, from 0. Without ``ids``, a hash chooses ``count`` of them.
    """

    night: int
    kind: str
    account: str = ""
    playlist: str | int = 0
    ids: tuple[str, ...] = ()
    count: int = 1
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault at an endpoint.

    Without ``night`` it applies to every day, without ``nth`` to every call; with ``nth`` to the nth call of the day
    and the ``count`` - 1 calls after it. With ``account`` it selects and counts that account's calls only.
    """

    kind: str
    endpoint: str
    night: int | None = None
    nth: int | None = None
    count: int = 1
    account: str | None = None
    seconds: float | None = None
    status: int | None = None
    at: str | None = None
    sticky: bool = False


@dataclass(frozen=True, kw_only=True)
class FaultRate:
    """A fraction of all calls that get a fault, chosen by (seed, day, endpoint, number of the call)."""

    rate: float = 0.0
    seed: int = 1
    kinds: tuple[str, ...] = RECOVERABLE_FAULTS
    endpoints: tuple[str, ...] = ()
    first_night: int = 0
    last_night: int = 1_000_000
    seconds: float | None = None
    sticky: bool = False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The content of a scenario file, or the default scenario.

    ``change`` and ``fault`` are lists of tables, ``faults`` is a table, ``authorised_days_ago`` names accounts.
    """

    mode: QuotaMode = "development"
    first_day: date | None = None
    has_usual_changes: bool = True
    popularity_drift: int = 2
    client_secret: str = field(default="stand-in-secret", repr=False)
    access_token_seconds: int = 3600
    authorised_days_ago: Mapping[str, float] = field(default_factory=dict)
    change: tuple[Change, ...] = ()
    fault: tuple[Fault, ...] = ()
    faults: FaultRate = field(default_factory=FaultRate)


def read_scenario(path: Path | None) -> Scenario:
    """Return the scenario in a TOML file, or the default one if the file does not exist.

    :raises ActionNeededError: if the file is not readable or not a valid scenario.
    """
    if path is None:
        return Scenario()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ActionNeededError(f"The scenario {path} cannot be read: {error}.") from None
    try:
        return parse_scenario(document)
    except ValueError as error:
        raise ActionNeededError(f"The scenario {path} is wrong: {error}.") from None


def parse_scenario(document: Mapping[str, Any]) -> Scenario:
    """Return the scenario in the content of a TOML file.

    :raises ValueError: if the content is not valid; the text names the error.
    """
    scalar_fields = {name: value for name, value in document.items() if name not in ("change", "fault", "faults")}
    scenario = _parse_table(
        Scenario,
        {
            **scalar_fields,
            "change": tuple(_parse_table(Change, change_table) for change_table in document.get("change", ())),
            "fault": tuple(_parse_table(Fault, fault_table) for fault_table in document.get("fault", ())),
            "faults": _parse_table(FaultRate, document.get("faults", {})),
        },
    )
    for change in scenario.change:
        _check_change(change)
    for fault in scenario.fault:
        _check_fault(fault)
    for kind in scenario.faults.kinds:
        _validate_choice("kinds", kind, FAULT_KINDS)
    for endpoint in scenario.faults.endpoints:
        _validate_choice("endpoints", endpoint, (TOKEN_ENDPOINT, *FAULTY_ENDPOINTS))
    if not 0 <= scenario.faults.rate <= 1:
        raise ValueError("the rate of faults must be a number from 0 to 1")
    return scenario


def _parse_table(kind: type[_TableType], table: Mapping[str, Any]) -> _TableType:
    fields_by_name = {table_field.name: table_field for table_field in fields(kind)}
    unknown_names = sorted(table.keys() - fields_by_name.keys())
    if unknown_names:
        raise ValueError(f"{_describe_table(kind)} has no {', '.join(unknown_names)}, only {', '.join(fields_by_name)}")
    required_names = [
        field_name
        for field_name, table_field in fields_by_name.items()
        if table_field.default is MISSING and table_field.default_factory is MISSING
    ]
    missing = [name for name in required_names if name not in table]
    if missing:
        raise ValueError(f"{_describe_table(kind)} lacks {', '.join(missing)}")
    hints = get_type_hints(kind)
    values: dict[str, Any] = {
        name: tuple(raw_value) if isinstance(raw_value, list) else raw_value for name, raw_value in table.items()
    }
    for name, value in values.items():
        if not _has_type(value, hints[name]):
            raise ValueError(f"{name} of {_describe_table(kind)} cannot be {table[name]!r}")
    return kind(**values)


def _has_type(value: object, hint: Any) -> bool:
    """Return whether a value has a field's type; an integer is valid for any number."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in (Union, UnionType):
        return any(_has_type(value, member_hint) for member_hint in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(_has_type(member, arguments[0]) for member in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(_has_type(member, arguments[1]) for member in value.values())
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


def _describe_table(kind: type[_TableType]) -> str:
    return {"Change": "a change", "Fault": "a fault", "FaultRate": "[faults]"}.get(kind.__name__, "a scenario")


def _check_change(change: Change) -> None:
    _validate_choice("kind", change.kind, CHANGE_KINDS)
    if change.night < 1:
        raise ValueError("a change takes effect on night 1 or later: night 0 is the seed data as it was written")
    if change.kind in ("rename_playlist", "new_playlist", "rename_artist") and not change.name:
        raise ValueError(f"{change.kind} needs a name")
    if change.kind == "rename_artist" and not change.ids:
        raise ValueError("rename_artist needs the artist's id in ids")
    if change.kind != "rename_artist" and not change.account:
        raise ValueError(f"{change.kind} needs an account")


def _check_fault(fault: Fault) -> None:
    _validate_choice("kind", fault.kind, FAULT_KINDS)
    _validate_choice("endpoint", fault.endpoint, (ANY_ENDPOINT, TOKEN_ENDPOINT, *FAULTY_ENDPOINTS))
    if fault.endpoint == TOKEN_ENDPOINT and fault.kind in API_FAULTS:
        raise ValueError(f"{fault.kind} does not happen at the endpoint {fault.endpoint}")
    if fault.kind in TOKEN_FAULTS and fault.endpoint != TOKEN_ENDPOINT:
        raise ValueError(f"{fault.kind} happens at the endpoint {TOKEN_ENDPOINT} only")
    if fault.at is not None:
        _validate_choice("at", fault.at, ("start", "middle"))


def _validate_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
