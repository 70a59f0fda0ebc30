"""A client of ReccoBeats: audio features of up to 40 tracks a call, by their Spotify ids.

The API is documented at <https://reccobeats.com/docs/apis/get-audio-features>. It needs no key and publishes no rate
limit. It leaves tracks out that it does not know. ``extract.spotify.http_client`` waits, retries and raises; the client
handles these responses:

| response | handling |
| --- | --- |
| 400 | returns the response: an id is not valid |
| 401, 403, 404, 410 | ActionNeededError: the address is wrong, or the service does not work as documented |
"""

import time
from collections.abc import Sequence

from etl.errors import ActionNeededError
from etl.extract.spotify.client import is_spotify_id
from etl.extract.spotify.http_client import Clock, HttpClient, Service, Sleep, get_utc_now
from etl.extract.spotify.http_session import HttpLimits
from etl.formats.api_responses import ApiResponse
from etl.formats.contracts.api import FEATURE_ENDPOINT

_SERVICE = Service("ReccoBeats", "RECCOBEATS_API_URL")
CALL = _PATH = "audio-features"
"""The path of the call, under which ``calls`` counts it."""
_MAX_ITEMS = 1_000
"""More items than any response can have; a line of an input has no more resources."""


class ReccoBeatsClient:
    """A ``FeatureService``; ``calls`` counts the requests sent, by endpoint."""

    batch_size = 40

    def __init__(
        self,
        api_url: str,
        *,
        is_mock: bool = False,
        limits: HttpLimits | None = None,
        clock: Clock = get_utc_now,
        sleep: Sleep = time.sleep,
    ) -> None:
        """
        :param api_url: the address of the API's version, with a slash at its end.
        :param is_mock: whether the server is the mock, whose tracks may have ids that Spotify cannot issue.
        """
        self.clock = clock
        self._is_mock = is_mock
        self._url = f"{api_url}{_PATH}"
        self._http_client = HttpClient(limits or HttpLimits(), clock, sleep, _SERVICE)
        self.calls = self._http_client.calls

    def can_have_id(self, id_: str) -> bool:
        """Return whether a text can be a Spotify id."""
        return is_spotify_id(id_, self._is_mock)

    def fetch_audio_features(self, ids: Sequence[str]) -> ApiResponse:
        """Fetch the audio features of up to 40 tracks.

        :raises ActionNeededError: if the service denies the call.
        :raises EtlError: as ``http_client.HttpClient.send_with_retries`` does.
        """
        query = {"ids": ",".join(ids)}
        reply = self._http_client.send_with_retries(
            _PATH, lambda: self._http_client.session.get(self._url, params=query), _has_items
        )
        if reply.status not in (200, 400):
            raise ActionNeededError(
                f"ReccoBeats denies the call {_PATH} (status {reply.status}): is RECCOBEATS_API_URL right? Without "
                "reccobeats in AUDIO_FEATURE_PROVIDERS it is not called."
            )
        asked_at = self.clock().isoformat(timespec="seconds")
        return ApiResponse(asked_at, None, FEATURE_ENDPOINT, _PATH, query, reply.status, reply.body)


def _has_items(body: dict[str, object]) -> bool:
    items = body.get("content")
    return isinstance(items, list) and len(items) <= _MAX_ITEMS
