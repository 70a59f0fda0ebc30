"""One fetch of the catalogue: audio features never asked, then the tracks, artists and albums asked longest ago.

In extended mode by batches; in development mode one by one, and no audio features. Which it is, the first batch tells.
A batch that Spotify calls wrong (400) is asked again in halves, until the id that is none stands alone.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etl.errors import QuotaUsedUpError
from etl.extract.spotify.answers import Answer, Answers
from etl.extract.spotify.api import BATCH_SIZES, Api, Mode
from etl.extract.spotify.fetched import Fetched, finished

log = logging.getLogger(__name__)

SINGLE = {"tracks": "track", "artists": "artist", "albums": "album"}
"""The endpoint for one, by that for many."""
_FEATURES = "audio_features"


@dataclass(frozen=True)
class Wanted:
    """Ids to ask about: ``features`` of tracks whose audio features were never asked, the others stalest first."""

    features: Sequence[str] = ()
    tracks: Sequence[str] = ()
    artists: Sequence[str] = ()
    albums: Sequence[str] = ()


def fetch_catalogue(api: Api, wanted: Wanted, call_budget: int, answers: Answers) -> Fetched:
    """Ask about the catalogue, and bring the answers into the lake.

    :param call_budget: bounds the calls for tracks, artists and albums, who share it by the lengths of their lists,
        and what halves of refused batches cost.
    :returns: also where the quota ended the fetch; what was fetched is in the lake then.
    :raises EtlError: as ``fetch_account`` does.
    """
    fetch = _Fetch(api, wanted, answers)
    calls_before, is_quota_left = Counter(api.calls), True
    try:
        fetch.fetch_stalest(fetch.fetch_features(call_budget))
    except QuotaUsedUpError as error:
        log.warning("The catalogue: %s", error)
        is_quota_left = False
    return finished(api, answers, calls_before, {} if is_quota_left else fetch.left(), is_quota_left)


@dataclass(frozen=True)
class Call:
    """One planned call: the ids to ask for, of ``kind`` tracks, artists, albums or audio features."""

    kind: str
    ids: tuple[str, ...]
    order: float

    def halves(self) -> list["Call"]:
        """Two calls for the same ids."""
        half = len(self.ids) // 2
        return [replace(self, ids=self.ids[:half]), replace(self, ids=self.ids[half:])]


class _Fetch:
    """The steps of one fetch, and the ids that are not asked yet."""

    def __init__(self, api: Api, wanted: Wanted, answers: Answers) -> None:
        self._api, self._answers = api, answers
        self._waiting = {kind: self._asked_once(getattr(wanted, kind)) for kind in SINGLE}
        self._waiting[_FEATURES] = self._asked_once(wanted.features)

    def fetch_features(self, budget: int) -> int:
        """Ask audio features by batches; the first refusal of a mode ends it, for that is a fact about the app.

        :param budget: for halves of refused batches.
        :returns: what is left of it.
        """
        ids, size = self._waiting[_FEATURES], BATCH_SIZES[_FEATURES]
        calls = [Call(_FEATURES, tuple(ids[n : n + size]), n) for n in range(0, len(ids), size)]
        return min(budget, self._ask_all(calls, len(calls) + budget)) if self._may_batch() else budget

    def fetch_stalest(self, budget: int) -> None:
        """Ask what the budget allows, as the mode allows; a batch that the mode refuses makes a new plan."""
        is_batched = self._may_batch()
        waiting = {kind: self._waiting[kind] for kind in SINGLE}
        left = self._ask_all(plan(waiting, budget, is_batched), budget)
        if is_batched and not self._may_batch():
            self.fetch_stalest(left)

    def left(self) -> dict[str, int]:
        """How many ids were not asked, by what was wanted of them."""
        features = len(self._waiting[_FEATURES]) if self._may_batch() else 0
        return {"features": features, **{kind: len(self._waiting[kind]) for kind in SINGLE}}

    def _ask_all(self, calls: Sequence[Call], budget: int) -> int:
        """Ask what is planned, until the budget is used up or the mode turns out to be another one.

        :returns: what is left of the budget.
        """
        planned = deque(calls)
        while planned and budget:
            call = planned.popleft()
            answer = self._ask(call)
            budget -= 1
            self._api.learn_mode(answer)
            if answer.is_about_a_thing():
                self._waiting[call.kind] = self._waiting[call.kind][len(call.ids) :]
                if answer.status == 400:
                    log.warning("Spotify takes %s for no id of %s: nothing is known of it.", call.ids[0], call.kind)
            elif self._may_batch():
                planned.extendleft(reversed(call.halves()))
            else:
                break
        return budget

    def _ask(self, call: Call) -> Answer:
        method: Callable[[Any], Answer] = getattr(self._api, call.kind if self._may_batch() else SINGLE[call.kind])
        return self._answers.ask(method, call.ids if self._may_batch() else call.ids[0])

    def _asked_once(self, ids: Sequence[str]) -> list[str]:
        """Each id once, in order; those that the API cannot know left out."""
        known = [id_ for id_ in dict.fromkeys(ids) if self._api.may_know(id_)]
        if len(known) < len(set(ids)):
            log.info("%d ids cannot be Spotify's and are not asked.", len(set(ids)) - len(known))
        return known

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
