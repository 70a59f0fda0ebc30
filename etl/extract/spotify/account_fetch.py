"""One fetch of an account: its changed playlists, saved tracks, followed artists and profile.

Cached resources cost few requests: an unchanged playlist costs none, unchanged saved tracks cost one page. Followed
artists always cost all their pages.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from etl.errors import ActionNeededError, QuotaUsedUpError, TryAgainError
from etl.extract.spotify.account_store import Account, count_days_left
from etl.extract.spotify.client import PAGE_SIZE, ApiClient, Mode, parse_playlist_id
from etl.extract.spotify.fetch_result import FetchResult, finish_fetch
from etl.extract.spotify.responses import ResponseStore
from etl.extract.spotify.sync_state import (
    SyncState,
    get_added_at_values,
    get_cached_denials,
    iterate_objects,
    update_sync_state,
)
from etl.formats.api_responses import ApiResponse

log = logging.getLogger(__name__)

PROFILE_MAX_AGE = timedelta(days=7)

_ID = re.compile(r"[0-9A-Za-z]+")


def fetch_account(
    api: ApiClient, account: Account, sync_state: SyncState, playlist_ids: Iterable[str], responses: ResponseStore
) -> FetchResult:
    """Fetch what is new in an account, and store the responses in the lake.

    :param playlist_ids: further playlists to fetch, by id or link.
    :returns: the result, even if the quota ended the fetch. In that case the fetched responses are in the lake, and
        the next run continues from there.
    :raises MustSignInError: if the account must sign in again.
    :raises ActionNeededError: if Spotify denies the account's own resources, or a playlist id or link is not valid.
    :raises TryAgainError: if the API does not respond, or (RateLimitedError) requests a long pause. The fetched
        responses are stored for the next try.
    """
    fetch = _AccountFetch(api, account, sync_state, responses)
    calls_before, has_quota_left = Counter(api.calls), True
    try:
        fetch.fetch_playlists([parse_playlist_id(text) for text in playlist_ids])
        fetch.fetch_items()
        fetch.fetch_saved_tracks()
        fetch.fetch_followed_artists()
        fetch.fetch_profile()
    except QuotaUsedUpError as error:
        log.warning("%s: %s", account.name, error)
        has_quota_left = False
    stored_responses = responses.read_stored_responses()
    new_sync_state = update_sync_state(sync_state, stored_responses, fetch.denied, fetch.remaining, api.mode)
    return finish_fetch(
        api,
        responses,
        calls_before,
        fetch.remaining,
        has_quota_left,
        has_news=new_sync_state != sync_state
        or any(response.endpoint == "playlist_items" for response in stored_responses),
        known=new_sync_state,
        calls_saved=fetch.calls_saved,
        playlists_seen=len(fetch.playlists),
        playlists_changed=fetch.changed_count,
        playlists_rejected=fetch.denied_count,
        days_left=count_days_left(account, api.clock()),
    )


@dataclass(frozen=True)
class _Playlist:
    id: str
    snapshot_id: str | None
    is_owned: bool
    is_collaborative: bool
    page_count: int

    def is_owned_by_others(self) -> bool:
        """Return whether it belongs to another user; development mode denies the items of such playlists."""
        return not (self.is_owned or self.is_collaborative)


class _AccountFetch:
    """The steps of one fetch, and their results so far."""

    def __init__(self, api: ApiClient, account: Account, sync_state: SyncState, responses: ResponseStore) -> None:
        self.playlists: dict[str, _Playlist] = {}
        self.denied: dict[str, str] = {}
        self.remaining = Counter({"my_playlists": 1, "saved_tracks": 1, "followed_artists": 1, "me": 1})
        self.calls_saved = self.changed_count = self.denied_count = 0
        self._api, self._account, self._sync_state, self._responses = api, account, sync_state, responses
        self._cached_denials: Mapping[str, str] = {}
        self._are_foreign_playlists_denied = False

    def fetch_playlists(self, playlist_ids: list[str]) -> None:
        """Fetch the snapshot ids of all playlists: the account's own list, and those in ``playlist_ids``."""
        offset: int | None = 0
        while offset is not None:
            response = self._require_success(self._responses.fetch_once(self._api.fetch_my_playlists, offset))
            if offset == 0:
                self._cached_denials = get_cached_denials(self._sync_state, response, self._api.mode)
            for item in iterate_objects(response.body):
                self._record_playlist(item)
            offset = _get_next_offset(response, offset)
        for id_ in dict.fromkeys(playlist_ids):
            if id_ not in self.playlists:
                response = self._responses.fetch_once(self._api.fetch_playlist, id_)
                if response.is_success():
                    self._record_playlist({**response.body, "id": id_})
                else:
                    self.denied_count += 1
        self.remaining["my_playlists"] = 0

    def fetch_items(self) -> None:
        """Fetch the items of the changed playlists, new playlists first, because the quota may end the fetch."""
        changed = [candidate for candidate in self.playlists.values() if not self._is_up_to_date(candidate)]
        changed.sort(key=lambda candidate: candidate.id in self._sync_state.snapshots)
        self.changed_count = self.remaining["playlists"] = len(changed)
        for playlist in changed:
            if playlist.is_owned_by_others() and self._are_foreign_playlists_denied:
                self.calls_saved += 1
                self._record_denial(playlist)
            else:
                self._fetch_pages(playlist)
            self.remaining["playlists"] -= 1

    def fetch_saved_tracks(self) -> None:
        """Fetch the saved tracks down to those that are already synced, or all of them if a track was removed."""
        offset: int | None = 0
        total = new_count = page_count = 0
        while offset is not None:
            response = self._require_success(self._responses.fetch_once(self._api.fetch_saved_tracks, offset))
            page_count, total = page_count + 1, response.body["total"]
            added_at_values = get_added_at_values(response.body)
            newest_synced_at = self._sync_state.saved_newest_at
            new_count += sum(
                1 for added_at in added_at_values if added_at and newest_synced_at and added_at > newest_synced_at
            )
            is_synced_part_reached = total == 0 or any(
                added_at and newest_synced_at and added_at <= newest_synced_at for added_at in added_at_values
            )
            if is_synced_part_reached and total - new_count == self._sync_state.saved_total:
                break
            offset = _get_next_offset(response, offset)
        self.calls_saved += max(0, _count_pages(total) - page_count)
        self.remaining["saved_tracks"] = 0

    def fetch_followed_artists(self) -> None:
        """Fetch all pages of the followed artists: a change on a later page may be visible nowhere else."""
        after, total, page_count, count = None, 0, 0, 0
        while True:
            response = self._require_success(self._responses.fetch_once(self._api.fetch_followed_artists, after))
            page = response.body["artists"]
            page_count, total, count = page_count + 1, page["total"], count + len(page["items"])
            cursors = page.get("cursors")
            cursor = cursors.get("after") if page["next"] and isinstance(cursors, dict) else None
            if not page["items"] or not isinstance(cursor, str) or cursor == after:
                break
            _check_page_end(response, count, total)
            after = cursor
        self.calls_saved += max(0, _count_pages(total) - page_count)
        self.remaining["followed_artists"] = 0

    def fetch_profile(self) -> None:
        """Fetch the profile if it was never fetched, or longer than ``PROFILE_MAX_AGE`` ago."""
        asked_at = self._sync_state.profile_asked_at
        if asked_at is None or self._api.clock() - asked_at > PROFILE_MAX_AGE:
            self._require_success(self._responses.fetch_once(self._api.fetch_profile))
        else:
            self.calls_saved += 1
        self.remaining["me"] = 0

    def _record_playlist(self, item: dict[str, Any]) -> None:
        id_, owner, item_page = item.get("id"), item.get("owner"), item.get("items") or item.get("tracks")
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            return
        owner_id = owner.get("id") if isinstance(owner, dict) else None
        total = item_page.get("total") if isinstance(item_page, dict) else None
        snapshot_id = item.get("snapshot_id")
        self.playlists[id_] = _Playlist(
            id=id_,
            snapshot_id=snapshot_id if isinstance(snapshot_id, str) else None,
            is_owned=owner_id in (None, self._account.user_id),
            is_collaborative=bool(item.get("collaborative")),
            page_count=_count_pages(total if isinstance(total, int) else 0),
        )

    def _is_up_to_date(self, playlist: _Playlist) -> bool:
        """Return whether the items need not be fetched, and count the requests that this saves."""
        if playlist.snapshot_id is None:
            return False
        if self._sync_state.snapshots.get(playlist.id) == playlist.snapshot_id:
            self.calls_saved += playlist.page_count
            return True
        if self._cached_denials.get(playlist.id) == playlist.snapshot_id:
            self.calls_saved += 1
            self.denied_count += 1
            return True
        return False

    def _fetch_pages(self, playlist: _Playlist) -> None:
        """Fetch a playlist's pages; if the playlist changes meanwhile, fetch the pages of its new snapshot, once."""
        if self._fetch_snapshot_pages(playlist):
            return
        response = self._responses.fetch_once(self._api.fetch_playlist, playlist.id)
        snapshot_id = response.body.get("snapshot_id") if response.is_success() else None
        if isinstance(snapshot_id, str) and snapshot_id != playlist.snapshot_id:
            self._fetch_snapshot_pages(replace(playlist, snapshot_id=snapshot_id))

    def _fetch_snapshot_pages(self, playlist: _Playlist) -> bool:
        """Fetch the pages of one snapshot.

        :returns: False if the playlist changed between two pages; True if it did not, or if Spotify denies it.
        """
        offset: int | None = 0
        totals = set()
        while offset is not None:
            response = self._responses.fetch_once(
                self._api.fetch_playlist_items, playlist.id, playlist.snapshot_id, offset
            )
            if not response.is_success():
                # In extended mode a denial applies to this playlist only.
                applies_to_others = (
                    response.status == 403 and playlist.is_owned_by_others() and self._api.mode is not Mode.EXTENDED
                )
                self._are_foreign_playlists_denied |= applies_to_others
                self._record_denial(playlist)
                return True
            totals.add(response.body["total"])
            if len(totals) > 1:
                return False
            offset = _get_next_offset(response, offset)
        return True

    def _record_denial(self, playlist: _Playlist) -> None:
        self.denied_count += 1
        # The account's own playlists are in its list, so a denial of them is not final: the next run tries again.
        if not playlist.is_owned and playlist.snapshot_id is not None:
            self.denied[playlist.id] = playlist.snapshot_id

    def _require_success(self, response: ApiResponse) -> ApiResponse:
        """Return a response; raise ActionNeededError if it denies what belongs to the account."""
        if not response.is_success():
            name = self._account.name
            raise ActionNeededError(
                f"Spotify denies {response.path} of the account {name} ({response.status}): in development mode the "
                f"app's dashboard must list {name} among its users; else run bin/sign-in {name} to grant what is asked."
            )
        return response


def _get_next_offset(response: ApiResponse, offset: int) -> int | None:
    """Return the offset of the next page, or None after the last one.

    :raises TryAgainError: if the pages continue far beyond the total number of items.
    """
    count, total = len(response.body["items"]), response.body["total"]
    if not response.body["next"] or not count:
        return None
    _check_page_end(response, offset + count, total)
    return offset + count


def _check_page_end(response: ApiResponse, count: int, total: int) -> None:
    if count > total + 2 * PAGE_SIZE:
        raise TryAgainError(
            f"Spotify's list {response.path} goes on beyond its {total} things: it may do better later."
        )


def _count_pages(total: int) -> int:
    return max(1, -(-total // PAGE_SIZE))
