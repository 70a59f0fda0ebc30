"""The step that forgets a person: nobody asks for them any more, then the lake and the warehouse lose them.

What the person goes by is noted first, in a private file under STATE_DIR, and the note goes last: a try that was killed
is finished by the next one.
"""

import hashlib
import json
import logging
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from etl.database.run_records import record_published, record_start
from etl.erasure.data_subject import RESERVED_USER_IDS, DataSubject, from_json_object
from etl.erasure.feeds import erase_from_feeds
from etl.erasure.lake import (
    collect_identifiers,
    drop_exports,
    drop_fetch_checkpoints,
    drop_run_frames,
    erase_from_responses,
)
from etl.erasure.warehouse import erase_data_subject, find_usernames
from etl.errors import ActionNeededError, MustSignInError
from etl.extract.spotify.account_store import AccountStore, find_account_stores
from etl.load import Run
from etl.load.frame_load import lock_for_run
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import Lake

log = logging.getLogger(__name__)

JOB = "forget_user"


@report_full_disk
def forget_user(user_id: str, run_id: str, settings: Settings) -> dict[str, int]:
    """Take all that is known of a person out of the accounts, the lake and the warehouse.

    :param user_id: as dim_user has it; the id by which Spotify calls an account will do, too.
    :returns: how many accounts, inputs and events went, and how many further inputs were written anew; all of them 0
        where nobody goes by that id.
    :raises EtlError: as ``warehouse.exclusive`` does; started again, the rest is done.
    """
    if not user_id.strip() or user_id in RESERVED_USER_IDS:
        raise ActionNeededError("Name a user: an id that dim_user has for a person.")
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
        lake.finish_input_drops()
        data_subject = collect_identifiers(lake, data_subject)
        data_subject = data_subject.add_identifiers(names=find_usernames(connection, data_subject))
        record_start(connection, run)
        connection.commit()
        _save_progress(progress_file, data_subject)
        accounts_removed += _remove_accounts(accounts, data_subject)
        drop_fetch_checkpoints(lake, data_subject)
        exports_dropped = drop_exports(lake, data_subject)
        responses_dropped, responses_changed = erase_from_responses(lake, data_subject)
        feeds_changed = erase_from_feeds(lake, data_subject)
        if is_resumed or accounts_removed or exports_dropped or responses_dropped or responses_changed or feeds_changed:
            drop_run_frames(lake)  # they were made of the lake: where it had nothing of the person, neither do they
        events_erased = erase_data_subject(connection, data_subject)
        record_published(connection, run)
        connection.commit()
    progress_file.unlink()
    log.info(
        "%d accounts, %d inputs and %d events are forgotten.",
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


def _find_own_accounts(accounts: list[AccountStore], data_subject: DataSubject) -> dict[str, set[str]]:
    """The ids of the accounts that are the person's, by the accounts' names."""
    ids_by_account: dict[str, set[str]] = {}
    for app_accounts in accounts:
        for name in app_accounts.get_names():
            with suppress(MustSignInError):  # a file that cannot be read names nobody: the lake's answers may
                account_ids = {app_accounts.get_account(name).account_id, app_accounts.get_account(name).user_id}
                if account_ids & data_subject.user_ids:
                    ids_by_account[name] = ids_by_account.get(name, set()) | account_ids
    return ids_by_account


def _remove_accounts(accounts: list[AccountStore], data_subject: DataSubject) -> int:
    """Remove the person's accounts with their tokens; how many there were."""
    own_accounts = [
        (app_accounts, name) for app_accounts in accounts for name in _find_own_accounts([app_accounts], data_subject)
    ]
    for app_accounts, name in own_accounts:
        app_accounts.remove_account(name)
    return len(own_accounts)


def _load_progress(progress_file: Path, data_subject: DataSubject) -> DataSubject:
    """The person with what an earlier try that was killed has noted."""
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
