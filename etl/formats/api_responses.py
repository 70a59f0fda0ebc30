"""Responses of the Spotify API: a response, its resources, and the JSON lines of an input of the lake."""

import dataclasses
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from etl.formats.compression import open_deterministic_gzip
from etl.formats.contracts.api import (
    BATCH_ENDPOINTS,
    EVENT_ENDPOINTS,
    FEATURE_ENDPOINT,
    ID_LIST_ENDPOINTS,
    PAGE_ENDPOINTS,
)

ORIGIN, FORMAT = "api", "spotify_answers"
COLUMNS = ("number", "asked_at", "account", "endpoint", "path", "query", "status", "body", "playlist_id", "snapshot_id")
ACCOUNT_ENDPOINTS = ("me", "my_playlists", *EVENT_ENDPOINTS)

ResponseLine = dict[str, Any]
"""A line of an input: ``COLUMNS`` by name. ``number`` is the response's position in its input."""


@dataclass(frozen=True)
class ApiResponse:
    """A response of the API, as received.

    ``asked_at`` is an ISO 8601 timestamp with its timezone. ``account`` is the name of the account that sent the
    request; None for the app itself. Responses with playlist items have the playlist's id and its snapshot.
    """

    asked_at: str
    account: str | None
    endpoint: str
    path: str
    query: dict[str, Any]
    status: int
    body: Any
    playlist_id: str | None = None
    snapshot_id: str | None = None

    def is_success(self) -> bool:
        """Return whether the response has the requested resources."""
        return self.status == 200

    def is_about_resource(self) -> bool:
        """Return whether the response is about the requested resource.

        An error may instead be about the app's mode, about the account's rights, or about one id of a batch.
        """
        if self.endpoint in ID_LIST_ENDPOINTS:
            return self.is_success() or (self.status == 400 and "," not in self.query["ids"])
        return self.is_success() or self.endpoint not in ACCOUNT_ENDPOINTS

    def to_line(self, number: int) -> ResponseLine:
        """Return the line of an input, with the response's position."""
        playlist_fields = ("playlist_id", "snapshot_id")
        fields = {
            name: value
            for name, value in self.get_fields().items()
            if name not in playlist_fields or self.endpoint == "playlist_items"
        }
        return {"number": number, **fields}

    def get_fields(self) -> dict[str, Any]:
        """Return the fields by name, with the body itself: a copy of a page takes longer than to parse it."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def parse_line(line: ResponseLine) -> ApiResponse:
    """Parse the line of an input into a response."""
    return ApiResponse(**{name: value for name, value in line.items() if name != "number"})


def count_resources(response: ApiResponse) -> int:
    """Return the number of resources in a response; 0 for an error.

    A page counts its items, a batch the elements of its list with the nulls, any other response 1.
    """
    if not response.is_success():
        return 0
    if response.endpoint in PAGE_ENDPOINTS:
        return len(response.body["items"])
    if response.endpoint == "followed_artists":
        return len(response.body["artists"]["items"])
    if response.endpoint in BATCH_ENDPOINTS:
        return len(response.body[response.endpoint])
    if response.endpoint == FEATURE_ENDPOINT:
        return len(response.body["content"])
    return 1


def count_resources_in_lines(lines: Iterable[ResponseLine]) -> int:
    """Return the number of resources in lines, which is the row count of their input."""
    return sum(count_resources(parse_line(line)) for line in lines)


def count_event_resources(lines: Iterable[ResponseLine]) -> int:
    """Return the number of resources in lines that are events of an account, such as plays and saved tracks."""
    return count_resources_in_lines(line for line in lines if line["endpoint"] in EVENT_ENDPOINTS)


def get_item_track(item: dict[str, Any]) -> Any:
    """Return the track of a page's item; None for an item without one.

    Playlist items have it as ``item`` in development mode; all other items have it as ``track``.
    """
    return item.get("item") or item.get("track")


def encode_json(value: dict[str, Any]) -> bytes:
    """Return JSON in ASCII: names may contain halves of surrogate pairs, which UTF-8 cannot encode."""
    return json.dumps(value, ensure_ascii=True).encode()


def compress_lines(lines: Iterable[ResponseLine]) -> bytes:
    """Return lines as the bytes of an input; equal lines give equal bytes."""
    content = io.BytesIO()
    with open_deterministic_gzip(content) as file:
        for line in lines:
            file.write(encode_json(line) + b"\n")
    return content.getvalue()
