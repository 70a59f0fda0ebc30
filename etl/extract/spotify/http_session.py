"""One request and its answer over HTTP, within a bounded time.

spotipy makes the requests; what came back is read here, because spotipy's own view of it loses what matters: the body
of an answer that is no JSON, an error that is no object, Retry-After.
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
    """How long things may last, in seconds, and how often they are tried.

    One call lasts at most ``tries`` times (``connect_s`` + ``read_s`` + ``whole_s``) and its ``pauses_s``; pauses
    that the API asks for are bounded each, and in sum over the life of a ``Caller``.
    """

    connect_s: float = 10
    read_s: float = 20
    total_s: float = 40
    pauses_s: tuple[float, ...] = (1, 2, 4)
    retry_after_each_s: float = 30
    retry_after_all_s: float = 120

    @property
    def max_tries(self) -> int:
        """The first try and one after each pause."""
        return len(self.pauses_s) + 1


@dataclass(frozen=True)
class HttpResponse:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def parse_body(self) -> Any:
        """The JSON of the answer.

        :raises ValueError: where it is cut or no JSON (NaN and Infinity are none).
        """
        try:
            return json.loads(self.content, parse_constant=_reject_constant)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def has_error_code(self, code: str) -> bool:
        """Whether the error of the answer carries ``word`` as its code or reason."""
        try:
            body = self.parse_body()
        except ValueError:
            return False
        error = body.get("error") if isinstance(body, dict) else None
        inner = error if isinstance(error, dict) else {}
        return isinstance(body, dict) and code in [error, body.get("reason"), inner.get("reason")]

    def get_retry_after_s(self, now: datetime) -> float | None:
        """The pause that the answer asks for, or None where it names none that can be read."""
        value = self.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", value):
            return float(value)
        try:
            until = parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())


class BoundedSession(requests.Session):
    """A session without retries of its own that keeps the last answer and bounds the time of each."""

    def __init__(self, limits: HttpLimits) -> None:
        super().__init__()
        self.last_response: HttpResponse | None = None
        self._limits = limits
        self.auth = _return_unchanged  # else a .netrc would put its own login in place of the token

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, and read the whole answer.

        :raises requests.RequestException: where the connection fails, breaks off or is too slow.
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
    """What a server answers to ``ask``, which sends one request through ``session``.

    :returns: None where no whole answer came.
    """
    session.last_response = None
    try:
        send()
    except requests.RequestException:
        return session.last_response
    except Exception:
        # spotipy raises for each refusal, and stumbles over answers that are not as it expects; what was answered
        # stands in the session. Where nothing was answered, the mistake is ours.
        if session.last_response is None:
            raise
    return session.last_response


def _read_content(response: requests.Response, deadline: float) -> bytes:
    blocks = []
    try:
        # One block is what has come, so that a server that drips cannot keep us.
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
