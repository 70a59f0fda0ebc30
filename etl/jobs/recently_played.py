"""The step that asks what an account has played lately."""

import logging
from datetime import UTC, datetime
from typing import Any

from etl import database
from etl.database import fetches
from etl.errors import EtlError, QuotaUsedUpError
from etl.extract.spotify.account_store import Account
from etl.extract.spotify.app import get_app
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.fetch_result import DONE, PENDING_QUOTA
from etl.extract.spotify.recently_played import RecentPlays, fetch_recently_played
from etl.extract.spotify.responses import ResponseStore, build_fetch_name
from etl.jobs.spotify import (
    get_failure_state,
    is_final,
    is_pause_too_long,
    open_accounts,
    record_fetch,
    require_account,
)
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import Lake

log = logging.getLogger(__name__)


@report_full_disk
def fetch_plays(name: str, run_id: str, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Ask for the last plays of an account; the audit keeps what came of it, and a gap where plays may be missing.

    :param is_last_try: then the audit keeps the failure, too.
    :returns: the account's name, ``state``, ``plays`` (things in the new input, 0 where nothing is new), ``has_gap``.
    :raises MustSignInError: where the account must sign in again.
    :raises RateLimitedError: where Spotify asks for a pause of at most ``jobs.spotify.LONGEST_DELAY_S``.
    :raises EtlError: as ``extract.spotify.recent.fetch_recently_played`` does.
    """
    accounts, fetch_name = open_accounts(settings), build_fetch_name("recently_played", name)
    responses = ResponseStore(Lake(settings.lake_url), run_id, fetch_name)
    account: Account | None = None
    try:
        account = accounts.get_account(name)
        newest_known_at = _find_newest_play(settings, name, fetch_name, run_id, account.account_id)
        recent_plays = fetch_recently_played(
            ApiClient(get_app(settings), account, accounts), account, newest_known_at, responses
        )
    except EtlError as error:
        if account:
            require_account(settings, name, run_id, fetch_name, None)
        is_pending = isinstance(error, QuotaUsedUpError) or is_pause_too_long(error)
        if is_pending:
            log.warning("%s The next look comes by itself.", error)
            record_fetch(
                settings,
                run_id,
                fetch_name,
                name,
                PENDING_QUOTA,
                message=str(error),
                known=_load_sync_state(settings, name, fetch_name),
            )
            return {"account": name, "state": PENDING_QUOTA, "plays": 0, "has_gap": False}
        if is_final(error, is_last_try):
            record_fetch(settings, run_id, fetch_name, name, get_failure_state(error), message=str(error))
        raise
    require_account(settings, name, run_id, fetch_name, recent_plays.fetched.received)
    _record_plays(settings, run_id, fetch_name, name, account.account_id, recent_plays)
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


def _find_newest_play(settings: Settings, name: str, fetch_name: str, run_id: str, user_id: str) -> datetime | None:
    """The newest play that the star holds, or that an answer held which is still to be loaded."""
    with database.connect(settings.warehouse_url) as connection:
        loaded_at = fetches.find_newest_recent_play_time(connection, user_id)
        sync_state = fetches.read_sync_state(connection, name, fetch_name, excluded_run_id=run_id) or {}
    fetched_at = datetime.fromisoformat(sync_state["newest_played_at"]) if sync_state.get("newest_played_at") else None
    return max((timestamp for timestamp in (loaded_at, fetched_at) if timestamp), default=None)


def _load_sync_state(settings: Settings, name: str, fetch_name: str) -> dict[str, Any]:
    with database.connect(settings.warehouse_url) as connection:
        return fetches.read_sync_state(connection, name, fetch_name) or {}


def _record_plays(
    settings: Settings, run_id: str, fetch_name: str, name: str, user_id: str, recent_plays: RecentPlays
) -> None:
    fetched, newest_at = recent_plays.fetched, recent_plays.newest_at
    with database.connect(settings.warehouse_url) as connection:
        if recent_plays.gap:
            fetches.record_gap(connection, user_id, recent_plays.gap.gap_from, recent_plays.gap.gap_to, run_id)
        fetches.record_fetch(
            connection,
            run_id=run_id,
            part=fetch_name,
            account=name,
            asked_at=datetime.now(UTC),
            state=DONE,
            calls=dict(fetched.calls),
            days_left=fetched.days_left,
            input_id=fetched.received.input_id if fetched.received else None,
            known={"newest_played_at": newest_at.isoformat() if newest_at else None},
        )
