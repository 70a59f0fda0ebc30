"""The step that fetches the recent plays of an account."""

import logging
from datetime import datetime
from typing import Any

from etl import database
from etl.database import fetches
from etl.errors import EtlError, QuotaUsedUpError
from etl.extract.spotify.account_store import Account
from etl.extract.spotify.app import get_app
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.fetch_result import DONE
from etl.extract.spotify.recently_played import RecentPlays, fetch_recently_played
from etl.extract.spotify.responses import ResponseStore, build_fetch_name
from etl.jobs.fetch_outcomes import Fetch, is_final, is_pause_too_long, open_accounts
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.lake import Lake

log = logging.getLogger(__name__)


@report_full_disk
def fetch_plays(name: str, run_id: str, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Fetch the recent plays of an account, and record the fetch, and a gap if plays may be missing, in the audit.

    :param is_last_try: whether a failure is final, so that the audit records it.
    :returns: the account's name, ``state``, ``plays`` (the number in the new input, 0 if nothing is new), ``has_gap``.
    :raises MustSignInError: if the account must sign in again.
    :raises RateLimitedError: if Spotify asks for a pause of at most ``fetch_outcomes.MAX_RETRY_DELAY_S``.
    :raises EtlError: as ``extract.spotify.recently_played.fetch_recently_played`` does.
    """
    accounts = open_accounts(settings)
    fetch = Fetch(settings, run_id, build_fetch_name("recently_played", name), name)
    responses = ResponseStore(Lake(settings.lake_url), run_id, fetch.name)
    account: Account | None = None
    try:
        account = accounts.get_account(name)
        newest_known_at = _find_newest_play(fetch, account)
        recent_plays = fetch_recently_played(
            ApiClient(get_app(settings), account, accounts), account, newest_known_at, responses
        )
    except EtlError as error:
        if account:
            fetch.require_account(None)
        is_pending = isinstance(error, QuotaUsedUpError) or is_pause_too_long(error)
        if not (is_pending or is_final(error, is_last_try)):
            raise
        columns = {"known": _load_sync_state(fetch, name)} if is_pending else {}
        return {**fetch.record_failure(error, is_pending, **columns), "plays": 0, "has_gap": False}
    fetch.require_account(recent_plays.fetched.received)
    _record_plays(fetch, account.account_id, recent_plays)
    if recent_plays.gap:
        log.warning(
            "Plays of %s may be missing from %s to %s.", name, recent_plays.gap.gap_from, recent_plays.gap.gap_to
        )
    received = recent_plays.fetched.received
    return {
        "account": name,
        "state": DONE,
        "plays": received.row_count if received else 0,
        "has_gap": recent_plays.gap is not None,
    }


def _find_newest_play(fetch: Fetch, account: Account) -> datetime | None:
    """Return the time of the newest play in the star or in responses that are not loaded yet."""
    with database.connect(fetch.settings.warehouse_url) as connection:
        loaded_at = fetches.find_newest_recent_play_time(connection, account.account_id)
        sync_state = fetches.read_sync_state(connection, account.name, fetch.name, excluded_run_id=fetch.run_id) or {}
    fetched_at = datetime.fromisoformat(sync_state["newest_played_at"]) if sync_state.get("newest_played_at") else None
    return max((timestamp for timestamp in (loaded_at, fetched_at) if timestamp), default=None)


def _load_sync_state(fetch: Fetch, name: str) -> dict[str, Any]:
    with database.connect(fetch.settings.warehouse_url) as connection:
        return fetches.read_sync_state(connection, name, fetch.name) or {}


def _record_plays(fetch: Fetch, user_id: str, recent_plays: RecentPlays) -> None:
    fetched, newest_at, gap = recent_plays.fetched, recent_plays.newest_at, recent_plays.gap
    if gap:
        with database.connect(fetch.settings.warehouse_url) as connection:
            fetches.record_gap(connection, user_id, gap.gap_from, gap.gap_to, fetch.run_id)
    fetch.record(
        DONE,
        calls=dict(fetched.calls),
        days_left=fetched.days_left,
        input_id=fetched.received.input_id if fetched.received else None,
        known={"newest_played_at": newest_at.isoformat() if newest_at else None},
    )
