"""One fetch of the catalogue: audio features never asked, then the tracks, artists and albums asked longest ago.

In extended mode by batches; in development mode one by one, and no audio features. Which it is, the first batch tells.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etl.errors import QuotaUsedUpError
from etl.extract.spotify.answers import Answer, Answers
from etl.extract.spotify.api import BATCH_SIZES, Api, Mode, is_spotify_id
from etl.extract.spotify.fetched import Fetched, finished
from etl.schemas.api import BATCHES

log = logging.getLogger(__name__)

SINGLE = {"tracks": "track", "artists": "artist", "albums": "album"}
"""The endpoint for one, by that for many."""


@dataclass(frozen=True)
class Wanted:
    """Ids to ask about: ``features`` of tracks whose audio features were never asked, the others stalest first."""

    features: Sequence[str] = ()
    tracks: Sequence[str] = ()
    artists: Sequence[str] = ()
    albums: Sequence[str] = ()


def fetch_catalogue(api: Api, wanted: Wanted, call_budget: int, answers: Answers) -> Fetched:
    """Ask about the catalogue, and bring the answers into the lake.

    :param call_budget: bounds the calls for tracks, artists and albums, who share it by the lengths of their lists.
    :returns: also where the quota ended the fetch; what was fetched is in the lake then.
    :raises EtlError: as ``fetch_account`` does.
    """
    fetch = _Fetch(api, wanted, answers)
    calls_before, is_quota_left = Counter(api.calls), True
    try:
        fetch.fetch_features()
        fetch.fetch_stalest(call_budget)
    except QuotaUsedUpError as error:
        log.warning("The catalogue: %s", error)
        is_quota_left = False
    return finished(api, answers, calls_before, {} if is_quota_left else fetch.left(), is_quota_left)


@dataclass(frozen=True)
class Call:
    """One planned call: the ids to ask for, of ``kind`` tracks, artists or albums."""

    kind: str
    ids: tuple[str, ...]
    order: float


class _Fetch:
    """The steps of one fetch, and the ids that are not asked yet."""

    def __init__(self, api: Api, wanted: Wanted, answers: Answers) -> None:
        self._api, self._answers = api, answers
        self._features = _asked_once(wanted.features)
        self._waiting = {kind: _asked_once(getattr(wanted, kind)) for kind in SINGLE}

    def fetch_features(self) -> None:
        """Ask audio features by batches; the first refusal ends it, for that is a fact about the app."""
        while self._features and self._may_batch():
            batch = self._features[: BATCH_SIZES["audio_features"]]
            self._api.learn_mode(self._answers.ask(self._api.audio_features, batch))
            if self._may_batch():
                self._features = self._features[len(batch) :]

    def fetch_stalest(self, budget: int) -> None:
        """Ask what the budget allows, as the mode allows; a refused batch makes a new plan."""
        calls = plan(self._waiting, budget, is_batched=self._may_batch())
        for used, call in enumerate(calls, start=1):
            answer = self._ask(call)
            self._api.learn_mode(answer)
            if answer.endpoint in BATCHES and not answer.is_good():
                return self.fetch_stalest(budget - used)
            self._waiting[call.kind] = self._waiting[call.kind][len(call.ids) :]

    def left(self) -> dict[str, int]:
        """How many ids were not asked, by what was wanted of them."""
        features = len(self._features) if self._may_batch() else 0
        return {"features": features, **{kind: len(ids) for kind, ids in self._waiting.items()}}

    def _ask(self, call: Call) -> Answer:
        method: Callable[[Any], Answer] = getattr(self._api, call.kind if self._may_batch() else SINGLE[call.kind])
        return self._answers.ask(method, call.ids if self._may_batch() else call.ids[0])

    def _may_batch(self) -> bool:
        return self._api.mode is not Mode.DEVELOPMENT


def plan(waiting: Mapping[str, Sequence[str]], budget: int, is_batched: bool) -> list[Call]:
    """The calls that a budget allows, those of the lists interleaved, because a quota may end them anywhere."""
    sizes = {kind: BATCH_SIZES[kind] if is_batched else 1 for kind in waiting}
    needed = {kind: -(-len(ids) // sizes[kind]) for kind, ids in waiting.items()}
    shares = share(budget, {kind: len(ids) for kind, ids in waiting.items()}, needed)
    calls = [
        Call(kind, tuple(waiting[kind][n * sizes[kind] : (n + 1) * sizes[kind]]), (n + 0.5) / count)
        for kind, count in shares.items()
        for n in range(count)
    ]
    return sorted(calls, key=lambda call: call.order)


def share(budget: int, lengths: Mapping[str, int], needed: Mapping[str, int]) -> dict[str, int]:
    """Deal a budget out in proportion to lengths, none more than it needs, what is over to those who need more."""
    shares = dict.fromkeys(lengths, 0)
    for _ in range(min(budget, sum(needed.values()))):
        hungry = [kind for kind in lengths if shares[kind] < needed[kind]]
        # The next call goes where the fewest calls a thing have gone (the method of Sainte-Laguë).
        best = max(hungry, key=lambda kind: lengths[kind] / (2 * shares[kind] + 1))
        shares[best] += 1
    return shares


def _asked_once(ids: Sequence[str]) -> list[str]:
    """Each id once, in order; made-up ones, which the API cannot know, left out."""
    known = [id_ for id_ in dict.fromkeys(ids) if is_spotify_id(id_)]
    if len(known) < len(set(ids)):
        log.info("%d ids have not the form of Spotify's and are not asked.", len(set(ids)) - len(known))
    return known
