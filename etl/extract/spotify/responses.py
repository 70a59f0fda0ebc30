"""The responses of one fetch: stored one by one in the run's checkpoints, and as one input of the lake at the end.

A fetch that was killed and runs again takes the stored responses and requests only the others.
"""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import ParamSpec

from etl.formats.api_responses import (
    COLUMNS,
    FORMAT,
    ORIGIN,
    ApiResponse,
    compress_lines,
    count_resources,
    encode_json,
    parse_line,
)
from etl.formats.contracts.api import ID_LIST_ENDPOINTS
from etl.storage.checkpoints import RESPONSE_FOLDER
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

ACCOUNT_FETCH_KINDS = ("account", "recently_played")
"""Kinds of fetches of an account; each account has a fetch of each kind."""

_Parameters = ParamSpec("_Parameters")


def build_fetch_name(kind: str, account_name: str) -> str:
    """Return the name of an account's fetch in the lake and in the audit, for one of ``ACCOUNT_FETCH_KINDS``."""
    return f"{kind}-{account_name}"


class ResponseStore:
    """The responses of one fetch of a run."""

    def __init__(
        self, lake: Lake, run_id: str, fetch_name: str, origin: str = ORIGIN, input_format: str = FORMAT
    ) -> None:
        """Create the store of one fetch.

        :param fetch_name: names the fetch within the run, and the file of its input; letters, digits, - and _.
        :param origin: the lake's folder for the input.
        :param input_format: the format of the input, which names the service and whether it is a mock.
        """
        self._origin, self._format = origin, input_format
        self._lake, self._run_id, self._fetch_name = lake, run_id, fetch_name
        self._folder = f"{RESPONSE_FOLDER}/{fetch_name}"
        self._next_number: int | None = None
        self.replay_counts: Counter[str] = Counter()
        """The number of responses taken from an earlier try, by endpoint."""

    def fetch_once(
        self, method: Callable[_Parameters, ApiResponse], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> ApiResponse:
        """Return the response that an earlier try stored for this call, else call ``method(…)`` and store its response.

        A denial that is about the account's rights is not stored: the user may grant them meanwhile.
        """
        request = json.dumps([getattr(method, "__name__", ""), args, kwargs], sort_keys=True)
        name = f"{hashlib.sha256(request.encode()).hexdigest()[:32]}.json"
        numbered_response = self._read_response(name)
        if numbered_response is not None:
            self.replay_counts[numbered_response[1].endpoint] += 1
            return numbered_response[1]
        response = method(*args, **kwargs)
        if response.is_about_resource() or response.endpoint in ID_LIST_ENDPOINTS:
            self._store_response(name, response)
        return response

    def store_input(self, received_at: datetime) -> ReceivedInput | None:
        """Store the responses in the lake as one input; the same responses are the same input.

        :returns: the manifest in the lake, or None if no response is about a resource.
        """
        responses = [response for response in self.read_stored_responses() if response.is_about_resource()]
        if not responses:
            return None
        content = compress_lines(response.to_line(number) for number, response in enumerate(responses))
        received = ReceivedInput(
            input_id=hashlib.sha256(content).hexdigest()[:16],
            origin=self._origin,
            name=f"{self._fetch_name}.jsonl.gz",
            format=self._format,
            encoding="utf-8",
            delimiter="",
            columns=COLUMNS,
            row_count=sum(map(count_resources, responses)),
            size_bytes=len(content),
            received_at=received_at.isoformat(),
        )
        return self._lake.inputs.store_input(io.BytesIO(content), received)

    def read_stored_responses(self) -> list[ApiResponse]:
        """Return all stored responses, in the order of their requests."""
        names = self._lake.checkpoints.list_names(self._run_id, self._folder)
        numbered_responses = [response for response in map(self._read_response, names) if response]
        return [response for _, response in sorted(numbered_responses, key=lambda pair: (pair[0], pair[1].asked_at))]

    def _read_response(self, name: str) -> tuple[int, ApiResponse] | None:
        """Return a stored response and its number; None if it is missing, or cut because the machine stopped."""
        content = self._lake.checkpoints.read_bytes(self._run_id, f"{self._folder}/{name}")
        try:
            line = json.loads(content or b"")
        except ValueError:
            return None
        return line["number"], parse_line(line)

    def _store_response(self, name: str, response: ApiResponse) -> None:
        if self._next_number is None:
            self._next_number = len(self._lake.checkpoints.list_names(self._run_id, self._folder))
        content = encode_json({"number": self._next_number, **response.get_fields()})
        self._lake.checkpoints.write_bytes(self._run_id, f"{self._folder}/{name}", content)
        self._next_number += 1
