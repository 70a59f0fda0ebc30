"""The steps that ask the Spotify API: which accounts, each account, the catalogue."""

import logging
from datetime import UTC, date, datetime
from typing import Any

from etl import database
from etl.database import fetches
from etl.errors import ActionNeededError, EtlError, MustSignInError, RateLimitedError
from etl.extract.spotify.account_fetch import fetch_account as ask_account
from etl.extract.spotify.account_store import Account, AccountStore, build_sign_in_warning
from etl.extract.spotify.app import get_app
from etl.extract.spotify.catalogue_fetch import CatalogueRequest
from etl.extract.spotify.catalogue_fetch import fetch_catalogue as ask_catalogue
from etl.extract.spotify.client import BATCH_SIZES, ApiClient, Mode
from etl.extract.spotify.fetch_result import PENDING_QUOTA, FetchResult
from etl.extract.spotify.responses import ResponseStore, build_fetch_name
from etl.extract.spotify.sync_state import SyncState, from_json_object, to_json_object, update_sync_state
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import Lake, ReceivedInput

log = logging.getLogger(__name__)

MAX_RETRY_DELAY_S = 3600.0
"""A pause that Spotify asks for is waited out up to here; after a longer one the next run goes on."""


def choose_accounts(reference_date: date, settings: Settings) -> list[str]:
    """The names of the accounts to ask tonight.

    :param reference_date: the day that the run stands for.
    :returns: none where nobody has signed in, or where the run stands for an earlier day: the past is replayed from
        the lake and never asked again.
    :raises ActionNeededError: as ``keep_apart`` does.
    """
    if not settings.spotify_client_id:
        log.info("SPOTIPY_CLIENT_ID is not set and no stand-in runs: Spotify's API is not asked.")
        return []
    if reference_date < datetime.now(UTC).date():
        log.info("This run stands for %s: what was received then lies in the lake; nothing is asked.", reference_date)
        return []
    require_single_api(settings)
    names = AccountStore(settings.state_dir, settings.spotify_client_id).get_names()
    if not names:
        log.warning("Nobody has signed in: run bin/sign-in, then start this again.")
    return names


def require_single_api(settings: Settings) -> None:
    """See to it that one lake has answers of Spotify or of a stand-in, whose are made up, and never of both.

    :raises ActionNeededError: where the lake has the other's.
    """
    requested_api = settings.api_name
    stored_api = Lake(settings.lake_url).resolve_api_name(requested_api)
    if stored_api != requested_api:
        raise ActionNeededError(
            f"The lake holds answers of {stored_api}, and now {requested_api} is to be asked: what is made up would be taken for "
            "Spotify's. Name another STATE_DIR, and another LAKE_URL and WAREHOUSE_URL where these are set."
        )


@report_full_disk
def fetch_account(name: str, run_id: str, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Ask what is new of one account; the audit keeps what came of it.

    :param is_last_try: then what was answered before a failure is kept for the load, too.
    :returns: names and counts; ``has_news`` says whether the lake has something new of it.
    :raises MustSignInError: where the account must sign in again.
    :raises RateLimitedError: where Spotify asks for a pause of at most ``LONGEST_DELAY_S``.
    :raises EtlError: as ``extract.spotify.account.fetch_account`` does.
    """
    accounts, fetch_name = open_accounts(settings), build_fetch_name("account", name)
    responses = ResponseStore(Lake(settings.lake_url), run_id, fetch_name)
    with database.connect(settings.warehouse_url) as connection:
        sync_state = from_json_object(fetches.read_sync_state(connection, name, fetch_name, excluded_run_id=run_id))
    account: Account | None = None
    try:
        account = accounts.get_account(name)
        fetched = _fetch_account_changes(account, sync_state, responses, settings)
    except EtlError as error:
        if not is_final(error, is_last_try):
            raise
        received = responses.store_input(datetime.now(UTC))
        if account:
            require_account(settings, name, run_id, fetch_name, received)
        state = PENDING_QUOTA if isinstance(error, RateLimitedError) else get_failure_state(error)
        partial_state = update_sync_state(
            sync_state, responses.read_stored_responses(), {}, {"saved_tracks": 1, "followed_artists": 1}
        )
        record_fetch(
            settings,
            run_id,
            fetch_name,
            name,
            state,
            known=to_json_object(partial_state),
            **_describe_failure(error, received),
        )
        return {"account": name, **_report_pending_fetch(error, state, received)}
    require_account(settings, name, run_id, fetch_name, fetched.received)
    _record_fetched_responses(settings, run_id, fetch_name, name, fetched)
    if fetched.known:
        with database.connect(settings.warehouse_url) as connection:
            fetches.mark_playlist_requests_read(connection, account.account_id, fetched.known.snapshots)
    warning = build_sign_in_warning(account, datetime.now(UTC))
    if warning:
        log.warning("%s", warning)
    return {"account": name, **_summarize_fetch(fetched)}


def _fetch_account_changes(
    account: Account, sync_state: SyncState, responses: ResponseStore, settings: Settings
) -> FetchResult:
    """Ask what is new of an account, and of the playlists that somebody wished for."""
    accounts = open_accounts(settings)
    with database.connect(settings.warehouse_url) as connection:
        requested_playlists = fetches.list_requested_playlists(connection, account.account_id)
        mode = fetches.read_app_mode(connection)
    # One account looks at the playlists that the setting names: each costs a call.
    reader = _find_usable_account(settings, accounts.get_names())
    configured_playlists = settings.spotify_playlists if reader and reader.name == account.name else ()
    playlist_ids = tuple(dict.fromkeys([*configured_playlists, *requested_playlists]))
    api = ApiClient(get_app(settings), account, accounts, mode=Mode(mode) if mode else None)
    return ask_account(api, account, sync_state, playlist_ids, responses)


@report_full_disk
def fetch_catalogue(run_id: str, reference_date: date, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Ask for audio features never asked, then for the stalest tracks and artists, within the budget of calls.

    :param is_last_try: then what was answered before a failure is kept for the load, too.
    :returns: counts, and ``has_news`` as of an account; empty where there is nobody to ask for.
    :raises EtlError: as ``extract.spotify.catalogue.fetch_catalogue`` does.
    """
    names = choose_accounts(reference_date, settings)
    account = _find_usable_account(settings, names)
    if account is None:
        return {}
    lake = Lake(settings.lake_url)
    fetched_tracks = {
        id_
        for name in names
        for id_ in _collect_track_ids(ResponseStore(lake, run_id, build_fetch_name("account", name)))
    }
    max_items = settings.spotify_daily_calls * max(BATCH_SIZES.values())
    with database.connect(settings.warehouse_url) as connection:
        features = fetches.list_tracks_without_feature_request(connection, fetched_tracks)
        tracks = fetches.list_stalest_tracks(connection, reference_date, max_items)
        artists = fetches.list_stalest_artists(connection, reference_date, max_items)
    request = CatalogueRequest(
        features=features, tracks=[id_ for id_ in tracks if id_ not in fetched_tracks], artists=artists
    )
    api = ApiClient(get_app(settings), account, open_accounts(settings))
    responses = ResponseStore(lake, run_id, "catalogue")
    try:
        fetched = ask_catalogue(api, request, settings.spotify_daily_calls, responses)
    except EtlError as error:
        if not is_final(error, is_last_try):
            raise
        received = responses.store_input(datetime.now(UTC))
        state = PENDING_QUOTA if is_pause_too_long(error) else get_failure_state(error)
        record_fetch(settings, run_id, "catalogue", None, state, **_describe_failure(error, received))
        return _report_pending_fetch(error, state, received)
    _record_fetched_responses(settings, run_id, "catalogue", None, fetched)
    return _summarize_fetch(fetched)


def open_accounts(settings: Settings) -> AccountStore:
    """The accounts of the app that the settings name."""
    return AccountStore(settings.state_dir, get_app(settings).client_id)


def require_account(
    settings: Settings, name: str, run_id: str, fetch_name: str, received: ReceivedInput | None
) -> None:
    """Let go of what an account was answered where it was removed meanwhile: its person is to be forgotten.

    :raises MustSignInError: where that is so.
    """
    if name in open_accounts(settings).get_names():
        return
    lake = Lake(settings.lake_url)
    lake.drop_checkpoint_folder(run_id, f"answers/{fetch_name}")
    if received:
        lake.drop_input(received)
    raise MustSignInError("The account was removed while it was asked: what it was answered is not kept.")


def _find_usable_account(settings: Settings, names: list[str]) -> Account | None:
    """The first account that can ask for things that are nobody's own: the catalogue, the playlists of the setting."""
    accounts = open_accounts(settings) if names else None
    for name in names:
        try:
            account = accounts.get_account(name) if accounts else None
        except ActionNeededError:
            continue
        if account and not account.trouble:
            return account
    return None


def _collect_track_ids(responses: ResponseStore) -> set[str]:
    """The ids of the tracks in a fetch's answers."""
    entries = (
        entry
        for response in responses.read_stored_responses()
        if response.is_success() and response.endpoint in ("playlist_items", "saved_tracks")
        for entry in response.body["items"]
        if isinstance(entry, dict)
    )
    tracks = (entry.get("item") or entry.get("track") for entry in entries)
    return {track["id"] for track in tracks if isinstance(track, dict) and isinstance(track.get("id"), str)}


def is_final(error: EtlError, is_last_try: bool) -> bool:
    """Whether a failure is the end of a fetch, so that the audit keeps it."""
    return is_last_try or is_pause_too_long(error) or isinstance(error, ActionNeededError)


def is_pause_too_long(error: EtlError) -> bool:
    """Whether a pause would hold back what else there is to publish."""
    return isinstance(error, RateLimitedError) and error.retry_after_s > MAX_RETRY_DELAY_S


def get_failure_state(error: EtlError) -> str:
    """What audit.fetch calls a fetch that failed."""
    return "must_sign_in" if isinstance(error, MustSignInError) else "failed"


def _describe_failure(error: EtlError, received: ReceivedInput | None) -> dict[str, str | None]:
    """What audit.fetch is told of a fetch that a failure ended."""
    return {"message": str(error), "input_id": received.input_id if received else None}


def _report_pending_fetch(error: EtlError, state: str, received: ReceivedInput | None) -> dict[str, Any]:
    """What the task says of a fetch that a failure ended.

    :raises EtlError: the failure, where the next run does not simply go on from there.
    """
    if state != PENDING_QUOTA:
        raise error
    log.warning("%s What was answered is loaded, and the next run goes on from there.", error)
    return {"state": state, "has_news": received is not None}


def _summarize_fetch(fetched: FetchResult) -> dict[str, Any]:
    return {
        "state": fetched.state,
        "has_news": fetched.received is not None,
        "calls": sum(fetched.calls.values()),
        "calls_saved": fetched.calls_saved,
        "playlists_seen": fetched.playlists_seen,
        "playlists_changed": fetched.playlists_changed,
        "left": dict(fetched.remaining),
    }


def _record_fetched_responses(
    settings: Settings, run_id: str, fetch_name: str, account: str | None, fetched: FetchResult
) -> None:
    skipped_items = ", ".join(f"{count} {item_kind}" for item_kind, count in fetched.remaining.items())
    record_fetch(
        settings,
        run_id,
        fetch_name,
        account,
        fetched.state,
        mode=fetched.mode.value if fetched.mode else None,
        calls=dict(fetched.calls),
        calls_saved=fetched.calls_saved,
        playlists_seen=fetched.playlists_seen,
        playlists_changed=fetched.playlists_changed,
        playlists_refused=fetched.playlists_refused,
        days_left=fetched.days_left,
        message=f"not asked: {skipped_items}" if skipped_items else None,
        input_id=fetched.received.input_id if fetched.received else None,
        known=to_json_object(fetched.known) if fetched.known else {},
    )


def record_fetch(
    settings: Settings, run_id: str, fetch_name: str, account: str | None, state: str, **columns: object
) -> None:
    """Write a line of audit.fetch."""
    with database.connect(settings.warehouse_url) as connection:
        fetches.record_fetch(
            connection,
            run_id=run_id,
            part=fetch_name,
            account=account,
            asked_at=datetime.now(UTC),
            state=state,
            **columns,
        )
