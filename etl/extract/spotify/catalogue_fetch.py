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
from etl.extract.spotify.client import BATCH_SIZES, ApiClient, Mode
from etl.extract.spotify.fetch_result import FetchResult, finish_fetch
from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse

log = logging.getLogger(__name__)

SINGLE_ENDPOINT = {"tracks": "track", "artists": "artist", "albums": "album"}
"""The endpoint for one, by that for many."""
_FEATURES = "audio_features"


@dataclass(frozen=True)
class CatalogueRequest:
    """Ids to ask about: ``features`` of tracks whose audio features were never asked, the others stalest first."""

    features: Sequence[str] = ()
    tracks: Sequence[str] = ()
    artists: Sequence[str] = ()
    albums: Sequence[str] = ()


def fetch_catalogue(
    api: ApiClient, request: CatalogueRequest, call_budget: int, responses: ResponseStore
) -> FetchResult:
    """Ask about the catalogue, and bring the answers into the lake.

    :param call_budget: bounds the calls for tracks, artists and albums, who share it by the lengths of their lists,
        and what halves of refused batches cost.
    :returns: also where the quota ended the fetch; what was fetched is in the lake then.
    :raises EtlError: as ``fetch_account`` does.
    """
    fetch = _CatalogueFetch(api, request, responses)
    calls_before, has_quota_left = Counter(api.calls), True
    try:
        fetch.fetch_stalest(fetch.fetch_audio_features(call_budget))
    except QuotaUsedUpError as error:
        log.warning("The catalogue: %s", error)
        has_quota_left = False
    return finish_fetch(api, responses, calls_before, {} if has_quota_left else fetch.count_remaining(), has_quota_left)


@dataclass(frozen=True)
class PlannedCall:
    """One planned call: the ids to ask for, of ``kind`` tracks, artists, albums or audio features."""

    kind: str
    ids: tuple[str, ...]
    order: float

    def split_in_halves(self) -> list["PlannedCall"]:
        """Two calls for the same ids."""
        half = len(self.ids) // 2
        return [replace(self, ids=self.ids[:half]), replace(self, ids=self.ids[half:])]


class _CatalogueFetch:
    """The steps of one fetch, and the ids that are not asked yet."""

    def __init__(self, api: ApiClient, request: CatalogueRequest, responses: ResponseStore) -> None:
        self._api, self._responses = api, responses
        self._pending_ids = {kind: self._select_possible_ids(getattr(request, kind)) for kind in SINGLE_ENDPOINT}
        self._pending_ids[_FEATURES] = self._select_possible_ids(request.features)

    def fetch_audio_features(self, budget: int) -> int:
        """Ask audio features by batches; the first refusal of a mode ends it, for that is a fact about the app.

        :param budget: for halves of refused batches.
        :returns: what is left of it.
        """
        ids, size = self._pending_ids[_FEATURES], BATCH_SIZES[_FEATURES]
        calls = [PlannedCall(_FEATURES, tuple(ids[start : start + size]), start) for start in range(0, len(ids), size)]
        return min(budget, self._send_calls(calls, len(calls) + budget)) if self._can_batch() else budget

    def fetch_stalest(self, budget: int) -> None:
        """Ask what the budget allows, as the mode allows; a batch that the mode refuses makes a new plan."""
        is_batched = self._can_batch()
        pending_ids = {kind: self._pending_ids[kind] for kind in SINGLE_ENDPOINT}
        remaining_budget = self._send_calls(plan_calls(pending_ids, budget, is_batched), budget)
        if is_batched and not self._can_batch():
            self.fetch_stalest(remaining_budget)

    def count_remaining(self) -> dict[str, int]:
        """How many ids were not asked, by what was wanted of them."""
        features = len(self._pending_ids[_FEATURES]) if self._can_batch() else 0
        return {"features": features, **{kind: len(self._pending_ids[kind]) for kind in SINGLE_ENDPOINT}}

    def _send_calls(self, calls: Sequence[PlannedCall], budget: int) -> int:
        """Ask what is planned, until the budget is used up or the mode turns out to be another one.

        :returns: what is left of the budget.
        """
        planned = deque(calls)
        while planned and budget:
            call = planned.popleft()
            response = self._send_call(call)
            budget -= 1
            self._api.update_mode(response)
            if response.is_about_resource():
                self._pending_ids[call.kind] = self._pending_ids[call.kind][len(call.ids) :]
                if response.status == 400:
                    log.warning("Spotify takes %s for no id of %s: nothing is known of it.", call.ids[0], call.kind)
            elif self._can_batch():
                planned.extendleft(reversed(call.split_in_halves()))
            else:
                break
        return budget

    def _send_call(self, call: PlannedCall) -> ApiResponse:
        endpoint = call.kind if self._can_batch() else SINGLE_ENDPOINT[call.kind]
        method: Callable[[Any], ApiResponse] = getattr(self._api, f"fetch_{endpoint}")
        return self._responses.fetch_once(method, call.ids if self._can_batch() else call.ids[0])

    def _select_possible_ids(self, ids: Sequence[str]) -> list[str]:
        """Each id once, in order; those that the API cannot know left out."""
        possible_ids = [id_ for id_ in dict.fromkeys(ids) if self._api.can_have_id(id_)]
        if len(possible_ids) < len(set(ids)):
            log.info("%d ids cannot be Spotify's and are not asked.", len(set(ids)) - len(possible_ids))
        return possible_ids

    def _can_batch(self) -> bool:
        return self._api.mode is not Mode.DEVELOPMENT


def plan_calls(pending_ids: Mapping[str, Sequence[str]], budget: int, is_batched: bool) -> list[PlannedCall]:
    """The calls that a budget allows, those of the lists interleaved, because a quota may end them anywhere."""
    sizes = {kind: BATCH_SIZES[kind] if is_batched else 1 for kind in pending_ids}
    needed_counts = {kind: -(-len(ids) // sizes[kind]) for kind, ids in pending_ids.items()}
    call_counts = allocate_budget(budget, {kind: len(ids) for kind, ids in pending_ids.items()}, needed_counts)
    calls = [
        PlannedCall(
            kind, tuple(pending_ids[kind][index * sizes[kind] : (index + 1) * sizes[kind]]), (index + 0.5) / count
        )
        for kind, count in call_counts.items()
        for index in range(count)
    ]
    return sorted(calls, key=lambda call: call.order)


def allocate_budget(budget: int, lengths: Mapping[str, int], needed_counts: Mapping[str, int]) -> dict[str, int]:
    """Deal a budget out in proportion to lengths, none more than it needs, what is over to those who need more."""
    call_counts = dict.fromkeys(lengths, 0)
    for _ in range(min(budget, sum(needed_counts.values()))):
        unsatisfied_kinds = [kind for kind in lengths if call_counts[kind] < needed_counts[kind]]
        # The next call goes where the fewest calls a thing have gone (the method of Sainte-Laguë).
        next_kind = max(unsatisfied_kinds, key=lambda kind: lengths[kind] / (2 * call_counts[kind] + 1))
        call_counts[next_kind] += 1
    return call_counts
