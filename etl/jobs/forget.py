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

from etl.config import Settings
from etl.errors import ActionNeededError, MustSignInError
from etl.extract.spotify.accounts import Accounts, of_all_apps
from etl.full_disk import explains_full_disk
from etl.jobs.forget_feeds import clean_feeds
from etl.jobs.forget_lake import clean_answers, clean_fetches, drop_exports, drop_steps, trace
from etl.lake import Lake
from etl.load import Run
from etl.load.forget import forget, names_of
from etl.load.loading import alone
from etl.load.run import record_published, record_start
from etl.person import NOBODY, Person, from_note

log = logging.getLogger(__name__)

JOB = "forget_user"


@explains_full_disk
def forget_user(user_id: str, run_id: str, settings: Settings) -> dict[str, int]:
    """Take all that is known of a person out of the accounts, the lake and the warehouse.

    :param user_id: as dim_user has it; the id by which Spotify calls an account will do, too.
    :returns: how many accounts, inputs and events went, and how many further inputs were written anew; all of them 0
        where nobody goes by that id.
    :raises EtlError: as ``warehouse.exclusive`` does; started again, the rest is done.
    """
    if not user_id.strip() or user_id in NOBODY:
        raise ActionNeededError("Name a user: an id that dim_user has for a person.")
    started_at = datetime.now(UTC)
    note = settings.state_dir / "forgetting" / f"{hashlib.sha256(user_id.encode()).hexdigest()[:32]}.json"
    is_begun = note.exists()
    person = _noted(note, Person(frozenset({user_id})))
    accounts = of_all_apps(settings.state_dir)
    for name, ids in _own(accounts, person).items():
        person = person.united(user_ids=ids, accounts={name})
    _keep(note, person)
    removed = _stop_asking(accounts, person)
    run = Run(run_id, JOB, started_at, started_at.date(), ())
    with alone(run, settings.warehouse_url) as connection:
        lake = Lake(settings.lake_url)
        lake.finish_drops()
        person = trace(lake, person)
        person = person.united(names=names_of(connection, person))
        record_start(connection, run)
        connection.commit()
        _keep(note, person)
        removed += _stop_asking(accounts, person)
        clean_fetches(lake, person)
        exports = drop_exports(lake, person)
        answers, changed_answers = clean_answers(lake, person)
        changed_feeds = clean_feeds(lake, person)
        if is_begun or removed or exports or answers or changed_answers or changed_feeds:
            drop_steps(lake)  # they were made of the lake: where it had nothing of the person, neither do they
        events = forget(connection, person)
        record_published(connection, run)
        connection.commit()
    note.unlink()
    log.info("%d accounts, %d inputs and %d events are forgotten.", removed, exports + answers, events)
    return {
        "accounts": removed,
        "inputs": exports + answers,
        "inputs_rewritten": changed_answers + changed_feeds,
        "events": events,
    }


def _own(accounts: list[Accounts], person: Person) -> dict[str, set[str]]:
    """The ids of the accounts that are the person's, by the accounts' names."""
    found: dict[str, set[str]] = {}
    for of_app in accounts:
        for name in of_app.names():
            with suppress(MustSignInError):  # a file that cannot be read names nobody: the lake's answers may
                ids = {of_app.get(name).account_id, of_app.get(name).user_id}
                if ids & person.user_ids:
                    found[name] = found.get(name, set()) | ids
    return found


def _stop_asking(accounts: list[Accounts], person: Person) -> int:
    """Remove the person's accounts with their tokens; how many there were."""
    there = [(of_app, name) for of_app in accounts for name in _own([of_app], person)]
    for of_app, name in there:
        of_app.remove(name)
    return len(there)


def _noted(note: Path, person: Person) -> Person:
    """The person with what an earlier try that was killed has noted."""
    try:
        return from_note(json.loads(note.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return person


def _keep(note: Path, person: Person) -> None:
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = note.with_suffix(".part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(person.note(), file)
    draft.replace(note)
