"""The steps that fetch from the Spotify API: choose the accounts, fetch each account, fetch the catalogue."""

import logging
from datetime import UTC, date, datetime
from typing import Any

from etl import database
from etl.database import fetches
from etl.errors import ActionNeededError, EtlError, RateLimitedError
from etl.extract.spotify.account_fetch import fetch_account as fetch_account_responses
from etl.extract.spotify.account_store import Account, AccountStore, build_sign_in_warning
from etl.extract.spotify.app import get_app
from etl.extract.spotify.catalogue_fetch import CatalogueRequest
from etl.extract.spotify.catalogue_fetch import fetch_catalogue as fetch_catalogue_responses
from etl.extract.spotify.client import BATCH_SIZES, ApiClient, Mode
from etl.extract.spotify.fetch_result import FetchResult
from etl.extract.spotify.responses import ResponseStore, build_fetch_name
from etl.extract.spotify.sync_state import SyncState, from_json_object, to_json_object, update_sync_state
from etl.jobs.fetch_outcomes import Fetch, collect_track_ids, is_final, is_pause_too_long, open_accounts
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.lake import Lake

log = logging.getLogger(__name__)


def choose_accounts(reference_date: date, settings: Settings) -> list[str]:
    """Return the names of the accounts to fetch.

    :param reference_date: the day of the run.
    :returns: an empty list if no account has signed in, or if the day lies in the past: the past is replayed from the
        lake and never fetched again.
    :raises ActionNeededError: as ``require_single_api`` does.
    """
    if not settings.spotify_client_id:
        log.info("SPOTIPY_CLIENT_ID is not set and the mock API does not run: nothing is fetched.")
        return []
    if reference_date < datetime.now(UTC).date():
        log.info(
            "The run's day is %s, in the past: it uses the responses in the lake, and fetches nothing.", reference_date
        )
        return []
    require_single_api(settings)
    names = AccountStore(settings.state_dir, settings.spotify_client_id).get_names()
    if not names:
        log.warning("No account has signed in: run bin/sign-in, then start this again.")
    return names


def require_single_api(settings: Settings) -> None:
    """Ensure that a lake never mixes responses of Spotify and of the mock API.

    :raises ActionNeededError: if the lake has responses of another API than the configured one.
    """
    requested_api = settings.api_name
    stored_api = Lake(settings.lake_url).inputs.resolve_api_name(requested_api)
    if stored_api != requested_api:
        raise ActionNeededError(
            f"The lake has responses of {stored_api}, and the settings name {requested_api}: synthetic responses must "
            "not mix with Spotify's. Set another STATE_DIR, and another LAKE_URL and WAREHOUSE_URL if these are set."
        )


@report_full_disk
def fetch_account(name: str, run_id: str, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Fetch the changes of one account, and record the fetch in the audit.

    :param is_last_try: whether a failure is final, so that the responses before it are stored for the load.
    :returns: names and counts; ``has_news`` is true if the lake has a new input.
    :raises MustSignInError: if the account must sign in again.
    :raises RateLimitedError: if Spotify asks for a pause of at most ``fetch_outcomes.MAX_RETRY_DELAY_S``.
    :raises EtlError: as ``extract.spotify.account_fetch.fetch_account`` does.
    """
    fetch = Fetch(settings, run_id, build_fetch_name("account", name), name)
    responses = ResponseStore(Lake(settings.lake_url), run_id, fetch.name)
    with database.connect(settings.warehouse_url) as connection:
        sync_state = from_json_object(fetches.read_sync_state(connection, name, fetch.name, excluded_run_id=run_id))
    account: Account | None = None
    try:
        account = open_accounts(settings).get_account(name)
        fetched = _fetch_account_changes(account, sync_state, responses, settings)
    except EtlError as error:
        if not is_final(error, is_last_try):
            raise
        received = responses.store_input(datetime.now(UTC))
        if account:
            fetch.require_account(received)
        partial_state = update_sync_state(
            sync_state, responses.read_stored_responses(), {}, {"saved_tracks": 1, "followed_artists": 1}
        )
        summary = fetch.record_failure(
            error,
            is_pending=isinstance(error, RateLimitedError),
            input_id=received.input_id if received else None,
            known=to_json_object(partial_state),
        )
        return {**summary, "has_news": received is not None}
    fetch.require_account(fetched.received)
    _record_result(fetch, fetched)
    if fetched.known:
        with database.connect(settings.warehouse_url) as connection:
            fetches.mark_playlist_requests_read(connection, account.account_id, fetched.known.snapshots)
    warning = build_sign_in_warning(account, datetime.now(UTC))
    if warning:
        log.warning("%s", warning)
    return {"account": name, **_summarize_result(fetched)}


def _fetch_account_changes(
    account: Account, sync_state: SyncState, responses: ResponseStore, settings: Settings
) -> FetchResult:
    """Fetch the changes of an account, of the playlists that its user requested, and of the configured playlists."""
    accounts = open_accounts(settings)
    with database.connect(settings.warehouse_url) as connection:
        requested_playlists = fetches.list_requested_playlists(connection, account.account_id)
        mode = fetches.read_app_mode(connection)
    # Only one account fetches the configured playlists, because each costs a call.
    reader = _find_usable_account(settings, accounts.get_names())
    configured_playlists = settings.spotify_playlists if reader and reader.name == account.name else ()
    playlist_ids = tuple(dict.fromkeys([*configured_playlists, *requested_playlists]))
    api = ApiClient(get_app(settings), account, accounts, mode=Mode(mode) if mode else None)
    return fetch_account_responses(api, account, sync_state, playlist_ids, responses)


@report_full_disk
def fetch_catalogue(run_id: str, reference_date: date, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Fetch audio features never requested before, then the stalest tracks and artists, within the daily calls.

    :param is_last_try: as for ``fetch_account``.
    :returns: counts, and ``has_news`` as for an account; empty if no account can be used.
    :raises EtlError: as ``extract.spotify.catalogue_fetch.fetch_catalogue`` does.
    """
    names = choose_accounts(reference_date, settings)
    account = _find_usable_account(settings, names)
    if account is None:
        return {}
    lake = Lake(settings.lake_url)
    fetched_tracks = {
        id_
        for name in names
        for id_ in collect_track_ids(ResponseStore(lake, run_id, build_fetch_name("account", name)))
    }
    max_items = settings.spotify_daily_calls * max(BATCH_SIZES.values())
    with database.connect(settings.warehouse_url) as connection:
        has_features = "spotify" in settings.features.providers
        features = fetches.list_tracks_without_feature_request(connection, fetched_tracks) if has_features else []
        tracks = fetches.list_stalest_tracks(connection, reference_date, max_items)
        artists = fetches.list_stalest_artists(connection, reference_date, max_items)
    request = CatalogueRequest(
        features=features, tracks=[id_ for id_ in tracks if id_ not in fetched_tracks], artists=artists
    )
    api = ApiClient(get_app(settings), account, open_accounts(settings))
    fetch = Fetch(settings, run_id, "catalogue")
    responses = ResponseStore(lake, run_id, fetch.name)
    try:
        fetched = fetch_catalogue_responses(api, request, settings.spotify_daily_calls, responses)
    except EtlError as error:
        if not is_final(error, is_last_try):
            raise
        received = responses.store_input(datetime.now(UTC))
        summary = fetch.record_failure(
            error, is_pending=is_pause_too_long(error), input_id=received.input_id if received else None
        )
        return {**summary, "has_news": received is not None}
    _record_result(fetch, fetched)
    return _summarize_result(fetched)


def _find_usable_account(settings: Settings, names: list[str]) -> Account | None:
    """Return the first account that can fetch public resources: the catalogue and the configured playlists."""
    accounts = open_accounts(settings) if names else None
    for name in names:
        try:
            account = accounts.get_account(name) if accounts else None
        except ActionNeededError:
            continue
        if account and not account.trouble:
            return account
    return None


def _summarize_result(fetched: FetchResult) -> dict[str, Any]:
    return {
        "state": fetched.state,
        "has_news": fetched.received is not None,
        "calls": sum(fetched.calls.values()),
        "calls_saved": fetched.calls_saved,
        "playlists_seen": fetched.playlists_seen,
        "playlists_changed": fetched.playlists_changed,
        "left": dict(fetched.remaining),
    }


def _record_result(fetch: Fetch, fetched: FetchResult) -> None:
    skipped_items = ", ".join(f"{count} {item_kind}" for item_kind, count in fetched.remaining.items())
    fetch.record(
        fetched.state,
        mode=fetched.mode.value if fetched.mode else None,
        calls=dict(fetched.calls),
        calls_saved=fetched.calls_saved,
        playlists_seen=fetched.playlists_seen,
        playlists_changed=fetched.playlists_changed,
        playlists_rejected=fetched.playlists_rejected,
        days_left=fetched.days_left,
        message=f"not asked: {skipped_items}" if skipped_items else None,
        input_id=fetched.received.input_id if fetched.received else None,
        known=to_json_object(fetched.known) if fetched.known else {},
    )
