"""The steps that ask the Spotify API: which accounts, each account, the catalogue."""

import logging
from datetime import UTC, date, datetime
from typing import Any

from etl import warehouse
from etl.config import Settings
from etl.errors import ActionNeededError, EtlError, MustSignInError, RateLimitedError
from etl.extract.spotify.account import fetch_account as ask_account
from etl.extract.spotify.accounts import Account, Accounts, sign_in_warning
from etl.extract.spotify.answers import Answers, account_part
from etl.extract.spotify.api import BATCH_SIZES, Api, Mode
from etl.extract.spotify.app import app_of
from etl.extract.spotify.catalogue import Wanted
from etl.extract.spotify.catalogue import fetch_catalogue as ask_catalogue
from etl.extract.spotify.fetched import PENDING_QUOTA, Fetched
from etl.extract.spotify.knowledge import Known, from_note, learned, to_note
from etl.full_disk import explains_full_disk
from etl.lake import Lake, Received
from etl.warehouse import fetches

log = logging.getLogger(__name__)

LONGEST_DELAY_S = 3600.0
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
    keep_apart(settings)
    names = Accounts(settings.state_dir, settings.spotify_client_id).names()
    if not names:
        log.warning("Nobody has signed in: run bin/sign-in, then start this again.")
    return names


def keep_apart(settings: Settings) -> None:
    """See to it that one lake has answers of Spotify or of a stand-in, whose are made up, and never of both.

    :raises ActionNeededError: where the lake has the other's.
    """
    asked = settings.asked_api
    answered = Lake(settings.lake_url).answered_by(asked)
    if answered != asked:
        raise ActionNeededError(
            f"The lake holds answers of {answered}, and now {asked} is to be asked: what is made up would be taken for "
            "Spotify's. Name another STATE_DIR, and another LAKE_URL and WAREHOUSE_URL where these are set."
        )


@explains_full_disk
def fetch_account(name: str, run_id: str, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Ask what is new of one account; the audit keeps what came of it.

    :param is_last_try: then what was answered before a failure is kept for the load, too.
    :returns: names and counts; ``has_news`` says whether the lake has something new of it.
    :raises MustSignInError: where the account must sign in again.
    :raises RateLimitedError: where Spotify asks for a pause of at most ``LONGEST_DELAY_S``.
    :raises EtlError: as ``extract.spotify.account.fetch_account`` does.
    """
    accounts, part = accounts_of(settings), account_part("account", name)
    answers = Answers(Lake(settings.lake_url), run_id, part)
    with warehouse.connect(settings.warehouse_url) as connection:
        known = from_note(fetches.known_of_account(connection, name, part, besides_run=run_id))
    account: Account | None = None
    try:
        account = accounts.get(name)
        fetched = _ask(account, known, answers, settings)
    except EtlError as error:
        if not is_final(error, is_last_try):
            raise
        received = answers.finish(datetime.now(UTC))
        if account:
            require_account(settings, name, run_id, part, received)
        state = PENDING_QUOTA if isinstance(error, RateLimitedError) else state_of(error)
        after = learned(known, answers.all_kept(), {}, {"saved_tracks": 1, "followed_artists": 1})
        record(settings, run_id, part, name, state, known=to_note(after), **_cut_short(error, received))
        return {"account": name, **_left_to_the_next_run(error, state, received)}
    require_account(settings, name, run_id, part, fetched.received)
    _record_fetched(settings, run_id, part, name, fetched)
    if fetched.known:
        with warehouse.connect(settings.warehouse_url) as connection:
            fetches.note_read_wishes(connection, account.account_id, fetched.known.snapshots)
    warning = sign_in_warning(account, datetime.now(UTC))
    if warning:
        log.warning("%s", warning)
    return {"account": name, **_summary(fetched)}


def _ask(account: Account, known: Known, answers: Answers, settings: Settings) -> Fetched:
    """Ask what is new of an account, and of the playlists that somebody wished for."""
    accounts = accounts_of(settings)
    with warehouse.connect(settings.warehouse_url) as connection:
        wished = fetches.wished_playlists(connection, account.account_id)
        mode = fetches.known_mode(connection)
    # One account looks at the playlists that the setting names: each costs a call.
    reader = _able_account(settings, accounts.names())
    named = settings.spotify_playlists if reader and reader.name == account.name else ()
    playlist_ids = tuple(dict.fromkeys([*named, *wished]))
    api = Api(app_of(settings), account, accounts, mode=Mode(mode) if mode else None)
    return ask_account(api, account, known, playlist_ids, answers)


@explains_full_disk
def fetch_catalogue(run_id: str, reference_date: date, settings: Settings, is_last_try: bool) -> dict[str, Any]:
    """Ask for audio features never asked, then for the stalest tracks and artists, within the budget of calls.

    :param is_last_try: then what was answered before a failure is kept for the load, too.
    :returns: counts, and ``has_news`` as of an account; empty where there is nobody to ask for.
    :raises EtlError: as ``extract.spotify.catalogue.fetch_catalogue`` does.
    """
    names = choose_accounts(reference_date, settings)
    account = _able_account(settings, names)
    if account is None:
        return {}
    lake = Lake(settings.lake_url)
    seen_tonight = {id_ for name in names for id_ in _tracks_seen(Answers(lake, run_id, account_part("account", name)))}
    most = settings.spotify_daily_calls * max(BATCH_SIZES.values())
    with warehouse.connect(settings.warehouse_url) as connection:
        features = fetches.without_asked_features(connection, seen_tonight)
        tracks = fetches.stalest_tracks(connection, reference_date, most)
        artists = fetches.stalest_artists(connection, reference_date, most)
    wanted = Wanted(features=features, tracks=[id_ for id_ in tracks if id_ not in seen_tonight], artists=artists)
    api = Api(app_of(settings), account, accounts_of(settings))
    answers = Answers(lake, run_id, "catalogue")
    try:
        fetched = ask_catalogue(api, wanted, settings.spotify_daily_calls, answers)
    except EtlError as error:
        if not is_final(error, is_last_try):
            raise
        received = answers.finish(datetime.now(UTC))
        state = PENDING_QUOTA if is_too_long(error) else state_of(error)
        record(settings, run_id, "catalogue", None, state, **_cut_short(error, received))
        return _left_to_the_next_run(error, state, received)
    _record_fetched(settings, run_id, "catalogue", None, fetched)
    return _summary(fetched)


def accounts_of(settings: Settings) -> Accounts:
    """The accounts of the app that the settings name."""
    return Accounts(settings.state_dir, app_of(settings).client_id)


def require_account(settings: Settings, name: str, run_id: str, part: str, received: Received | None) -> None:
    """Let go of what an account was answered where it was removed meanwhile: its person is to be forgotten.

    :raises MustSignInError: where that is so.
    """
    if name in accounts_of(settings).names():
        return
    lake = Lake(settings.lake_url)
    lake.drop_kept(run_id, f"answers/{part}")
    if received:
        lake.drop_input(received)
    raise MustSignInError("The account was removed while it was asked: what it was answered is not kept.")


def _able_account(settings: Settings, names: list[str]) -> Account | None:
    """The first account that can ask for things that are nobody's own: the catalogue, the playlists of the setting."""
    accounts = accounts_of(settings) if names else None
    for name in names:
        try:
            account = accounts.get(name) if accounts else None
        except ActionNeededError:
            continue
        if account and not account.trouble:
            return account
    return None


def _tracks_seen(answers: Answers) -> set[str]:
    """The ids of the tracks in a fetch's answers."""
    entries = (
        entry
        for answer in answers.all_kept()
        if answer.is_good() and answer.endpoint in ("playlist_items", "saved_tracks")
        for entry in answer.body["items"]
        if isinstance(entry, dict)
    )
    held = (entry.get("item") or entry.get("track") for entry in entries)
    return {one["id"] for one in held if isinstance(one, dict) and isinstance(one.get("id"), str)}


def is_final(error: EtlError, is_last_try: bool) -> bool:
    """Whether a failure is the end of a fetch, so that the audit keeps it."""
    return is_last_try or is_too_long(error) or isinstance(error, ActionNeededError)


def is_too_long(error: EtlError) -> bool:
    """Whether a pause would hold back what else there is to publish."""
    return isinstance(error, RateLimitedError) and error.retry_after_s > LONGEST_DELAY_S


def state_of(error: EtlError) -> str:
    """What audit.fetch calls a fetch that failed."""
    return "must_sign_in" if isinstance(error, MustSignInError) else "failed"


def _cut_short(error: EtlError, received: Received | None) -> dict[str, str | None]:
    """What audit.fetch is told of a fetch that a failure ended."""
    return {"message": str(error), "input_id": received.input_id if received else None}


def _left_to_the_next_run(error: EtlError, state: str, received: Received | None) -> dict[str, Any]:
    """What the task says of a fetch that a failure ended.

    :raises EtlError: the failure, where the next run does not simply go on from there.
    """
    if state != PENDING_QUOTA:
        raise error
    log.warning("%s What was answered is loaded, and the next run goes on from there.", error)
    return {"state": state, "has_news": received is not None}


def _summary(fetched: Fetched) -> dict[str, Any]:
    return {
        "state": fetched.state,
        "has_news": fetched.received is not None,
        "calls": sum(fetched.calls.values()),
        "calls_saved": fetched.calls_saved,
        "playlists_seen": fetched.playlists_seen,
        "playlists_changed": fetched.playlists_changed,
        "left": dict(fetched.left),
    }


def _record_fetched(settings: Settings, run_id: str, part: str, account: str | None, fetched: Fetched) -> None:
    left = ", ".join(f"{count} {what}" for what, count in fetched.left.items())
    record(
        settings,
        run_id,
        part,
        account,
        fetched.state,
        mode=fetched.mode.value if fetched.mode else None,
        calls=dict(fetched.calls),
        calls_saved=fetched.calls_saved,
        playlists_seen=fetched.playlists_seen,
        playlists_changed=fetched.playlists_changed,
        playlists_refused=fetched.playlists_refused,
        days_left=fetched.days_left,
        message=f"not asked: {left}" if left else None,
        input_id=fetched.received.input_id if fetched.received else None,
        known=to_note(fetched.known) if fetched.known else {},
    )


def record(settings: Settings, run_id: str, part: str, account: str | None, state: str, **line: object) -> None:
    """Write a line of audit.fetch."""
    with warehouse.connect(settings.warehouse_url) as connection:
        fetches.record_fetch(
            connection, run_id=run_id, part=part, account=account, asked_at=datetime.now(UTC), state=state, **line
        )
