"""The step that erases a data subject: from the signed-in accounts first, then from the lake and the warehouse.

The identifiers of the data subject are stored first, in a private file under STATE_DIR, and that file is removed last.
So the next try completes an erasure that was killed.
"""

import hashlib
import json
import logging
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from etl.database import lock_landed_files
from etl.database.run_records import lock_for_run, record_published, record_start
from etl.erasure.data_subject import DataSubject, from_json_object
from etl.erasure.feeds import erase_from_feeds
from etl.erasure.lake import (
    collect_identifiers,
    drop_exports,
    drop_fetch_checkpoints,
    drop_run_frames,
    erase_from_responses,
)
from etl.erasure.landed_messages import erase_from_landed_topics
from etl.erasure.warehouse import erase_data_subject, find_usernames
from etl.errors import ActionNeededError, MustSignInError
from etl.extract.spotify.account_store import AccountStore, find_account_stores
from etl.extract.spotify.responses import ACCOUNT_FETCH_KINDS, build_fetch_name
from etl.formats.contracts.events import RESERVED_USER_IDS
from etl.jobs.landed_inputs import register_locked_files
from etl.load import Run
from etl.load.access.login_removal import erase_logins
from etl.load.marts import build_marts_as_defined
from etl.settings import Settings
from etl.storage.forecast_files import ForecastFiles
from etl.storage.forgotten_users import ForgottenUsers
from etl.storage.full_disk import report_full_disk
from etl.storage.lake import Lake
from etl.storage.landed_files import list_landed_topics

log = logging.getLogger(__name__)

JOB = "forget_user"
CLOCK_MARGIN = timedelta(minutes=10)
"""How far the clock of Kafka may be ahead: messages that it has received by then have later times than this process."""


@report_full_disk
def forget_user(user_id: str, run_id: str, settings: Settings) -> dict[str, int]:
    """Erase a user from the accounts, the lake and the warehouse.

    :param user_id: the user_id of dim_user, or Spotify's id of the account.
    :returns: the numbers of removed accounts, inputs and events, and of further inputs that were rewritten; all 0 if no
        user has the id.
    :raises EtlError: as ``load.frame_load.lock_for_run`` does; another try completes the erasure.
    """
    if not user_id.strip() or user_id in RESERVED_USER_IDS:
        raise ActionNeededError("Name a user: a user_id of dim_user that belongs to a person.")
    started_at = datetime.now(UTC)
    progress_file = settings.state_dir / "forgetting" / f"{hashlib.sha256(user_id.encode()).hexdigest()[:32]}.json"
    is_resumed = progress_file.exists()
    data_subject = _load_progress(progress_file, DataSubject(frozenset({user_id})))
    accounts = find_account_stores(settings.state_dir)
    for name, account_ids in _find_own_accounts(accounts, data_subject).items():
        data_subject = data_subject.add_identifiers(user_ids=account_ids, accounts={name})
    _save_progress(progress_file, data_subject)
    accounts_removed = _remove_accounts(accounts, data_subject)
    run = Run(run_id, JOB, started_at, started_at.date(), ())
    with lock_for_run(run, settings.warehouse_url) as connection:
        lake = Lake(settings.lake_url)
        lake.inputs.finish_input_drops()
        data_subject = collect_identifiers(lake, data_subject)
        data_subject = data_subject.add_identifiers(names=find_usernames(connection, data_subject))
        record_start(connection, run)
        connection.commit()
        _save_progress(progress_file, data_subject)
        accounts_removed += _remove_accounts(accounts, data_subject)
        own_fetches = {build_fetch_name(kind, name) for kind in ACCOUNT_FETCH_KINDS for name in data_subject.accounts}
        drop_fetch_checkpoints(lake, data_subject, own_fetches)
        exports_dropped = drop_exports(lake, data_subject)
        responses_dropped, responses_changed = erase_from_responses(lake, data_subject)
        _erase_from_streams(lake, data_subject, settings)
        feeds_changed = erase_from_feeds(lake, data_subject)
        if is_resumed or accounts_removed or exports_dropped or responses_dropped or responses_changed or feeds_changed:
            drop_run_frames(lake)  # derived from the lake's inputs, so they may contain the data subject, too
        events_erased = erase_data_subject(connection, data_subject, build_marts_as_defined, erase_logins)
        if is_resumed or events_erased:
            ForecastFiles(settings.state_dir, settings.lake_url).drop_all()  # The next run of the forecasts trains.
        record_published(connection, run)
        connection.commit()
    progress_file.unlink()
    log.info(
        "Erased %d accounts, %d inputs and %d events.",
        accounts_removed,
        exports_dropped + responses_dropped,
        events_erased,
    )
    return {
        "accounts": accounts_removed,
        "inputs": exports_dropped + responses_dropped,
        "inputs_rewritten": responses_changed + feeds_changed,
        "events": events_erased,
    }


def _erase_from_streams(lake: Lake, data_subject: DataSubject, settings: Settings) -> None:
    """Erase landed messages, and let landing skip the messages about the user that are still in Kafka.

    Accepted messages become inputs here, so that they are erased with the feeds.
    """
    if settings.kafka is None and not list_landed_topics(lake.url):
        return
    now = datetime.now(UTC)
    # Before the files are read: see landing_files.
    ForgottenUsers(lake.url).record_users(data_subject.user_ids, now + CLOCK_MARGIN)
    with lock_landed_files(settings.warehouse_url):  # Another load would move the files that are rewritten here.
        register_locked_files(lake, now)
        erase_from_landed_topics(lake, data_subject)


def _find_own_accounts(accounts: list[AccountStore], data_subject: DataSubject) -> dict[str, set[str]]:
    """Return the ids of the data subject's accounts, by the accounts' names."""
    ids_by_account: dict[str, set[str]] = {}
    for app_accounts in accounts:
        for name in app_accounts.get_names():
            with suppress(MustSignInError):  # an unreadable file has no ids, but the lake's responses may have them
                account_ids = {app_accounts.get_account(name).account_id, app_accounts.get_account(name).user_id}
                if account_ids & data_subject.user_ids:
                    ids_by_account[name] = ids_by_account.get(name, set()) | account_ids
    return ids_by_account


def _remove_accounts(accounts: list[AccountStore], data_subject: DataSubject) -> int:
    """Remove the data subject's accounts with their tokens, and return their number."""
    own_accounts = [
        (app_accounts, name) for app_accounts in accounts for name in _find_own_accounts([app_accounts], data_subject)
    ]
    for app_accounts, name in own_accounts:
        app_accounts.remove_account(name)
    return len(own_accounts)


def _load_progress(progress_file: Path, data_subject: DataSubject) -> DataSubject:
    """Return the data subject with the identifiers that an earlier, killed try has stored."""
    try:
        return from_json_object(json.loads(progress_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return data_subject


def _save_progress(progress_file: Path, data_subject: DataSubject) -> None:
    progress_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = progress_file.with_suffix(".part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(data_subject.to_json_object(), file)
    draft.replace(progress_file)
