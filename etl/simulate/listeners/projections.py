"""The same listeners and events in the shapes of earlier feeds: SpotifyWrappedData, and four entities.

In: records of the contracts ``user_activity_2`` and ``user``, and the catalogue's tracks. Out: records of the contracts
``spotify_wrapped_data``, ``entity_user``, ``entity_track``, ``entity_artist`` and ``entity_event``, one at a time, for
feeds that one process can write.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

Record = dict[str, Any]

_EPOCH = date(1970, 1, 1)
_MEASURES = ("valence", "tempo", "acousticness", "energy", "danceability")


class Users:
    """Records of users, to be found by user and time."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._by_user: dict[str, list[Mapping[str, Any]]] = {}
        for one in sorted(records, key=lambda one: one["updatedAt"]):
            self._by_user.setdefault(one["userId"], []).append(one)

    def at(self, user_id: str, moment: datetime) -> Mapping[str, Any]:
        """The user as of a moment; as of the first record before that.

        :raises KeyError: where no record tells of the user.
        """
        told = self._by_user[user_id]
        place = bisect_right([one["updatedAt"] for one in told], moment)
        return told[max(place - 1, 0)]

    def latest(self) -> Iterator[Mapping[str, Any]]:
        """The last record of each user."""
        return (told[-1] for told in self._by_user.values())


def wrapped_data(events: Iterable[Mapping[str, Any]], users: Users) -> Iterator[Record]:
    """An event each, with its user as of that time and its song."""
    for event in events:
        yield {
            "userProfile": _profile(users.at(event["userId"], event["eventTime"]), event),
            "songMetadata": _song(event) if event["songId"] else None,
            "userSongInteraction": _interaction(event),
        }


def user_entities(users: Users) -> Iterator[Record]:
    """A record a user, as they are last."""
    names = ("userId", "username", "birthdate", "gender", "favouriteGenre")
    return ({**{name: one[name] for name in names}, "location": one["country"]} for one in users.latest())


def track_entities(tracks: pd.DataFrame) -> Iterator[Record]:
    """A record a track.

    :param tracks: ``library.COLUMNS``, and where they are known ``audio_features_type`` and ``newness_score``.
    """
    for one in _present(tracks):
        day = one.get("release_date")
        yield {
            "trackId": one["track_id"],
            "name": one["name"],
            "artistId": one.get("artist_id"),
            "genre": one["genre"],
            "duration": int(one["duration_ms"]),
            "releaseDate": None if day is None else _EPOCH + timedelta(days=int(day)),
            **{name: _float(one.get(name)) for name in _MEASURES},
            "audioFeaturesType": _integer(one.get("audio_features_type")),
            "newnessScore": _float(one.get("newness_score")),
        }


def artist_entities(tracks: pd.DataFrame) -> Iterator[Record]:
    """A record an artist.

    :param tracks: ``library.COLUMNS``, and where they are known the artists' ``artist_followers``.
    """
    for one in _present(tracks.drop_duplicates("artist_id")):
        yield {
            "artistId": one["artist_id"],
            "name": one["artist"],
            "popularity": _integer(one.get("artist_popularity")),
            "followers": _integer(one.get("artist_followers")),
        }


def event_entities(events: Iterable[Mapping[str, Any]]) -> Iterator[Record]:
    """A record an event."""
    for event in events:
        same = ("eventId", "userId", "artistId", "activityType", "msPlayed", "deviceType")
        yield {
            **{name: event[name] for name in same},
            "trackId": event["songId"],
            "timestamp": event["eventTime"],
        }


def _profile(user: Mapping[str, Any], event: Mapping[str, Any]) -> Record:
    names = ("userId", "username", "birthdate", "gender", "country", "timezone", "subscriptionType", "favouriteGenre")
    born, on = user["birthdate"], event["eventTime"].date()
    age = None if born is None else on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return {**{name: user[name] for name in names}, "age": age}


def _song(event: Mapping[str, Any]) -> Record:
    same = ("songId", "artistId", "artist", "genre", "duration", *_MEASURES)
    return {**{name: event[name] for name in same}, "title": event["song"]}


def _interaction(event: Mapping[str, Any]) -> Record:
    same = ("eventId", "activityType", "msPlayed", "deviceType", "playlistId")
    zone = event["timezone"]
    return {
        **{name: event[name] for name in same},
        "timestamp": event["eventTime"],
        "localTimestamp": event["eventTime"].astimezone(ZoneInfo(zone)).isoformat() if zone else None,
        "isShuffle": event["context"]["isShuffle"] if event["context"] else None,
    }


def _present(frame: pd.DataFrame) -> Iterator[Record]:
    """Rows without what is missing."""
    for row in frame.to_dict("records"):
        yield {str(name): value for name, value in row.items() if not pd.isna(value)}


def _integer(value: object) -> int | None:
    return None if value is None else int(float(str(value)))


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
