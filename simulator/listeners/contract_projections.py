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


class UserHistory:
    """Records of users, to be found by user and time."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._by_user: dict[str, list[Mapping[str, Any]]] = {}
        for record in sorted(records, key=lambda record: record["updatedAt"]):
            self._by_user.setdefault(record["userId"], []).append(record)

    def find_record(self, user_id: str, timestamp: datetime) -> Mapping[str, Any]:
        """The user as of a moment; as of the first record before that.

        :raises KeyError: where no record tells of the user.
        """
        records = self._by_user[user_id]
        position = bisect_right([record["updatedAt"] for record in records], timestamp)
        return records[max(position - 1, 0)]

    def list_latest_records(self) -> Iterator[Mapping[str, Any]]:
        """The last record of each user."""
        return (records[-1] for records in self._by_user.values())


def make_wrapped_records(events: Iterable[Mapping[str, Any]], users: UserHistory) -> Iterator[Record]:
    """An event each, with its user as of that time and its song."""
    for event in events:
        yield {
            "userProfile": _make_profile(users.find_record(event["userId"], event["eventTime"]), event),
            "songMetadata": _make_song(event) if event["songId"] else None,
            "userSongInteraction": _make_interaction(event),
        }


def make_user_entities(users: UserHistory) -> Iterator[Record]:
    """A record a user, as they are last."""
    names = ("userId", "username", "birthdate", "gender", "favouriteGenre")
    return (
        {**{name: user[name] for name in names}, "location": user["country"]} for user in users.list_latest_records()
    )


def make_track_entities(tracks: pd.DataFrame) -> Iterator[Record]:
    """A record a track.

    :param tracks: ``library.COLUMNS``, and where they are known ``audio_features_type`` and ``newness_score``.
    """
    for track in _iterate_present_values(tracks):
        day = track.get("release_date")
        yield {
            "trackId": track["track_id"],
            "name": track["name"],
            "artistId": track.get("artist_id"),
            "genre": track["genre"],
            "duration": int(track["duration_ms"]),
            "releaseDate": None if day is None else _EPOCH + timedelta(days=int(day)),
            **{name: _to_float(track.get(name)) for name in _MEASURES},
            "audioFeaturesType": _to_int(track.get("audio_features_type")),
            "newnessScore": _to_float(track.get("newness_score")),
        }


def make_artist_entities(tracks: pd.DataFrame) -> Iterator[Record]:
    """A record an artist.

    :param tracks: ``library.COLUMNS``, and where they are known the artists' ``artist_followers``.
    """
    for track in _iterate_present_values(tracks.drop_duplicates("artist_id")):
        yield {
            "artistId": track["artist_id"],
            "name": track["artist"],
            "popularity": _to_int(track.get("artist_popularity")),
            "followers": _to_int(track.get("artist_followers")),
        }


def make_event_entities(events: Iterable[Mapping[str, Any]]) -> Iterator[Record]:
    """A record an event."""
    for event in events:
        copied_fields = ("eventId", "userId", "artistId", "activityType", "msPlayed", "deviceType")
        yield {
            **{name: event[name] for name in copied_fields},
            "trackId": event["songId"],
            "timestamp": event["eventTime"],
        }


def _make_profile(user: Mapping[str, Any], event: Mapping[str, Any]) -> Record:
    names = ("userId", "username", "birthdate", "gender", "country", "timezone", "subscriptionType", "favouriteGenre")
    born, event_date = user["birthdate"], event["eventTime"].date()
    age = (
        None
        if born is None
        else event_date.year - born.year - ((event_date.month, event_date.day) < (born.month, born.day))
    )
    return {**{name: user[name] for name in names}, "age": age}


def _make_song(event: Mapping[str, Any]) -> Record:
    copied_fields = ("songId", "artistId", "artist", "genre", "duration", *_MEASURES)
    return {**{name: event[name] for name in copied_fields}, "title": event["song"]}


def _make_interaction(event: Mapping[str, Any]) -> Record:
    copied_fields = ("eventId", "activityType", "msPlayed", "deviceType", "playlistId")
    zone = event["timezone"]
    return {
        **{name: event[name] for name in copied_fields},
        "timestamp": event["eventTime"],
        "localTimestamp": event["eventTime"].astimezone(ZoneInfo(zone)).isoformat() if zone else None,
        "isShuffle": event["context"]["isShuffle"] if event["context"] else None,
    }


def _iterate_present_values(frame: pd.DataFrame) -> Iterator[Record]:
    """Rows without what is missing."""
    for row in frame.to_dict("records"):
        yield {str(name): value for name, value in row.items() if not pd.isna(value)}


def _to_int(value: object) -> int | None:
    return None if value is None else int(float(str(value)))


def _to_float(value: object) -> float | None:
    return None if value is None else float(str(value))
