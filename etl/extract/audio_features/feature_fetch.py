"""One fetch of audio features from a service, within a number of calls.

Each response is stored as it arrives, so that a fetch that was killed and runs again requests only the other tracks. A
batch that the service rejects (400) is sent again in halves, until the invalid id is isolated.
"""

import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from etl.errors import QuotaUsedUpError
from etl.extract.spotify.http_client import Clock
from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse

log = logging.getLogger(__name__)


class FeatureService(Protocol):
    """A service that returns audio features of tracks by their Spotify ids.

    ``batch_size`` is the largest number of ids of a call, ``calls`` counts the requests sent, by endpoint.
    """

    batch_size: int
    clock: Clock

    @property
    def calls(self) -> Mapping[str, int]: ...

    def can_have_id(self, id_: str) -> bool:
        """Return whether the service can have a track with this id."""

    def fetch_audio_features(self, ids: Sequence[str]) -> ApiResponse:
        """Fetch the audio features of some tracks.

        A response of status 200 has a list ``content``, without the tracks that the service does not know; status 400
        means that an id is not valid.
        """


@dataclass(frozen=True)
class FeatureFetchResult:
    """The outcome of a fetch: how many tracks were requested in this run, and how many are still to be requested.

    ``has_quota_left`` is false if the service ended the fetch.
    """

    requested: int
    remaining: int
    has_quota_left: bool = True


def fetch_features(
    service: FeatureService, track_ids: Sequence[str], call_budget: int, responses: ResponseStore
) -> FeatureFetchResult:
    """Fetch the audio features of tracks, and store the responses in the run's checkpoints.

    :param track_ids: the tracks to request, the most urgent first. Those that an earlier try of the run requested are
        skipped.
    :param call_budget: the limit of calls, with their repetitions. No batch begins beyond it; the repetitions of the
        last one may exceed it.
    :raises EtlError: as the service does; the responses before it are stored.
    """
    stored_ids = find_requested_ids(responses.read_stored_responses())
    ids = [id_ for id_ in dict.fromkeys(track_ids) if id_ not in stored_ids and service.can_have_id(id_)]
    size = service.batch_size
    batches = deque(tuple(ids[start : start + size]) for start in range(0, len(ids), size))
    calls_before = _count_calls(service)
    while batches and _count_calls(service) - calls_before < call_budget:
        batch = batches.popleft()
        try:
            response = responses.fetch_once(service.fetch_audio_features, batch)
        except QuotaUsedUpError as error:
            log.warning("%s", error)
            return FeatureFetchResult(_count_requested(responses), len(batch) + sum(map(len, batches)), False)
        if not response.is_about_resource():
            half = len(batch) // 2
            batches.extendleft((batch[half:], batch[:half]))
        elif not response.is_success():
            log.warning("The service takes %s for no id of a track.", batch[0])
    return FeatureFetchResult(_count_requested(responses), sum(map(len, batches)))


def find_requested_ids(responses: Iterable[ApiResponse]) -> set[str]:
    """Return the ids of the tracks that responses are about, whether the service knows them or not."""
    return {
        id_ for response in responses if response.is_about_resource() for id_ in str(response.query["ids"]).split(",")
    }


def _count_requested(responses: ResponseStore) -> int:
    return len(find_requested_ids(responses.read_stored_responses()))


def _count_calls(service: FeatureService) -> int:
    return sum(service.calls.values())
