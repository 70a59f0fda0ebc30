"""The outcome of a fetch from the Spotify API: its audit record, and whether the run continues after a failure."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from etl import database
from etl.database import fetches
from etl.errors import ActionNeededError, EtlError, MustSignInError, RateLimitedError
from etl.extract.spotify.account_store import AccountStore
from etl.extract.spotify.app import get_app
from etl.extract.spotify.fetch_result import PENDING_QUOTA
from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import get_item_track
from etl.settings import Settings
from etl.storage.checkpoints import RESPONSE_FOLDER
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

log = logging.getLogger(__name__)

MAX_RETRY_DELAY_S = 3600.0
"""The longest pause that a task waits for. After a longer one the next run continues."""


def open_accounts(settings: Settings) -> AccountStore:
    """Return the accounts that signed in to the app of the settings."""
    return AccountStore(settings.state_dir, get_app(settings).client_id)


def is_final(error: EtlError, is_last_try: bool) -> bool:
    """Return whether no retry follows a failure, so that the audit must record it."""
    return is_last_try or is_pause_too_long(error) or isinstance(error, ActionNeededError)


def is_pause_too_long(error: EtlError) -> bool:
    """Return whether Spotify asks for a pause that would delay the publishing of everything else."""
    return isinstance(error, RateLimitedError) and error.retry_after_s > MAX_RETRY_DELAY_S


def collect_track_ids(responses: ResponseStore) -> set[str]:
    """Return the ids of the tracks in the responses of a fetch."""
    entries = (
        entry
        for response in responses.read_stored_responses()
        if response.is_success() and response.endpoint in ("playlist_items", "saved_tracks")
        for entry in response.body["items"]
        if isinstance(entry, dict)
    )
    tracks = map(get_item_track, entries)
    return {track["id"] for track in tracks if isinstance(track, dict) and isinstance(track.get("id"), str)}


@dataclass(frozen=True)
class Fetch:
    """A fetch of a run, as audit.fetch records it. ``account`` is the name of the account; None for the catalogue."""

    settings: Settings
    run_id: str
    name: str
    account: str | None = None

    def record(self, state: str, **columns: object) -> None:
        """Write the line of audit.fetch."""
        with database.connect(self.settings.warehouse_url) as connection:
            fetches.record_fetch(
                connection,
                run_id=self.run_id,
                part=self.name,
                account=self.account,
                asked_at=datetime.now(UTC),
                state=state,
                **columns,
            )

    def record_failure(self, error: EtlError, is_pending: bool, **columns: object) -> dict[str, Any]:
        """Record that a failure ended the fetch, and return the result of the task.

        :param is_pending: whether the next run continues the fetch.
        :param columns: further columns of audit.fetch.
        :raises EtlError: the failure itself, unless the fetch is pending.
        """
        failed_state = "must_sign_in" if isinstance(error, MustSignInError) else "failed"
        state = PENDING_QUOTA if is_pending else failed_state
        self.record(state, message=str(error), **columns)
        if not is_pending:
            raise error
        log.warning("%s The responses received so far are loaded; the next run continues.", error)
        return {**({"account": self.account} if self.account else {}), "state": state}

    def require_account(self, received: ReceivedInput | None) -> None:
        """Drop the responses if the account was removed during the fetch, because its user is to be erased.

        :param received: the input with the responses, if it is stored already.
        :raises MustSignInError: if the account was removed.
        """
        if self.account in open_accounts(self.settings).get_names():
            return
        lake = Lake(self.settings.lake_url)
        lake.checkpoints.drop_folder(self.run_id, f"{RESPONSE_FOLDER}/{self.name}")
        if received:
            lake.inputs.drop_input(received)
        raise MustSignInError("The account was removed during the fetch: its responses are dropped.")
