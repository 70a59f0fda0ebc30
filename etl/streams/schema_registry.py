"""Schemas of values in the Confluent wire format: a zero byte, the schema's id in four bytes, and the Avro datum."""

import json
import time
from functools import cache
from typing import Any

import requests

from etl.errors import ActionNeededError, TryAgainError
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract

_MAGIC_BYTE = b"\x00"
PREFIX_BYTES = 5
_REQUEST_SECONDS = 10
_UNKNOWN_SECONDS = 300.0
_MAX_UNKNOWN_SCHEMAS = 200
"""So many unknown ids are looked up within that time: a flood of random ids must not hold up the others."""
UNLIMITED_SCHEMAS = 10
"""So many ids of each batch, those of the most messages, are looked up beyond that number: a flood of random ids must
not hide the schema of the producers."""
_known_schemas: dict[tuple[str, int], dict[str, Any]] = {}
_unknown_schemas: dict[tuple[str, int], tuple[str, float]] = {}
"""The reason and the time until which a schema is not asked for again, by registry and id."""


class UnknownSchemaError(ValueError):
    """A schema id that the registry does not know, or a schema of other records; the message says which."""


def read_schema_id(value: bytes) -> int | None:
    """Return the schema id that a value begins with; None if it is not in the Confluent wire format."""
    if len(value) < PREFIX_BYTES or not value.startswith(_MAGIC_BYTE):
        return None
    return int.from_bytes(value[len(_MAGIC_BYTE) : PREFIX_BYTES], "big")


def fetch_schema(registry_url: str, user_info: str, schema_id: int, is_limited: bool = True) -> dict[str, Any]:
    """Return a schema of the registry; schemas never change, so each is fetched once.

    An unknown schema may be registered later, so it is asked for again after a while. Beyond a number of unknown ids,
    further ids are not asked for until then, and count as unknown.

    :param user_info: ``user:password``, or an empty text.
    :param is_limited: whether that number applies to this id.
    :raises UnknownSchemaError: if the registry does not know the id, or it is not a schema of UserActivity.
    :raises TryAgainError: if the registry does not respond as expected.
    :raises ActionNeededError: if it refuses the user.
    """
    if (schema := _known_schemas.get((registry_url, schema_id))) is not None:
        return schema
    reason, expires_at = _unknown_schemas.get((registry_url, schema_id), ("", 0.0))
    if time.monotonic() < expires_at:
        raise UnknownSchemaError(reason)
    _drop_expired_ids()
    if is_limited and len(_unknown_schemas) >= _MAX_UNKNOWN_SCHEMAS:
        raise UnknownSchemaError(
            f"the schema {schema_id} is not looked up, because {_MAX_UNKNOWN_SCHEMAS} others were unknown just before"
        )
    try:
        schema = _known_schemas[registry_url, schema_id] = _fetch_schema(registry_url, user_info, schema_id)
    except UnknownSchemaError as error:
        _unknown_schemas[registry_url, schema_id] = str(error), time.monotonic() + _UNKNOWN_SECONDS
        raise
    return schema


def _drop_expired_ids() -> None:
    now = time.monotonic()
    for key, (_, expires_at) in list(_unknown_schemas.items()):
        if expires_at <= now:
            del _unknown_schemas[key]


def _fetch_schema(registry_url: str, user_info: str, schema_id: int) -> dict[str, Any]:
    user, _, password = user_info.partition(":")
    url = f"{registry_url.rstrip('/')}/schemas/ids/{schema_id}"
    try:
        response = _get_session().get(url, auth=(user, password) if user else None, timeout=_REQUEST_SECONDS)
    except requests.RequestException as error:
        raise TryAgainError(f"The schema registry {registry_url} does not respond ({type(error).__name__}).") from error
    if response.status_code == requests.codes.not_found:
        raise UnknownSchemaError(f"the schema registry has no schema {schema_id}")
    if response.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
        raise ActionNeededError(f"The schema registry {registry_url} refuses the user: set SCHEMA_REGISTRY_USER_INFO.")
    if not response.ok:
        raise TryAgainError(f"The schema registry {registry_url} responds with the status {response.status_code}.")
    return _parse_schema(_read_schema_text(response, registry_url), schema_id)


@cache
def _get_session() -> requests.Session:
    """Return a session of this process, which keeps its connection for further requests."""
    return requests.Session()


def _read_schema_text(response: requests.Response, registry_url: str) -> str:
    """Return the schema of a response; another response is that of a proxy or of another server."""
    try:
        text = response.json()["schema"]
    except (ValueError, LookupError, TypeError) as error:
        raise TryAgainError(f"The schema registry {registry_url} responds without a schema.") from error
    if not isinstance(text, str):
        raise TryAgainError(f"The schema registry {registry_url} responds without a schema.")
    return text


def _parse_schema(text: str, schema_id: int) -> dict[str, Any]:
    expected_name = load_contract(LATEST_CONTRACT["user_activity"])["name"]
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):  # A schema of another format, such as Protobuf.
        schema = None
    if not isinstance(schema, dict) or str(schema.get("name")).rpartition(".")[2] != expected_name:
        raise UnknownSchemaError(f"the schema {schema_id} is not one of {expected_name}")
    return schema
