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
from etl.extract.spotify.exchange import Exchange, Limits, Session, carried

log = logging.getLogger(__name__)

_REFUSALS = (400, 401, 403, 404, 410)
_PASSING = (408, 425)

Sleep = Callable[[float], None]
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, with its timezone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Reply:
    """An answer that says something: what was asked for, or a refusal."""

    status: int
    body: Any
    exchange: Exchange


class Caller:
    """Asks, waits and asks again; ``calls`` counts each request that was sent, by endpoint."""

    def __init__(self, limits: Limits, clock: Clock = utc_now, sleep: Sleep = time.sleep) -> None:
        self.session = Session(limits)
        self.limits = limits
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.waited_s = 0.0
        self._sleep = sleep

    def call(self, endpoint: str, ask: Callable[[], object], is_promised: Callable[[Any], bool]) -> Reply:
        """The first answer to ``ask`` that says something.

        :param ask: sends one request through ``session``.
        :param is_promised: whether the body of a 200 is what the endpoint promises.
        :raises QuotaUsedUpError: where the quota is used up.
        :raises RateLimitedError: where the pause asked for is longer than a worker should sleep.
        :raises TryAgainError: where some tries have brought nothing.
        :raises ActionNeededError: where the server does not speak as the API does.
        """
        tried, problem = 0, ""
        while tried < self.limits.tries:
            if tried:
                self._sleep(self.limits.pauses_s[tried - 1])
            self.calls[endpoint] += 1
            exchange = carried(self.session, ask)
            while exchange is not None and exchange.status == 429:
                self._wait(exchange)
                self.calls[endpoint] += 1
                exchange = carried(self.session, ask)
            reply, problem = _judged(endpoint, exchange, is_promised)
            if reply is not None:
                return reply
            tried += 1
            log.info("Spotify, %s: %s (try %d of %d)", endpoint, problem, tried, self.limits.tries)
        raise TryAgainError(f"Spotify did not answer {self.limits.tries} times ({endpoint}, at last {problem}).")

    def _wait(self, exchange: Exchange) -> None:
        if exchange.says("QUOTA_EXCEEDED"):
            raise QuotaUsedUpError(
                "The quota of the Spotify developer account is used up (QUOTA_EXCEEDED): what was fetched is kept, "
                "the next run goes on from there."
            )
        asked_s = exchange.retry_after_s(self.clock())
        pause_s = max(1.0, self.limits.pauses_s[-1] if asked_s is None else asked_s)
        left_s = self.limits.retry_after_all_s - self.waited_s
        if pause_s > min(self.limits.retry_after_each_s, left_s):
            raise RateLimitedError(f"Spotify asks for a pause of {pause_s:,.0f} s (rate limit).", pause_s)
        log.info("Spotify asks for a pause of %.0f s (rate limit).", pause_s)
        self.waited_s += pause_s
        self._sleep(pause_s)


def _judged(endpoint: str, exchange: Exchange | None, is_promised: Callable[[Any], bool]) -> tuple[Reply | None, str]:
    """The reply, or what was wrong that may pass."""
    if exchange is None:
        return None, "no whole answer came"
    if exchange.status >= 500 or exchange.status in _PASSING:
        return None, f"it answered {exchange.status}"
    if exchange.status not in (200, *_REFUSALS):
        raise ActionNeededError(
            f"Spotify answered {exchange.status} to {endpoint}, which its API never does: is SPOTIFY_API_URL right, "
            "or does a proxy stand between?"
        )
    try:
        body = exchange.body()
    except ValueError:
        return None, "the answer was cut or no JSON"
    if not isinstance(body, dict) or (exchange.status == 200 and not is_promised(body)):
        return None, "the answer was not of the promised form"
    return Reply(exchange.status, body, exchange), ""
