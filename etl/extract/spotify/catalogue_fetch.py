"""One fetch of the catalogue: audio features never requested, then the tracks, artists and albums fetched longest ago.

In extended mode the requests are batches; in development mode they are single requests, without audio features. The
response to the first batch shows which mode applies. A batch that Spotify rejects (400) is sent again in halves, until
the invalid id is isolated.
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
"""The endpoint for one resource, by the endpoint for a batch."""
_FEATURES = "audio_features"


@dataclass(frozen=True)
class CatalogueRequest:
    """The ids to request.

    ``features`` are tracks whose audio features were never requested; the other lists are stalest first.
    """

    features: Sequence[str] = ()
    tracks: Sequence[str] = ()
    artists: Sequence[str] = ()
    albums: Sequence[str] = ()


def fetch_catalogue(
    api: ApiClient, request: CatalogueRequest, call_budget: int, responses: ResponseStore
) -> FetchResult:
    """Fetch resources of the catalogue, and store the responses in the lake.

    :param call_budget: the limit of calls for tracks, artists and albums, which share it in proportion to the lengths
        of their lists. The halves of rejected batches count towards it.
    :returns: the result, even if the quota ended the fetch. In that case the fetched responses are in the lake.
    :raises EtlError: as ``account_fetch.fetch_account`` does.
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
    """One planned call: the ids to request, whose ``kind`` is tracks, artists, albums or audio_features."""

    kind: str
    ids: tuple[str, ...]
    order: float

    def split_in_halves(self) -> list["PlannedCall"]:
        """Return two calls for the same ids."""
        half = len(self.ids) // 2
        return [replace(self, ids=self.ids[:half]), replace(self, ids=self.ids[half:])]


class _CatalogueFetch:
    """The steps of one fetch, and the ids that are still to be requested."""

    def __init__(self, api: ApiClient, request: CatalogueRequest, responses: ResponseStore) -> None:
        self._api, self._responses = api, responses
        self._pending_ids = {kind: self._select_possible_ids(getattr(request, kind)) for kind in SINGLE_ENDPOINT}
        self._pending_ids[_FEATURES] = self._select_possible_ids(request.features)

    def fetch_audio_features(self, budget: int) -> int:
        """Fetch audio features in batches; the first denial due to the app's mode ends this, as it applies to all.

        :param budget: the limit of calls for the halves of rejected batches.
        :returns: the remaining budget.
        """
        ids, size = self._pending_ids[_FEATURES], BATCH_SIZES[_FEATURES]
        calls = [PlannedCall(_FEATURES, tuple(ids[start : start + size]), start) for start in range(0, len(ids), size)]
        return min(budget, self._send_calls(calls, len(calls) + budget)) if self._can_batch() else budget

    def fetch_stalest(self, budget: int) -> None:
        """Fetch as many resources as the budget allows; if the mode denies batches, continue with single requests."""
        is_batched = self._can_batch()
        pending_ids = {kind: self._pending_ids[kind] for kind in SINGLE_ENDPOINT}
        remaining_budget = self._send_calls(plan_calls(pending_ids, budget, is_batched), budget)
        if is_batched and not self._can_batch():
            self.fetch_stalest(remaining_budget)

    def count_remaining(self) -> dict[str, int]:
        """Return the number of ids that are still to be requested, by kind of request."""
        features = len(self._pending_ids[_FEATURES]) if self._can_batch() else 0
        return {"features": features, **{kind: len(self._pending_ids[kind]) for kind in SINGLE_ENDPOINT}}

    def _send_calls(self, calls: Sequence[PlannedCall], budget: int) -> int:
        """Send the planned calls, until the budget is used up or a response shows that the mode is another one.

        :returns: the remaining budget.
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
        """Return the distinct ids in their order, without those that cannot exist in the API."""
        possible_ids = [id_ for id_ in dict.fromkeys(ids) if self._api.can_have_id(id_)]
        if len(possible_ids) < len(set(ids)):
            log.info("%d ids cannot be Spotify's and are not asked.", len(set(ids)) - len(possible_ids))
        return possible_ids

    def _can_batch(self) -> bool:
        return self._api.mode is not Mode.DEVELOPMENT


def plan_calls(pending_ids: Mapping[str, Sequence[str]], budget: int, is_batched: bool) -> list[PlannedCall]:
    """Return the calls that a budget allows, interleaved over the lists, because the quota may end them anywhere."""
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
    """Return the number of calls of each list: in proportion to its length, and at most as many as it needs.

    Calls that one list does not need go to the others.
    """
    call_counts = dict.fromkeys(lengths, 0)
    for _ in range(min(budget, sum(needed_counts.values()))):
        unsatisfied_kinds = [kind for kind in lengths if call_counts[kind] < needed_counts[kind]]
        # The next call goes to the list with the highest length / (2 × calls + 1) (the Sainte-Laguë method).
        next_kind = max(unsatisfied_kinds, key=lambda kind: lengths[kind] / (2 * call_counts[kind] + 1))
        call_counts[next_kind] += 1
    return call_counts
