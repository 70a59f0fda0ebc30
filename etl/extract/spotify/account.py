"""One fetch of an account: its playlists that changed, its saved tracks and followed artists, its profile.

What is known costs no call: an unchanged playlist none, saved tracks one page. Followed artists cost all their pages.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from etl.errors import ActionNeededError, QuotaUsedUpError, TryAgainError
from etl.extract.spotify.accounts import Account, days_left
from etl.extract.spotify.answers import Answer, Answers
from etl.extract.spotify.api import PAGE_SIZE, Api, Mode, playlist_id
from etl.extract.spotify.fetched import Fetched, finished
from etl.extract.spotify.knowledge import Known, added_moments, believed_refusals, learned, objects

log = logging.getLogger(__name__)

PROFILE_LASTS = timedelta(days=7)

_ID = re.compile(r"[0-9A-Za-z]+")


def fetch_account(api: Api, account: Account, known: Known, playlist_ids: Iterable[str], answers: Answers) -> Fetched:
    """Ask what is new of an account, and bring it into the lake.

    :param playlist_ids: further playlists to look at, by id or link.
    :returns: also where the quota ended the fetch; what was fetched is in the lake then, and the next run goes on.
    :raises MustSignInError: where the account must sign in again.
    :raises ActionNeededError: where Spotify refuses the account's own things, or a playlist is named wrongly.
    :raises TryAgainError: where the API does not answer, or (RateLimitedError) asks for a long pause; what was
        answered is kept for the next try.
    """
    fetch = _Fetch(api, account, known, answers)
    calls_before, is_quota_left = Counter(api.calls), True
    try:
        fetch.list_playlists([playlist_id(text) for text in playlist_ids])
        fetch.fetch_items()
        fetch.fetch_saved_tracks()
        fetch.fetch_followed_artists()
        fetch.fetch_profile()
    except QuotaUsedUpError as error:
        log.warning("%s: %s", account.name, error)
        is_quota_left = False
    said = answers.all_kept()
    after = learned(known, said, fetch.refused, fetch.left, api.mode)
    return finished(
        api,
        answers,
        calls_before,
        fetch.left,
        is_quota_left,
        is_news=after != known or any(answer.endpoint == "playlist_items" for answer in said),
        known=after,
        calls_saved=fetch.calls_saved,
        playlists_seen=len(fetch.playlists),
        playlists_changed=fetch.changed_count,
        playlists_refused=fetch.refused_count,
        days_left=days_left(account, api.clock()),
    )


@dataclass(frozen=True)
class _Playlist:
    id: str
    snapshot_id: str | None
    is_own: bool
    is_collaborative: bool
    page_count: int

    def is_foreign(self) -> bool:
        """Whether development mode gives its items to others only."""
        return not (self.is_own or self.is_collaborative)


class _Fetch:
    """The steps of one fetch, and what they have found so far."""

    def __init__(self, api: Api, account: Account, known: Known, answers: Answers) -> None:
        self.playlists: dict[str, _Playlist] = {}
        self.refused: dict[str, str] = {}
        self.left = Counter({"my_playlists": 1, "saved_tracks": 1, "followed_artists": 1, "me": 1})
        self.calls_saved = self.changed_count = self.refused_count = 0
        self._api, self._account, self._known, self._answers = api, account, known, answers
        self._believed: Mapping[str, str] = {}
        self._is_foreign_refused = False

    def list_playlists(self, named: list[str]) -> None:
        """See the snapshots of all playlists: the account's, and those that are named."""
        offset: int | None = 0
        while offset is not None:
            answer = self._asked_for(self._answers.ask(self._api.my_playlists, offset))
            if offset == 0:
                self._believed = believed_refusals(self._known, answer, self._api.mode)
            for item in objects(answer.body):
                self._see(item)
            offset = _next_offset(answer, offset)
        for id_ in dict.fromkeys(named):
            if id_ not in self.playlists:
                answer = self._answers.ask(self._api.playlist, id_)
                if answer.is_good():
                    self._see({**answer.body, "id": id_})
                else:
                    self.refused_count += 1
        self.left["my_playlists"] = 0

    def fetch_items(self) -> None:
        """Ask the items of the playlists that changed; those never seen come first, because a quota may end it."""
        changed = [one for one in self.playlists.values() if not self._is_settled(one)]
        changed.sort(key=lambda one: one.id in self._known.snapshots)
        self.changed_count = self.left["playlists"] = len(changed)
        for playlist in changed:
            if playlist.is_foreign() and self._is_foreign_refused:
                self.calls_saved += 1
                self._note_refused(playlist)
            else:
                self._fetch_pages(playlist)
            self.left["playlists"] -= 1

    def fetch_saved_tracks(self) -> None:
        """Ask the saved tracks down to what is known; all of them where one was removed."""
        offset: int | None = 0
        total = new_count = asked = 0
        while offset is not None:
            answer = self._asked_for(self._answers.ask(self._api.saved_tracks, offset))
            asked, total = asked + 1, answer.body["total"]
            moments = added_moments(answer.body)
            newest = self._known.saved_newest_at
            new_count += sum(1 for moment in moments if moment and newest and moment > newest)
            is_reached = total == 0 or any(moment and newest and moment <= newest for moment in moments)
            if is_reached and total - new_count == self._known.saved_total:
                break
            offset = _next_offset(answer, offset)
        self.calls_saved += max(0, _page_count(total) - asked)
        self.left["saved_tracks"] = 0

    def fetch_followed_artists(self) -> None:
        """Ask the followed artists, all pages of them: a change beyond the first one may show nowhere else."""
        after, total, asked, count = None, 0, 0, 0
        while True:
            answer = self._asked_for(self._answers.ask(self._api.followed_artists, after))
            page = answer.body["artists"]
            asked, total, count = asked + 1, page["total"], count + len(page["items"])
            cursors = page.get("cursors")
            cursor = cursors.get("after") if page["next"] and isinstance(cursors, dict) else None
            if not page["items"] or not isinstance(cursor, str) or cursor == after:
                break
            _check_end(answer, count, total)
            after = cursor
        self.calls_saved += max(0, _page_count(total) - asked)
        self.left["followed_artists"] = 0

    def fetch_profile(self) -> None:
        """Ask the profile where it was not asked for a week."""
        asked_at = self._known.profile_asked_at
        if asked_at is None or self._api.clock() - asked_at > PROFILE_LASTS:
            self._asked_for(self._answers.ask(self._api.me))
        else:
            self.calls_saved += 1
        self.left["me"] = 0

    def _see(self, item: dict[str, Any]) -> None:
        id_, owner, things = item.get("id"), item.get("owner"), item.get("items") or item.get("tracks")
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            return
        owner_id = owner.get("id") if isinstance(owner, dict) else None
        total = things.get("total") if isinstance(things, dict) else None
        snapshot_id = item.get("snapshot_id")
        self.playlists[id_] = _Playlist(
            id=id_,
            snapshot_id=snapshot_id if isinstance(snapshot_id, str) else None,
            is_own=owner_id in (None, self._account.user_id),
            is_collaborative=bool(item.get("collaborative")),
            page_count=_page_count(total if isinstance(total, int) else 0),
        )

    def _is_settled(self, playlist: _Playlist) -> bool:
        """Whether nothing about its items is to be asked; counts what that saves."""
        if playlist.snapshot_id is None:
            return False
        if self._known.snapshots.get(playlist.id) == playlist.snapshot_id:
            self.calls_saved += playlist.page_count
            return True
        if self._believed.get(playlist.id) == playlist.snapshot_id:
            self.calls_saved += 1
            self.refused_count += 1
            return True
        return False

    def _fetch_pages(self, playlist: _Playlist) -> None:
        """Ask a playlist's pages; those of its new snapshot, once, where it changes meanwhile."""
        if self._is_read(playlist):
            return
        answer = self._answers.ask(self._api.playlist, playlist.id)
        snapshot_id = answer.body.get("snapshot_id") if answer.is_good() else None
        if isinstance(snapshot_id, str) and snapshot_id != playlist.snapshot_id:
            self._is_read(replace(playlist, snapshot_id=snapshot_id))

    def _is_read(self, playlist: _Playlist) -> bool:
        """Whether the pages of a playlist were all of one state, or refused."""
        offset: int | None = 0
        totals = set()
        while offset is not None:
            answer = self._answers.ask(self._api.playlist_items, playlist.id, playlist.snapshot_id, offset)
            if not answer.is_good():
                # In extended mode it says something about this one only.
                is_of_all = answer.status == 403 and playlist.is_foreign() and self._api.mode is not Mode.EXTENDED
                self._is_foreign_refused |= is_of_all
                self._note_refused(playlist)
                return True
            totals.add(answer.body["total"])
            if len(totals) > 1:
                return False
            offset = _next_offset(answer, offset)
        return True

    def _note_refused(self, playlist: _Playlist) -> None:
        self.refused_count += 1
        # The list has just shown an own playlist as ours: its refusal is not believed, the next run asks again.
        if not playlist.is_own and playlist.snapshot_id is not None:
            self.refused[playlist.id] = playlist.snapshot_id

    def _asked_for(self, answer: Answer) -> Answer:
        """``answer``, where it is no refusal of what is the account's own."""
        if not answer.is_good():
            name = self._account.name
            raise ActionNeededError(
                f"Spotify refuses {answer.path} of the account {name} ({answer.status}): in development mode the app's "
                f"dashboard must list {name} among its users; else run bin/sign-in {name} to grant what is asked."
            )
        return answer


def _next_offset(answer: Answer, offset: int) -> int | None:
    """Where the next page begins, or None after the last one.

    :raises TryAgainError: where pages follow far beyond the number of things that there are.
    """
    count, total = len(answer.body["items"]), answer.body["total"]
    if not answer.body["next"] or not count:
        return None
    _check_end(answer, offset + count, total)
    return offset + count


def _check_end(answer: Answer, count: int, total: int) -> None:
    if count > total + 2 * PAGE_SIZE:
        raise TryAgainError(f"Spotify's list {answer.path} goes on beyond its {total} things: it may do better later.")


def _page_count(total: int) -> int:
    return max(1, -(-total // PAGE_SIZE))
