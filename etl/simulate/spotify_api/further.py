"""Served under another id: further ids of known recordings, and other recordings of nearly the same name.

A part of the catalogue's tracks stands on playlists under ids that the catalogue does not have, with the small
differences that life has: another spelling, a remaster's suffix, a second more, another album. And some tracks are
recordings that the catalogue does not have at all, however much their names look like one that it has.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from etl.simulate.spotify_api.catalogue import Album, Artist, Catalogue, Track, made_isrc, made_release_date
from etl.simulate.spotify_api.ids import number, share, spotify_id
from etl.simulate.spotify_api.titles import base_title, has_suffix

FURTHER_SHARE = 0.15
"""The part of the catalogue's tracks on playlists that is served under a further id."""

STRANGER_SHARE = 0.06
"""The part of the places on playlists where a recording stands that the catalogue does not have."""

_LENGTH_SLACK_MS = 1_500
_CLEAR_MS = 6_000
"""A length this far from every other recording of the title cannot be taken for one of them."""

_ACCENTS = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")
_VERSIONS = (" - Live", " - Live at Nowhere Hall", " - Acoustic", " (Nobody Remix)", " - Instrumental", " - Demo")


class Further:
    """Makes further ids and strangers, each of them once, and adds them to the catalogue."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self._catalogue = catalogue
        self._seed = seed
        self._alike: defaultdict[tuple[str, str], list[Track]] = defaultdict(list)
        for track in catalogue.tracks.values():
            base = base_title(track.name)
            for artist_id in track.artist_ids:
                self._alike[base, artist_id].append(track)

    def served(self, track_id: str, playlist_id: str) -> str:
        """The id that stands on a playlist where the catalogue has ``track_id``."""
        if share(self._seed, "stranger", playlist_id, track_id) < STRANGER_SHARE:
            return self._stranger(track_id, playlist_id)
        if share(self._seed, "further", track_id) < FURTHER_SHARE:
            return self.further(track_id) or track_id
        return track_id

    def further(self, track_id: str, released: tuple[str, str] | None = None) -> str | None:
        """A further id of a catalogue track; None where its recording could not be told from another one.

        :param released: the date of its album and the date's precision, where they are to be certain ones.
        """
        truth = self._catalogue.tracks[track_id].truth
        if truth is None:
            return None
        track, track_id = self._catalogue.tracks[truth], truth
        length = track.duration_ms + number(self._seed, "length", track_id) % (2 * _LENGTH_SLACK_MS + 1)
        length = max(length - _LENGTH_SLACK_MS, 1_000)
        if not self._is_clear(track, length):
            return None
        further_id = spotify_id(self._seed, "further", track_id, released)
        if further_id not in self._catalogue.tracks:
            self._add(
                replace(
                    track,
                    track_id=further_id,
                    name=self._other_spelling(track),
                    album_id=self._other_album(track, further_id, released),
                    duration_ms=length,
                    isrc=self._other_isrc(track, further_id),
                    popularity=track.popularity // 2,
                    release_date=None,
                    release_date_precision=None,
                )
            )
        return further_id

    def relinked(self, track_id: str) -> str | None:
        """A further id that says from which catalogue track it is linked; None as with ``further``."""
        further_id = self.further(track_id, ("2016-06-24", "day"))
        if further_id is not None:
            linked = self._catalogue.tracks[further_id]
            linked.linked_from = linked.truth
        return further_id

    def unplayable(self, track_id: str, playlist_id: str) -> str:
        """A recording that was removed from the market, by the artists of ``track_id``."""
        stranger_id = self._other_track(track_id, spotify_id(self._seed, "unplayable", playlist_id))
        self._catalogue.tracks[stranger_id].is_playable = False
        return stranger_id

    def _add(self, track: Track) -> None:
        self._catalogue.add(track)

    def _is_clear(self, track: Track, length: int) -> bool:
        """Whether no other recording of the same base title by one of the same artists is nearly as long."""
        recording = self._catalogue.recordings[track.track_id]
        return all(
            self._catalogue.recordings[other.track_id] == recording or abs(other.duration_ms - length) > _CLEAR_MS
            for other in self._others(track)
        )

    def _others(self, track: Track) -> list[Track]:
        base = base_title(track.name)
        return [other for artist_id in track.artist_ids for other in self._alike[base, artist_id]]

    def _other_spelling(self, track: Track) -> str:
        """The name with one or two of the differences that fit it; now and then with none."""
        name, drawn = track.name, number(self._seed, "spelling", track.track_id)
        if drawn % 5 == 0:
            return name
        changed = [one for one in (change(name) for change in _SPELLINGS) if one not in (None, name)]
        if not has_suffix(name):
            year = 1998 + drawn // 7 % 25
            changed += [f"{name} - Remastered {year}", f"{name} - {year} Remaster"]
            if len(track.artist_ids) > 1:
                guest = self._catalogue.artists[track.artist_ids[1]].name
                changed += [f"{name} (feat. {guest})"] * 2
        return changed[drawn // 11 % len(changed)] or name if changed else name

    def _other_album(self, track: Track, further_id: str, released: tuple[str, str] | None) -> str:
        """Another album with the same artist: a compilation, or the old one in a new edition."""
        album = self._catalogue.albums[track.album_id]
        artist = self._catalogue.artists[track.artist_ids[0]].name
        name = (f"Best of {artist}", f"{album.name} (Deluxe Edition)")[number(further_id) % 2]
        album_id = spotify_id(self._seed, "other album", name, track.artist_ids[0], released)
        if album_id not in self._catalogue.albums:
            date, precision = released or made_release_date(self._seed, album_id)
            self._catalogue.albums[album_id] = Album(album_id, name, track.artist_ids[:1], date, precision)
        return album_id

    def _other_isrc(self, track: Track, further_id: str) -> str | None:
        """Half of the further ids have the recording's ISRC; a quarter one of their own, a quarter none."""
        drawn = number(self._seed, "further isrc", track.track_id) % 4
        return track.isrc if drawn < 2 else made_isrc(self._seed, further_id) if drawn == 2 else None

    def _stranger(self, track_id: str, playlist_id: str) -> str:
        """Another recording: another version, another length, or another song altogether."""
        stranger_id = spotify_id(self._seed, "stranger", playlist_id, track_id)
        track, drawn = self._catalogue.tracks[track_id], number("which", stranger_id)
        near = (self._other_version, self._other_length)[drawn % 2]
        if drawn % 3 and near(track, stranger_id, drawn // 6):
            return stranger_id
        return self._other_track(track_id, stranger_id)

    def _other_version(self, track: Track, stranger_id: str, drawn: int) -> bool:
        length = track.duration_ms + (drawn % 60_000 if drawn % 3 else drawn % 900)
        versions = [other for other in self._others(track) if has_suffix(other.name)]
        if has_suffix(track.name) or any(abs(other.duration_ms - length) <= _CLEAR_MS for other in versions):
            return False
        name = track.name + _VERSIONS[drawn // 7 % len(_VERSIONS)]
        self._add_stranger(track, stranger_id, name, length)
        return True

    def _other_length(self, track: Track, stranger_id: str, drawn: int) -> bool:
        length = track.duration_ms + (30_000 if drawn % 2 or track.duration_ms < 60_000 else -30_000)
        if any(abs(other.duration_ms - length) <= _CLEAR_MS for other in self._others(track)):
            return False
        self._add_stranger(track, stranger_id, track.name, length)
        return True

    def _other_track(self, track_id: str, stranger_id: str) -> str:
        track = self._catalogue.tracks[track_id]
        nobody = spotify_id("nobody", number(stranger_id) % 40)
        self._catalogue.artists.setdefault(nobody, Artist(nobody, f"Nobody {number(stranger_id) % 40}", 12, 340, ()))
        stranger = replace(track, artist_ids=(nobody,))
        self._add_stranger(
            stranger, stranger_id, f"Song that nobody knows {stranger_id[:4]}", track.duration_ms + 4_321
        )
        return stranger_id

    def _add_stranger(self, track: Track, stranger_id: str, name: str, length: int) -> None:
        if stranger_id not in self._catalogue.tracks:
            self._add(
                replace(
                    track,
                    track_id=stranger_id,
                    truth=None,
                    name=name,
                    album_id=self._other_album(track, stranger_id, None),
                    duration_ms=length,
                    isrc=made_isrc(self._seed, stranger_id),
                    release_date=None,
                    release_date_precision=None,
                )
            )


def _accented(name: str) -> str | None:
    """One vowel with an accent."""
    for place, letter in enumerate(name):
        if letter in "aeiou" and place:
            return name[:place] + letter.translate(_ACCENTS) + name[place + 1 :]
    return None


def _capitals(name: str) -> str | None:
    return name.upper() if name.isascii() else None


def _small(name: str) -> str | None:
    return name.lower() if name.isascii() else None


def _apostrophes(name: str) -> str | None:
    return name.replace("'", "’") if "'" in name else name.replace("’", "'")


def _ampersand(name: str) -> str | None:
    return name.replace(" & ", " and ") if " & " in name else name.replace(" and ", " & ").replace(" And ", " & ")


_SPELLINGS: tuple[Callable[[str], str | None], ...] = (_accented, _capitals, _small, _apostrophes, _ampersand)
