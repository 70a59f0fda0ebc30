"""One request and its response over HTTP, within a bounded time.

spotipy sends the requests. This module reads the responses, because spotipy discards parts that are needed: a body that
is not JSON, an error that is not an object, and Retry-After.
"""

import io
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import requests
import urllib3

_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class HttpLimits:
    """The limits of requests: timeouts and pauses in seconds, and the number of tries.

    One call takes at most ``max_tries`` times (``connect_s`` + ``read_s`` + ``total_s``), and its ``pauses_s``. Pauses
    that the API requests are limited individually (``retry_after_each_s``) and in total over the lifetime of an
    ``HttpClient`` (``retry_after_all_s``).
    """

    connect_s: float = 10
    read_s: float = 20
    total_s: float = 40
    pauses_s: tuple[float, ...] = (1, 2, 4)
    retry_after_each_s: float = 30
    retry_after_all_s: float = 120

    @property
    def max_tries(self) -> int:
        """Return the number of tries: the first one, and one after each pause."""
        return len(self.pauses_s) + 1


@dataclass(frozen=True)
class HttpResponse:
    """A complete HTTP response."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def parse_body(self) -> Any:
        """Return the parsed JSON of the body.

        :raises ValueError: if it is cut or not JSON (NaN and Infinity are not JSON).
        """
        try:
            return json.loads(self.content, parse_constant=_reject_constant)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def has_error_code(self, code: str) -> bool:
        """Return whether the response is an error with ``code`` as its code or reason."""
        try:
            body = self.parse_body()
        except ValueError:
            return False
        error = body.get("error") if isinstance(body, dict) else None
        inner = error if isinstance(error, dict) else {}
        return isinstance(body, dict) and code in [error, body.get("reason"), inner.get("reason")]

    def get_retry_after_s(self, now: datetime) -> float | None:
        """Return the pause that the response requests, in seconds, or None if it has no valid Retry-After."""
        value = self.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", value):
            return float(value)
        try:
            until = parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())


class BoundedSession(requests.Session):
    """A session without retries that stores the last response and limits the time of each."""

    def __init__(self, limits: HttpLimits) -> None:
        super().__init__()
        self.last_response: HttpResponse | None = None
        self._limits = limits
        self.auth = _return_unchanged  # Otherwise a .netrc file would replace the token by its own login.

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request, and read the whole response.

        :raises requests.RequestException: if the connection fails, breaks off or is too slow.
        """
        self.last_response = None
        deadline = time.monotonic() + self._limits.connect_s + self._limits.total_s
        kwargs |= {"stream": True, "timeout": (self._limits.connect_s, self._limits.read_s)}
        response = super().send(request, **kwargs)
        content = _read_content(response, deadline)
        response.raw = io.BytesIO(content)
        self.last_response = HttpResponse(response.status_code, response.headers, content)
        return response


def send_request(session: BoundedSession, send: Callable[[], object]) -> HttpResponse | None:
    """Return the response to ``send``, which sends one request through ``session``.

    :returns: None if no complete response arrived.
    """
    session.last_response = None
    try:
        send()
    except requests.RequestException:
        return session.last_response
    except Exception:
        # spotipy raises for each error status, and fails on responses of an unexpected form; the session has the
        # response in both cases. An exception without any response is a bug of this program.
        if session.last_response is None:
            raise
    return session.last_response


def _read_content(response: requests.Response, deadline: float) -> bytes:
    blocks = []
    try:
        # read1 returns the bytes that have arrived, so that a slow server cannot delay the check of the deadline.
        while block := response.raw.read1(_BLOCK_BYTES, decode_content=True):
            blocks.append(block)
            if time.monotonic() > deadline:
                response.close()
                raise requests.ReadTimeout("the answer took too long")
    except urllib3.exceptions.HTTPError as error:
        response.close()
        raise requests.ConnectionError(type(error).__name__) from None
    return b"".join(blocks)


def _return_unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
