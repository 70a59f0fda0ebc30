"""The step that asks ReccoBeats for audio features of tracks that no better provider has any of."""

import logging
from collections import Counter
from collections.abc import Container, Mapping
from datetime import UTC, date, datetime
from typing import Any

from etl import database
from etl.database import feature_requests
from etl.errors import ActionNeededError, EtlError
from etl.extract.audio_features.feature_fetch import FeatureFetchResult, fetch_features, find_requested_ids
from etl.extract.audio_features.reccobeats import CALL, ReccoBeatsClient
from etl.extract.spotify.fetch_result import DONE, PENDING_QUOTA
from etl.extract.spotify.responses import ResponseStore, build_fetch_name
from etl.formats.api_responses import ApiResponse, parse_line
from etl.formats.feature_providers import FORMAT_SUFFIX, MOCK_RECCOBEATS, ORIGIN, RECCOBEATS, list_feature_sources
from etl.jobs.fetch_outcomes import Fetch, collect_track_ids, is_final, is_pause_too_long
from etl.settings import Settings
from etl.storage.checkpoints import RESPONSE_FOLDER
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

log = logging.getLogger(__name__)

PROVIDER = "reccobeats"
"""The provider's name in the settings. The fetch has the name of its source in the lake and in the audit."""


def explain_skip(reference_date: date, settings: Settings) -> str | None:
    """Return why no service is asked in a run, in a sentence; None if one is.

    :param reference_date: the day of the run.
    """
    if PROVIDER not in settings.features.providers:
        return f"AUDIO_FEATURE_PROVIDERS does not name {PROVIDER}: no service is asked for audio features."
    if reference_date < datetime.now(UTC).date():
        return f"The run is for {reference_date}, in the past: it uses the responses in the lake, and fetches nothing."
    if not settings.features.reccobeats_api_url:
        return "RECCOBEATS_API_URL is mock, and no mock Spotify API is in use: nothing is asked."
    if settings.is_mock_reccobeats:
        log.info("The mock server answers for ReccoBeats: its audio features are synthetic.")
    return None


@report_full_disk
def fetch_audio_features(run_id: str, reference_date: date, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Request audio features within the calls of the day, and record the fetch in the audit.

    Only ids of tracks are sent. What an earlier try, or an earlier run that was killed, has received is not requested
    again, also if it is not loaded yet.

    :param is_last_try: whether a failure is final, so that the responses before it are stored for the load.
    :returns: counts; ``has_news`` is true if the lake has a new input.
    :raises EtlError: as ``extract.audio_features.feature_fetch.fetch_features`` does.
    """
    lake, source = Lake(settings.lake_url), _get_source(settings)
    _store_orphaned_responses(lake, run_id, source, settings)
    service = ReccoBeatsClient(settings.features.reccobeats_api_url, is_mock=settings.is_mock_reccobeats)
    fetch, responses = Fetch(settings, run_id, source), _open_responses(lake, run_id, source)
    earlier_calls = _count_earlier_calls(lake, run_id, source, responses)
    budget = _get_remaining_budget(run_id, source, settings, earlier_calls.total())
    limit = settings.features.reccobeats_daily_calls * service.batch_size
    track_ids = choose_tracks(lake, run_id, reference_date, settings, limit)
    try:
        fetched = fetch_features(service, track_ids, budget, responses)
    except EtlError as error:
        calls = dict(earlier_calls + service.calls)
        if not is_final(error, is_last_try):
            lake.checkpoints.write_document(run_id, f"{source}_calls", calls)
            raise
        received = responses.store_input(datetime.now(UTC))
        summary = fetch.record_failure(
            error,
            is_pending=is_pause_too_long(error),
            calls=calls,
            input_id=received.input_id if received else None,
        )
        return {**summary, "has_news": received is not None, "budget": budget}
    received = responses.store_input(datetime.now(UTC))
    return {**_record_result(fetch, fetched, received, earlier_calls + service.calls), "budget": budget}


def _record_result(
    fetch: Fetch, fetched: FeatureFetchResult, received: ReceivedInput | None, calls: Mapping[str, int]
) -> dict[str, Any]:
    state = DONE if fetched.has_quota_left else PENDING_QUOTA
    fetch.record(
        state,
        calls=dict(calls),
        message=f"not asked: {fetched.remaining} tracks" if fetched.remaining else None,
        input_id=received.input_id if received else None,
    )
    return {
        "state": state,
        "has_news": received is not None,
        "calls": sum(calls.values()),
        "requested": fetched.requested,
        "left": fetched.remaining,
    }


def explain_no_news(summary: Mapping[str, Any], settings: Settings) -> str:
    """Return why a fetch brought nothing, in a sentence."""
    if summary["budget"] == 0:
        return f"The {settings.features.reccobeats_daily_calls} calls of today (RECCOBEATS_DAILY_CALLS) are used up."
    return "No track needs audio features of ReccoBeats, or each was requested in the last four weeks."


def _get_source(settings: Settings) -> str:
    return MOCK_RECCOBEATS if settings.is_mock_reccobeats else RECCOBEATS


def _open_responses(lake: Lake, run_id: str, source: str) -> ResponseStore:
    return ResponseStore(lake, run_id, source, ORIGIN, f"{source}{FORMAT_SUFFIX}")


def _count_earlier_calls(lake: Lake, run_id: str, source: str, responses: ResponseStore) -> Counter[str]:
    """Return the calls of earlier tries of a run; of a try that was killed, those with a response."""
    stored_count = len(responses.read_stored_responses())
    try:
        recorded_count = int(lake.checkpoints.read_document(run_id, f"{source}_calls").get(CALL, 0))
    except ActionNeededError:
        recorded_count = 0
    return Counter({CALL: max(stored_count, recorded_count)})


def _get_remaining_budget(run_id: str, source: str, settings: Settings, earlier_calls: int) -> int:
    with database.connect(settings.warehouse_url) as connection:
        used = feature_requests.count_calls_on_day(connection, source, datetime.now(UTC).date(), run_id)
    return max(0, settings.features.reccobeats_daily_calls - used - earlier_calls)


def _store_orphaned_responses(lake: Lake, run_id: str, source: str, settings: Settings) -> None:
    """Store the responses that runs had received when they were killed and not repeated."""
    with database.connect(settings.warehouse_url) as connection:
        ended_runs = feature_requests.list_runs_with_fetch(connection, source)
    for other_run_id in lake.checkpoints.find_run_ids():
        is_unfinished = other_run_id != run_id and other_run_id not in ended_runs
        if is_unfinished and lake.checkpoints.list_names(other_run_id, f"{RESPONSE_FOLDER}/{source}"):
            _open_responses(lake, other_run_id, source).store_input(datetime.now(UTC))
            log.info("The responses that the run %s had received are stored.", other_run_id)


def choose_tracks(lake: Lake, run_id: str, reference_date: date, settings: Settings, limit: int) -> list[str]:
    """Return the tracks to request: those of the warehouse, then those that this run has fetched from Spotify.

    Tracks are left out if the run has their features from Spotify, or if a response about them waits to be loaded.

    :param limit: the number of tracks of the warehouse.
    """
    source = _get_source(settings)
    sources = list_feature_sources(settings.features.providers)
    replaceable_sources = sources[sources.index(source) + 1 :]
    with database.connect(settings.warehouse_url) as connection:
        pending_ids = _collect_pending_ids(lake, source, database.list_published_input_ids(connection))
        track_ids = feature_requests.list_tracks_for_service(
            connection,
            source,
            replaceable_sources,
            reference_date,
            limit + len(pending_ids),
            settings.is_mock_reccobeats,
        )
        # The mock Spotify API's ids are synthetic, and no other service is asked about them.
        if settings.is_mock_api == settings.is_mock_reccobeats:
            fetched_ids = _collect_fetched_ids(lake, run_id)
            track_ids += feature_requests.select_tracks_never_requested(connection, source, fetched_ids)
    excluded_ids = pending_ids | _collect_spotify_features(lake, run_id, settings)
    return [id_ for id_ in track_ids if id_ not in excluded_ids]


def _collect_pending_ids(lake: Lake, source: str, published_input_ids: Container[str]) -> set[str]:
    """Return the ids of the tracks that a response in the lake is about which no run has loaded yet."""
    inputs = lake.inputs.find_inputs([ORIGIN], lambda _origin, input_id: input_id not in published_input_ids)
    return find_requested_ids(
        parse_line(line)
        for received in inputs
        if received.format == f"{source}{FORMAT_SUFFIX}"
        for line in lake.inputs.read_lines(received)
    )


def _collect_fetched_ids(lake: Lake, run_id: str) -> set[str]:
    """Return the ids of the tracks that this run has fetched for accounts."""
    folders = lake.checkpoints.list_names(run_id, RESPONSE_FOLDER)
    prefix = build_fetch_name("account", "")
    return {
        id_
        for name in folders
        if name.startswith(prefix)
        for id_ in collect_track_ids(ResponseStore(lake, run_id, name))
    }


def _collect_spotify_features(lake: Lake, run_id: str, settings: Settings) -> set[str]:
    """Return the tracks whose features this run has received from Spotify, if Spotify precedes the service."""
    providers = settings.features.providers
    if "spotify" not in providers[: providers.index(PROVIDER)]:
        return set()
    responses = ResponseStore(lake, run_id, "catalogue").read_stored_responses()
    return {
        id_
        for response in responses
        if response.endpoint == "audio_features" and response.is_success()
        for id_ in _list_measured_ids(response)
    }


def _list_measured_ids(response: ApiResponse) -> list[str]:
    pairs = zip(str(response.query["ids"]).split(","), response.body["audio_features"], strict=False)
    return [id_ for id_, features in pairs if features]
