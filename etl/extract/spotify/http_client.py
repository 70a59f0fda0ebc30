"""Patience: which answers are waited for or asked again, and what is raised where that does not help.

| what comes | what is done |
| --- | --- |
| 2xx, whole and of the promised shape | given back |
| 400, 401, 403, 404, 410, an error in JSON | given back: the caller knows what they are about |
| 429 with the reason QUOTA_EXCEEDED | QuotaUsedUpError at once |
| 429 | waited for as long as it asks (30 s each, 120 s in all, see Limits); RateLimitedError beyond that |
| 408, 425, 5xx, no answer, a late one, cut or invalid JSON, another shape than promised | a few tries with growing \
pauses, then TryAgainError |
| any other | ActionNeededError |
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from etl.errors import ActionNeededError, QuotaUsedUpError, RateLimitedError, TryAgainError
from etl.extract.spotify.http_session import BoundedSession, HttpLimits, HttpResponse, send_request

log = logging.getLogger(__name__)

_REPORTED_STATUSES = (400, 401, 403, 404, 410)
_RETRYABLE_STATUSES = (408, 425)

Sleep = Callable[[float], None]
Clock = Callable[[], datetime]


def get_utc_now() -> datetime:
    """The time, with its timezone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class JsonResponse:
    """An answer that says something: what was asked for, or a refusal."""

    status: int
    body: Any
    response: HttpResponse


class HttpClient:
    """Asks, waits and asks again; ``calls`` counts each request that was sent, by endpoint."""

    def __init__(self, limits: HttpLimits, clock: Clock = get_utc_now, sleep: Sleep = time.sleep) -> None:
        self.session = BoundedSession(limits)
        self.limits = limits
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.waited_s = 0.0
        self._sleep = sleep

    def send_with_retries(
        self, endpoint: str, send: Callable[[], object], is_expected: Callable[[Any], bool]
    ) -> JsonResponse:
        """The first answer to ``ask`` that says something.

        :param ask: sends one request through ``session``.
        :param is_promised: whether the body of a 200 is what the endpoint promises.
        :raises QuotaUsedUpError: where the quota is used up.
        :raises RateLimitedError: where the pause asked for is longer than a worker should sleep.
        :raises TryAgainError: where some tries have brought nothing.
        :raises ActionNeededError: where the server does not speak as the API does.
        """
        try_count, problem = 0, ""
        while try_count < self.limits.max_tries:
            if try_count:
                self._sleep(self.limits.pauses_s[try_count - 1])
            self.calls[endpoint] += 1
            response = send_request(self.session, send)
            while response is not None and response.status == 429:
                self._wait_for_rate_limit(response)
                self.calls[endpoint] += 1
                response = send_request(self.session, send)
            reply, problem = _validate_response(endpoint, response, is_expected)
            if reply is not None:
                return reply
            try_count += 1
            log.info("Spotify, %s: %s (try %d of %d)", endpoint, problem, try_count, self.limits.max_tries)
        raise TryAgainError(f"Spotify did not answer {self.limits.max_tries} times ({endpoint}, at last {problem}).")

    def _wait_for_rate_limit(self, response: HttpResponse) -> None:
        if response.has_error_code("QUOTA_EXCEEDED"):
            raise QuotaUsedUpError(
                "The quota of the Spotify developer account is used up (QUOTA_EXCEEDED): what was fetched is kept, "
                "the next run goes on from there."
            )
        requested_s = response.get_retry_after_s(self.clock())
        pause_s = max(1.0, self.limits.pauses_s[-1] if requested_s is None else requested_s)
        remaining_s = self.limits.retry_after_all_s - self.waited_s
        if pause_s > min(self.limits.retry_after_each_s, remaining_s):
            raise RateLimitedError(f"Spotify asks for a pause of {pause_s:,.0f} s (rate limit).", pause_s)
        log.info("Spotify asks for a pause of %.0f s (rate limit).", pause_s)
        self.waited_s += pause_s
        self._sleep(pause_s)


def _validate_response(
    endpoint: str, response: HttpResponse | None, is_expected: Callable[[Any], bool]
) -> tuple[JsonResponse | None, str]:
    """The reply, or what was wrong that may pass."""
    if response is None:
        return None, "no whole answer came"
    if response.status >= 500 or response.status in _RETRYABLE_STATUSES:
        return None, f"it answered {response.status}"
    if response.status not in (200, *_REPORTED_STATUSES):
        raise ActionNeededError(
            f"Spotify answered {response.status} to {endpoint}, which its API never does: is SPOTIFY_API_URL right, "
            "or does a proxy stand between?"
        )
    try:
        body = response.parse_body()
    except ValueError:
        return None, "the answer was cut or no JSON"
    if not isinstance(body, dict) or (response.status == 200 and not is_expected(body)):
        return None, "the answer was not of the promised form"
    return JsonResponse(response.status, body, response), ""
