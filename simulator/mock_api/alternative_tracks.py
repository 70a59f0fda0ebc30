"""Tracks under alternative ids: further ids of known recordings, and other recordings of nearly the same name.

Part of the catalogue's tracks is on playlists under ids that the catalogue does not have, with the small differences of
real data: another spelling, a remaster's suffix, a second more, another album. And some tracks are recordings that the
catalogue does not have at all, although their names look like one that it has.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from simulator.mock_api.catalogue import Album, Artist, Catalogue, Track
from simulator.mock_api.catalogue_builder import make_release_date
from simulator.mock_api.hashed_ids import hash_fraction, hash_number, make_spotify_id
from simulator.mock_api.recordings import make_isrc
from simulator.mock_api.titles import get_base_title, has_suffix

ALTERNATIVE_ID_FRACTION = 0.15
"""The fraction of the catalogue's tracks on playlists that is served under an alternative id."""

UNCATALOGUED_FRACTION = 0.06
"""The fraction of playlist items whose recording is not in the catalogue."""

_LENGTH_TOLERANCE_MS = 1_500
_DISTINCT_LENGTH_MS = 6_000
"""A recording whose length differs this much from every other recording of its title cannot be confused with one."""

_ACCENTS = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")
_VERSION_SUFFIXES = (
    " - Live",
    " - Live at Nowhere Hall",
    " - Acoustic",
    " (Nobody Remix)",
    " - Instrumental",
    " - Demo",
)


class AlternativeTracks:
    """Maker of alternative ids and of uncatalogued recordings, each once, which it adds to the catalogue."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self._catalogue = catalogue
        self._seed = seed
        self._tracks_by_title_and_artist: defaultdict[tuple[str, str], list[Track]] = defaultdict(list)
        for track in catalogue.tracks.values():
            base = get_base_title(track.name)
            for artist_id in track.artist_ids:
                self._tracks_by_title_and_artist[base, artist_id].append(track)

    def choose_served_id(self, track_id: str, playlist_id: str) -> str:
        """Return the id that a playlist lists where the catalogue has ``track_id``."""
        if hash_fraction(self._seed, "stranger", playlist_id, track_id) < UNCATALOGUED_FRACTION:
            return self._make_uncatalogued_track(track_id, playlist_id)
        if hash_fraction(self._seed, "further", track_id) < ALTERNATIVE_ID_FRACTION:
            return self.make_alternative(track_id) or track_id
        return track_id

    def make_alternative(self, track_id: str, release_date: tuple[str, str] | None = None) -> str | None:
        """Return an alternative id of a catalogue track; None if its recording could be confused with another one.

        :param release_date: the date of its album and the date's precision; None draws them.
        """
        catalogue_track_id = self._catalogue.tracks[track_id].truth
        if catalogue_track_id is None:
            return None
        track, track_id = self._catalogue.tracks[catalogue_track_id], catalogue_track_id
        length = track.duration_ms + hash_number(self._seed, "length", track_id) % (2 * _LENGTH_TOLERANCE_MS + 1)
        length = max(length - _LENGTH_TOLERANCE_MS, 1_000)
        if not self._is_distinguishable(track, length):
            return None
        alternative_id = make_spotify_id(self._seed, "further", track_id, release_date)
        if alternative_id not in self._catalogue.tracks:
            self._add_track(
                replace(
                    track,
                    track_id=alternative_id,
                    name=self._change_spelling(track),
                    album_id=self._make_other_album(track, alternative_id, release_date),
                    duration_ms=length,
                    isrc=self._choose_isrc(track, alternative_id),
                    popularity=track.popularity // 2,
                    release_date=None,
                    release_date_precision=None,
                )
            )
        return alternative_id

    def make_relinked(self, track_id: str) -> str | None:
        """Return an alternative id with the catalogue track it is linked from; None as in ``make_alternative``."""
        alternative_id = self.make_alternative(track_id, ("2016-06-24", "day"))
        if alternative_id is not None:
            relinked_track = self._catalogue.tracks[alternative_id]
            relinked_track.linked_from = relinked_track.truth
        return alternative_id

    def make_unplayable(self, track_id: str, playlist_id: str) -> str:
        """Return a recording that was removed from the market, by the artists of ``track_id``."""
        new_track_id = self._make_other_track(track_id, make_spotify_id(self._seed, "unplayable", playlist_id))
        self._catalogue.tracks[new_track_id].is_playable = False
        return new_track_id

    def _add_track(self, track: Track) -> None:
        self._catalogue.add_track(track)

    def _is_distinguishable(self, track: Track, length: int) -> bool:
        """Return whether no other recording of the base title by one of the artists has nearly the same length."""
        recording = self._catalogue.recordings[track.track_id]
        return all(
            self._catalogue.recordings[candidate.track_id] == recording
            or abs(candidate.duration_ms - length) > _DISTINCT_LENGTH_MS
            for candidate in self._find_similar_tracks(track)
        )

    def _find_similar_tracks(self, track: Track) -> list[Track]:
        base = get_base_title(track.name)
        return [
            candidate
            for artist_id in track.artist_ids
            for candidate in self._tracks_by_title_and_artist[base, artist_id]
        ]

    def _change_spelling(self, track: Track) -> str:
        """Return the name with one or two of the differences that fit it, sometimes without any."""
        name, random_number = track.name, hash_number(self._seed, "spelling", track.track_id)
        if random_number % 5 == 0:
            return name
        spellings = [
            spelling for spelling in (change(name) for change in _SPELLING_CHANGES) if spelling not in (None, name)
        ]
        if not has_suffix(name):
            year = 1998 + random_number // 7 % 25
            spellings += [f"{name} - Remastered {year}", f"{name} - {year} Remaster"]
            if len(track.artist_ids) > 1:
                guest = self._catalogue.artists[track.artist_ids[1]].name
                spellings += [f"{name} (feat. {guest})"] * 2
        return spellings[random_number // 11 % len(spellings)] or name if spellings else name

    def _make_other_album(self, track: Track, alternative_id: str, release_date: tuple[str, str] | None) -> str:
        """Make another album with the same artist: a compilation, or a new edition of the old album."""
        album = self._catalogue.albums[track.album_id]
        artist = self._catalogue.artists[track.artist_ids[0]].name
        name = (f"Best of {artist}", f"{album.name} (Deluxe Edition)")[hash_number(alternative_id) % 2]
        album_id = make_spotify_id(self._seed, "other album", name, track.artist_ids[0], release_date)
        if album_id not in self._catalogue.albums:
            date, precision = release_date or make_release_date(self._seed, album_id)
            self._catalogue.albums[album_id] = Album(album_id, name, track.artist_ids[:1], date, precision)
        return album_id

    def _choose_isrc(self, track: Track, alternative_id: str) -> str | None:
        """Return the ISRC of an alternative id: half have the recording's, a quarter another one, a quarter none."""
        random_number = hash_number(self._seed, "further isrc", track.track_id) % 4
        return (
            track.isrc if random_number < 2 else make_isrc(self._seed, alternative_id) if random_number == 2 else None
        )

    def _make_uncatalogued_track(self, track_id: str, playlist_id: str) -> str:
        """Make another recording: another version, another length, or another song altogether."""
        new_track_id = make_spotify_id(self._seed, "stranger", playlist_id, track_id)
        track, random_number = self._catalogue.tracks[track_id], hash_number("which", new_track_id)
        make_similar = (self._make_other_version, self._make_other_length)[random_number % 2]
        if random_number % 3 and make_similar(track, new_track_id, random_number // 6):
            return new_track_id
        return self._make_other_track(track_id, new_track_id)

    def _make_other_version(self, track: Track, new_track_id: str, random_number: int) -> bool:
        length = track.duration_ms + (random_number % 60_000 if random_number % 3 else random_number % 900)
        versions = [candidate for candidate in self._find_similar_tracks(track) if has_suffix(candidate.name)]
        if has_suffix(track.name) or any(
            abs(candidate.duration_ms - length) <= _DISTINCT_LENGTH_MS for candidate in versions
        ):
            return False
        name = track.name + _VERSION_SUFFIXES[random_number // 7 % len(_VERSION_SUFFIXES)]
        self._add_uncatalogued_track(track, new_track_id, name, length)
        return True

    def _make_other_length(self, track: Track, new_track_id: str, random_number: int) -> bool:
        length = track.duration_ms + (30_000 if random_number % 2 or track.duration_ms < 60_000 else -30_000)
        if any(
            abs(candidate.duration_ms - length) <= _DISTINCT_LENGTH_MS for candidate in self._find_similar_tracks(track)
        ):
            return False
        self._add_uncatalogued_track(track, new_track_id, track.name, length)
        return True

    def _make_other_track(self, track_id: str, new_track_id: str) -> str:
        track = self._catalogue.tracks[track_id]
        artist_id = make_spotify_id("nobody", hash_number(new_track_id) % 40)
        self._catalogue.artists.setdefault(
            artist_id, Artist(artist_id, f"Nobody {hash_number(new_track_id) % 40}", 12, 340, ())
        )
        template = replace(track, artist_ids=(artist_id,))
        self._add_uncatalogued_track(
            template, new_track_id, f"Song that nobody knows {new_track_id[:4]}", track.duration_ms + 4_321
        )
        return new_track_id

    def _add_uncatalogued_track(self, track: Track, new_track_id: str, name: str, length: int) -> None:
        if new_track_id not in self._catalogue.tracks:
            self._add_track(
                replace(
                    track,
                    track_id=new_track_id,
                    truth=None,
                    name=name,
                    album_id=self._make_other_album(track, new_track_id, None),
                    duration_ms=length,
                    isrc=make_isrc(self._seed, new_track_id),
                    release_date=None,
                    release_date_precision=None,
                )
            )


def _add_accent(name: str) -> str | None:
    """Put an accent on one vowel."""
    for index, letter in enumerate(name):
        if letter in "aeiou" and index:
            return name[:index] + letter.translate(_ACCENTS) + name[index + 1 :]
    return None


def _to_upper_case(name: str) -> str | None:
    return name.upper() if name.isascii() else None


def _to_lower_case(name: str) -> str | None:
    return name.lower() if name.isascii() else None


def _swap_apostrophes(name: str) -> str | None:
    return name.replace("'", "’") if "'" in name else name.replace("’", "'")


def _swap_ampersands(name: str) -> str | None:
    return name.replace(" & ", " and ") if " & " in name else name.replace(" and ", " & ").replace(" And ", " & ")


_SPELLING_CHANGES: tuple[Callable[[str], str | None], ...] = (
    _add_accent,
    _to_upper_case,
    _to_lower_case,
    _swap_apostrophes,
    _swap_ampersands,
)
