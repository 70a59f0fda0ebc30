"""The step that asks what an account has played lately."""

import logging
from datetime import UTC, datetime
from typing import Any

from etl import warehouse
from etl.config import Settings
from etl.errors import EtlError, QuotaUsedUpError
from etl.extract.spotify.accounts import Account
from etl.extract.spotify.answers import Answers, account_part
from etl.extract.spotify.api import Api
from etl.extract.spotify.app import app_of
from etl.extract.spotify.fetched import DONE, PENDING_QUOTA
from etl.extract.spotify.recent import Recent, fetch_recently_played
from etl.full_disk import explains_full_disk
from etl.jobs.spotify import accounts_of, is_final, is_too_long, record, require_account, state_of
from etl.lake import Lake
from etl.warehouse import fetches

log = logging.getLogger(__name__)


@explains_full_disk
def fetch_plays(name: str, run_id: str, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Ask for the last plays of an account; the audit keeps what came of it, and a gap where plays may be missing.

    :param is_last_try: then the audit keeps the failure, too.
    :returns: the account's name, ``state``, ``plays`` (things in the new input, 0 where nothing is new), ``has_gap``.
    :raises MustSignInError: where the account must sign in again.
    :raises RateLimitedError: where Spotify asks for a pause of at most ``jobs.spotify.LONGEST_DELAY_S``.
    :raises EtlError: as ``extract.spotify.recent.fetch_recently_played`` does.
    """
    accounts, part = accounts_of(settings), account_part("recently_played", name)
    answers = Answers(Lake(settings.lake_url), run_id, part)
    account: Account | None = None
    try:
        account = accounts.get(name)
        known_at = _known_at(settings, name, part, run_id, account.account_id)
        recent = fetch_recently_played(Api(app_of(settings), account, accounts), account, known_at, answers)
    except EtlError as error:
        if account:
            require_account(settings, name, run_id, part, None)
        is_pending = isinstance(error, QuotaUsedUpError) or is_too_long(error)
        if is_pending:
            log.warning("%s The next look comes by itself.", error)
            record(settings, run_id, part, name, PENDING_QUOTA, message=str(error), known=_note(settings, name, part))
            return {"account": name, "state": PENDING_QUOTA, "plays": 0, "has_gap": False}
        if is_final(error, is_last_try):
            record(settings, run_id, part, name, state_of(error), message=str(error))
        raise
    require_account(settings, name, run_id, part, recent.fetched.received)
    _record(settings, run_id, part, name, account.account_id, recent)
    if recent.gap:
        log.warning("Plays of %s may be missing from %s to %s.", name, recent.gap.gap_from, recent.gap.gap_to)
    received = recent.fetched.received
    return {
        "account": name,
        "state": DONE,
        "plays": received.row_count if received else 0,
        "has_gap": recent.gap is not None,
    }


def _known_at(settings: Settings, name: str, part: str, run_id: str, user_id: str) -> datetime | None:
    """The newest play that the star holds, or that an answer held which is still to be loaded."""
    with warehouse.connect(settings.warehouse_url) as connection:
        stored = fetches.newest_recent_play(connection, user_id)
        note = fetches.known_of_account(connection, name, part, besides_run=run_id) or {}
    seen = datetime.fromisoformat(note["newest_played_at"]) if note.get("newest_played_at") else None
    return max((moment for moment in (stored, seen) if moment), default=None)


def _note(settings: Settings, name: str, part: str) -> dict[str, Any]:
    with warehouse.connect(settings.warehouse_url) as connection:
        return fetches.known_of_account(connection, name, part) or {}


def _record(settings: Settings, run_id: str, part: str, name: str, user_id: str, recent: Recent) -> None:
    fetched, newest_at = recent.fetched, recent.newest_at
    with warehouse.connect(settings.warehouse_url) as connection:
        if recent.gap:
            fetches.record_gap(connection, user_id, recent.gap.gap_from, recent.gap.gap_to, run_id)
        fetches.record_fetch(
            connection,
            run_id=run_id,
            part=part,
            account=name,
            asked_at=datetime.now(UTC),
            state=DONE,
            calls=dict(fetched.calls),
            days_left=fetched.days_left,
            input_id=fetched.received.input_id if fetched.received else None,
            known={"newest_played_at": newest_at.isoformat() if newest_at else None},
        )
