"""The answers of one fetch: each kept at once in the run's folder, all of them one input of the lake in the end.

A fetch that was killed and is run again finds what it had asked and asks only the rest.
"""

import gzip
import hashlib
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ParamSpec

from etl.formats.contracts.api import BATCH_ENDPOINTS, EVENT_ENDPOINTS, PAGE_ENDPOINTS
from etl.storage.inputs import Lake, ReceivedInput

ORIGIN, FORMAT = "api", "spotify_answers"
COLUMNS = ("number", "asked_at", "account", "endpoint", "path", "query", "status", "body", "playlist_id", "snapshot_id")
ACCOUNT_ENDPOINTS = ("me", "my_playlists", *EVENT_ENDPOINTS)
ACCOUNT_FETCH_KINDS = ("account", "recently_played")
"""What is asked of an account, each a fetch of its own."""

_Parameters = ParamSpec("_Parameters")


@dataclass(frozen=True)
class ApiResponse:
    """One answer of the API, as received: a line of the input.

    ``account`` is the name of the account that asked. Playlist items know the playlist and the snapshot under which
    they were asked.
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
        """Whether it carries what was asked for."""
        return self.status == 200

    def is_about_resource(self) -> bool:
        """Whether it says something about the thing asked; a refusal may be about us (our mode, our rights), or about
        any one of many."""
        if self.endpoint in BATCH_ENDPOINTS:
            return self.is_success() or (self.status == 400 and "," not in self.query["ids"])
        return self.is_success() or self.endpoint not in ACCOUNT_ENDPOINTS

    def to_line(self) -> dict[str, Any]:
        """The answer as the input's line has it."""
        playlist_fields = ("playlist_id", "snapshot_id")
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in playlist_fields or self.endpoint == "playlist_items"
        }


def count_resources(response: ApiResponse) -> int:
    """The number of things in an answer: of a page its items, of a batch its list (nulls counted), else 1; 0 of a
    refusal."""
    if not response.is_success():
        return 0
    if response.endpoint in PAGE_ENDPOINTS:
        return len(response.body["items"])
    if response.endpoint == "followed_artists":
        return len(response.body["artists"]["items"])
    if response.endpoint in BATCH_ENDPOINTS:
        return len(response.body[response.endpoint])
    return 1


def build_fetch_name(kind: str, name: str) -> str:
    """What the fetch of one of ``ACCOUNT_PARTS`` of the account ``name`` is called, in the lake and in the audit."""
    return f"{kind}-{name}"


def read_lines(lake: Lake, received: ReceivedInput) -> Iterator[dict[str, Any]]:
    """The lines of an input."""
    with lake.open_input(received) as compressed, gzip.open(compressed, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def compress_lines(lines: Iterable[dict[str, Any]]) -> bytes:
    """Lines as the bytes of an input; equal lines are equal bytes."""
    content = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as file:
        for line in lines:
            file.write(_encode_json(line) + b"\n")
    return content.getvalue()


def count_event_resources(lake: Lake, received: ReceivedInput) -> int:
    """The number of things in an input that tell of something that its account did, counted from its lines."""
    values = (line for line in read_lines(lake, received) if line["endpoint"] in EVENT_ENDPOINTS)
    return sum(
        count_resources(
            ApiResponse(**{field: field_value for field, field_value in value.items() if field != "number"})
        )
        for value in values
    )


class ResponseStore:
    """The answers of one fetch ``part`` of the run ``run_id``."""

    def __init__(self, lake: Lake, run_id: str, fetch_name: str) -> None:
        """
        :param part: names the fetch within the run, and the file of its input; letters, digits, - and _.
        """
        self._lake, self._run_id, self._fetch_name = lake, run_id, fetch_name
        self._folder = f"answers/{fetch_name}"
        self._number: int | None = None
        self.replay_counts: Counter[str] = Counter()
        """How many answers were found kept, by endpoint."""

    def fetch_once(
        self, method: Callable[_Parameters, ApiResponse], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> ApiResponse:
        """The answer to ``method(…)``: the one kept by an earlier try, else a new one, which is then kept.

        A refusal that is about the account's rights is not kept: they may be given meanwhile.
        """
        request = json.dumps([getattr(method, "__name__", ""), args, kwargs], sort_keys=True)
        name = f"{hashlib.sha256(request.encode()).hexdigest()[:32]}.json"
        stored = self._read_response(name)
        if stored is not None:
            self.replay_counts[stored.endpoint] += 1
            return stored
        response = method(*args, **kwargs)
        if response.is_about_resource() or response.endpoint in BATCH_ENDPOINTS:
            self._store_response(name, response)
        return response

    def store_input(self, received_at: datetime) -> ReceivedInput | None:
        """Bring what was kept into the lake as one input; the same answers are the same bytes.

        :returns: the lake's note, or None where no answer says anything.
        """
        responses = [response for response in self.read_stored_responses() if response.is_about_resource()]
        if not responses:
            return None
        with tempfile.TemporaryFile() as content:
            # Neither name nor time in gzip's header: equal answers are equal bytes.
            with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as compressed:
                for number, response in enumerate(responses):
                    compressed.write(_encode_json({"number": number, **response.to_line()}) + b"\n")
            size = content.tell()
            content.seek(0)
            input_id = hashlib.file_digest(content, "sha256").hexdigest()[:16]
            content.seek(0)
            name = f"{self._fetch_name}.jsonl.gz"
            received = ReceivedInput(
                input_id=input_id,
                origin=ORIGIN,
                name=name,
                format=FORMAT,
                encoding="utf-8",
                delimiter="",
                columns=COLUMNS,
                row_count=sum(count_resources(response) for response in responses),
                size_bytes=size,
                received_at=received_at.isoformat(),
                url=self._lake.build_input_url(ORIGIN, input_id, name),
            )
            return self._lake.store_input(content, received)

    def _read_response(self, name: str) -> ApiResponse | None:
        content = self._lake.read_bytes(self._run_id, f"{self._folder}/{name}")
        numbered_response = _parse_numbered_response(content)
        return numbered_response[1] if numbered_response else None

    def _store_response(self, name: str, response: ApiResponse) -> None:
        if self._number is None:
            self._number = len(self._lake.find_checkpoint_names(self._run_id, self._folder))
        content = _encode_json({"number": self._number, **asdict(response)})
        self._lake.write_bytes(self._run_id, f"{self._folder}/{name}", content)
        self._number += 1

    def read_stored_responses(self) -> list[ApiResponse]:
        """All that is kept, in the order asked."""
        names = self._lake.find_checkpoint_names(self._run_id, self._folder)
        contents = [self._lake.read_bytes(self._run_id, f"{self._folder}/{name}") for name in names]
        numbered_responses = [
            numbered_response for numbered_response in map(_parse_numbered_response, contents) if numbered_response
        ]
        return [response for _, response in sorted(numbered_responses, key=lambda pair: (pair[0], pair[1].asked_at))]


def _encode_json(value: dict[str, Any]) -> bytes:
    # Escaped, because names may hold halves of surrogate pairs, which UTF-8 has no bytes for.
    return json.dumps(value, ensure_ascii=True).encode()


def _parse_numbered_response(content: bytes | None) -> tuple[int, ApiResponse] | None:
    """A kept answer and its place in the order asked; None where there is none, or a machine that stopped cut it."""
    try:
        value = json.loads(content or b"")
    except ValueError:
        return None
    return value.pop("number"), ApiResponse(**value)
