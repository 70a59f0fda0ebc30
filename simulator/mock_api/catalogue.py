"""The tracks, albums and artists that the mock API serves."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Artist:
    """An artist; ``genres`` are those of its row, or of its tracks if the row has no genres."""

    artist_id: str
    name: str
    popularity: int
    followers: int
    genres: tuple[str, ...]


@dataclass(slots=True)
class Album:
    """An album; ``release_date`` has the characters that its precision allows."""

    album_id: str
    name: str
    artist_ids: tuple[str, ...]
    release_date: str
    release_date_precision: str
    track_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Track:
    """A track as it is served. ``truth`` is its id in the catalogue, None if the catalogue does not have it.

    ``release_date`` and its precision are those that a row gives this track. They are None if no row gives a date: then
    the track is as old as its album.
    """

    track_id: str
    truth: str | None
    name: str
    artist_ids: tuple[str, ...]
    album_id: str
    duration_ms: int
    explicit: bool
    isrc: str | None
    popularity: int
    measures: tuple[float | int | None, ...]
    release_date: str | None = None
    release_date_precision: str | None = None
    is_playable: bool = True
    linked_from: str | None = None


@dataclass
class Catalogue:
    """All served tracks, albums and artists by id. ``recordings`` names the recording of each catalogue track."""

    artists: dict[str, Artist] = field(default_factory=dict)
    albums: dict[str, Album] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    genres: dict[str, tuple[str, ...]] = field(default_factory=dict)
    recordings: dict[str, str] = field(default_factory=dict)

    def add_track(self, track: Track) -> None:
        """Add a track, also to its album."""
        self.tracks[track.track_id] = track
        self.albums[track.album_id].track_ids.append(track.track_id)

    def get_first_artist_name(self, track: Track) -> str:
        """Return the name of a track's first artist."""
        return self.artists[track.artist_ids[0]].name
