"""Requests with retries and waits, and the errors raised if these do not help.

| response | result |
| --- | --- |
| 200, complete and of the expected form | returned |
| 400, 401, 403, 404, 410, an error in JSON | returned: the caller interprets them |
| 429 with the reason QUOTA_EXCEEDED | QuotaUsedUpError at once |
| 429 | a pause as long as requested (30 s each, 120 s in total, see HttpLimits); RateLimitedError beyond that |
| 408, 425, 5xx, none, a late one, cut or invalid JSON, an unexpected form | a few tries with growing pauses, then \
TryAgainError |
| any other | ActionNeededError |
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tenacity import Retrying, after_log, retry_if_exception_type, stop_after_attempt, wait_chain, wait_fixed

from etl.errors import ActionNeededError, QuotaUsedUpError, RateLimitedError, TryAgainError
from etl.extract.spotify.http_session import BoundedSession, HttpLimits, HttpResponse, send_request

log = logging.getLogger(__name__)

_REPORTED_STATUSES = (400, 401, 403, 404, 410)
_RETRYABLE_STATUSES = (408, 425)

Sleep = Callable[[float], None]
Clock = Callable[[], datetime]


def get_utc_now() -> datetime:
    """Return the current time, with its timezone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class JsonResponse:
    """A response in JSON: the requested resources, or an error."""

    status: int
    body: Any
    response: HttpResponse


class _UnusableResponseError(Exception):
    """An unusable response; another try may get a usable one. The message says what is wrong."""


@dataclass(frozen=True)
class Service:
    """The service that a client calls, as messages name it, and the setting with its address."""

    name: str
    url_setting: str


SPOTIFY = Service("Spotify", "SPOTIFY_API_URL")


class HttpClient:
    """A client that sends requests with retries and waits; ``calls`` counts each request sent, by endpoint."""

    def __init__(
        self, limits: HttpLimits, clock: Clock = get_utc_now, sleep: Sleep = time.sleep, service: Service = SPOTIFY
    ) -> None:
        self._service = service
        self.session = BoundedSession(limits)
        self.limits = limits
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.waited_s = 0.0
        self._sleep = sleep

    def send_with_retries(
        self, endpoint: str, send: Callable[[], object], is_expected: Callable[[Any], bool]
    ) -> JsonResponse:
        """Send a request until the response is usable, and return it.

        :param send: sends one request through ``session``.
        :param is_expected: whether the body of a 200 has the form of the endpoint.
        :raises QuotaUsedUpError: if the quota is used up.
        :raises RateLimitedError: if the requested pause is longer than a worker should sleep.
        :raises TryAgainError: if no try gets a usable response.
        :raises ActionNeededError: if the server does not respond as the API does.
        """
        max_tries = self.limits.max_tries
        retrying = Retrying(
            stop=stop_after_attempt(max_tries),
            wait=wait_chain(*map(wait_fixed, self.limits.pauses_s)),
            retry=retry_if_exception_type(_UnusableResponseError),
            after=after_log(log, logging.INFO),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._send_within_rate_limit, endpoint, send, is_expected)
        except _UnusableResponseError as error:
            raise TryAgainError(
                f"{self._service.name} did not answer {max_tries} times ({endpoint}, at last {error})."
            ) from None

    def _send_within_rate_limit(
        self, endpoint: str, send: Callable[[], object], is_expected: Callable[[Any], bool]
    ) -> JsonResponse:
        self.calls[endpoint] += 1
        response = send_request(self.session, send)
        while response is not None and response.status == 429:
            self._wait_for_rate_limit(response)
            self.calls[endpoint] += 1
            response = send_request(self.session, send)
        return _parse_response(self._service, endpoint, response, is_expected)

    def _wait_for_rate_limit(self, response: HttpResponse) -> None:
        if response.has_error_code("QUOTA_EXCEEDED"):
            raise QuotaUsedUpError(
                "The quota of the Spotify developer account is used up (QUOTA_EXCEEDED). Fetched responses are stored; "
                "the next run continues from there."
            )
        requested_s = response.get_retry_after_s(self.clock())
        pause_s = max(1.0, self.limits.pauses_s[-1] if requested_s is None else requested_s)
        remaining_s = self.limits.retry_after_all_s - self.waited_s
        if pause_s > min(self.limits.retry_after_each_s, remaining_s):
            raise RateLimitedError(f"{self._service.name} asks for a pause of {pause_s:,.0f} s (rate limit).", pause_s)
        log.info("%s asks for a pause of %.0f s (rate limit).", self._service.name, pause_s)
        self.waited_s += pause_s
        self._sleep(pause_s)


def _parse_response(
    service: Service, endpoint: str, response: HttpResponse | None, is_expected: Callable[[Any], bool]
) -> JsonResponse:
    """Return the response in JSON; raise _UnusableResponseError if another try may help."""
    if response is None:
        raise _UnusableResponseError("no complete response")
    if response.status >= 500 or response.status in _RETRYABLE_STATUSES:
        raise _UnusableResponseError(f"status {response.status}")
    if response.status not in (200, *_REPORTED_STATUSES):
        raise ActionNeededError(
            f"{service.name} returned status {response.status} for {endpoint}, which its API never does: is "
            f"{service.url_setting} right, or is there a proxy in between?"
        )
    try:
        body = response.parse_body()
    except ValueError:
        raise _UnusableResponseError("a response that is cut or not JSON") from None
    if not isinstance(body, dict) or (response.status == 200 and not is_expected(body)):
        raise _UnusableResponseError("a response of an unexpected form")
    return JsonResponse(response.status, body, response)
