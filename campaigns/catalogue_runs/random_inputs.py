"""Random inputs of a catalogue that change from run to run.

The words are few, so that tracks share titles, artists, albums and ISRCs; they are enough that most tracks do not.
"""

import hashlib
import random
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from etl.formats.contracts import AUDIO_FEATURES, MOCK_SOURCE

Row = dict[str, Any]

_TITLES = [
    f"{word} {end}".strip() for word in ("Song", "Home", "Rain", "Sea", "Sky", "Road") for end in ("", "Two", "- Live")
]
_NAMES = (
    "Nova",
    "The Nova",
    "Lux",
    "The Lux",
    "Vega",
    "The The Nova",
    "Mira",
    "Ona",
    "Rex",
    "Ulla",
    "Pax",
    "Zed",
    "Kit",
)
_ALBUMS = ("First", "Best Of", "Third", "Blue", "Red", "Live at Home")
_SOURCES = ("tracks_1921_2020", "tracks_by_genre", "playlist_songs", "top_2000s", "made_up")
_ASKED = datetime(2026, 11, 21)
_SERVICES = ("reccobeats", "mock_reccobeats")


def _derive_id(artist_key: str) -> str:
    return f"name:{hashlib.sha256(artist_key.encode()).hexdigest()[:20]}"


@dataclass
class RandomInputs:
    """The inputs of a catalogue as of a run.

    ``files`` are rows about tracks by input, ``artist_files`` rows about artists; ``api_tracks`` and ``api_artists``
    are by id, ``playlists`` as ``LATEST_STATE["api_playlist"]``, ``features`` as ``LATEST_STATE["provider_features"]``,
    by track and source; ``decisions`` as ``STAGED["match_decision"]``; ``requested_artists`` are those of the last
    change.
    """

    chance: random.Random
    api_source: str
    files: dict[str, list[Row]] = field(default_factory=dict)
    artist_files: dict[str, list[Row]] = field(default_factory=dict)
    api_tracks: dict[str, Row] = field(default_factory=dict)
    api_artists: dict[str, Row] = field(default_factory=dict)
    playlists: dict[str, Row] = field(default_factory=dict)
    features: dict[tuple[str, str], Row] = field(default_factory=dict)
    decisions: set[tuple[str, str, str, bool]] = field(default_factory=set)
    requested_artists: set[str] = field(default_factory=set)
    number: int = 0

    def copy(self) -> "RandomInputs":
        """Return a copy that later changes do not affect."""
        return deepcopy(self)

    def fill(self, file_count: int, row_count: int) -> None:
        """Add files for a first run."""
        for _ in range(file_count):
            self._add_file(row_count)
        for _ in range(3):
            self._change_api_track()
        self._add_artist_file()

    def change(self) -> list[str]:
        """Change some inputs at random; return what was changed."""
        self.requested_artists = set()
        changes = [
            self._add_small_file,
            self._remove_file,
            self._change_api_track,
            self._change_api_track,
            self._change_api_artist,
            self._change_features,
            self._change_decision,
            self._change_playlist,
            self._add_artist_file,
            self._remove_artist_file,
        ]
        chosen = self.chance.choices(changes, k=self.chance.choice((0, 1, 1, 1, 2, 3)))
        for change in chosen:
            change()
        return [change.__name__.strip("_") for change in chosen]

    def list_track_rows(self) -> list[Row]:
        """Return the rows about tracks; artists of the API have their newest names."""
        rows = [row for name in sorted(self.files) for row in self.files[name]]
        for track in self.api_tracks.values():
            names = [self.api_artists[artist_id]["name"] for artist_id in track["artist_ids"]]
            rows.append({**track, "artist_names": names})
        return rows

    def list_artist_rows(self) -> list[Row]:
        """Return the rows about artists."""
        rows = [row for name in sorted(self.artist_files) for row in self.artist_files[name]]
        return rows + list(self.api_artists.values())

    def _next_id(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def _add_file(self, row_count: int) -> None:
        input_id, source = self._next_id("input"), self.chance.choice(_SOURCES)
        rows = [self._make_row(source) for _ in range(row_count)]
        self.files[input_id] = [{**row, "input_id": input_id, "row_number": n} for n, row in enumerate(rows, 1)]

    def _add_small_file(self) -> None:
        self._add_file(self.chance.randint(1, 3))

    def _remove_file(self) -> None:
        if self.files:
            del self.files[self.chance.choice(sorted(self.files))]

    def _add_artist_file(self) -> None:
        input_id = self._next_id("artists")
        self.artist_files[input_id] = [
            {"input_id": input_id, "row_number": number, "source": "artists_1921_2020", "genres": []}
            | {"artist_id": f"id {name}", "name": name, "followers": self.chance.choice((None, 5, 9))}
            | {"popularity": self.chance.choice((None, 30, 70))}
            for number, name in enumerate(self.chance.sample(_NAMES, self.chance.randint(1, 2)), 1)
        ]

    def _remove_artist_file(self) -> None:
        if self.artist_files:
            del self.artist_files[self.chance.choice(sorted(self.artist_files))]

    def _make_row(self, source: str) -> Row:
        chance = self.chance
        names = chance.sample(_NAMES, chance.choice((1, 1, 1, 2)))
        row: Row = {"source": source, "name": chance.choice(_TITLES), "artist_names": names}
        row |= {"duration_ms": 200_000 + 1_900 * chance.randrange(6), "popularity": chance.choice((None, 10, 60))}
        row |= {"track_id": None if source == "top_2000s" else self._choose_track_id()}
        row |= {"artist_ids": [f"id {name}" for name in names]} if chance.random() < 0.2 else {}
        row |= {"album_name": chance.choice(_ALBUMS)} if chance.random() < 0.6 else {}
        row |= {"album_id": f"album {chance.randrange(8)}"} if chance.random() < 0.15 else {}
        row |= {"isrc": f"XX{chance.randrange(40)}"} if chance.random() < 0.2 else {}
        row |= self._make_date() if chance.random() < 0.4 else {}
        row |= self._make_features() if chance.random() < 0.4 else {}
        row |= {"genres": chance.sample(("pop", "Rock", "jazz"), chance.randint(0, 2))}
        listed = {"playlist_id": f"p{chance.randrange(5)}", "playlist_name": chance.choice(("Mix", "Mine"))}
        listed |= {"playlist_genre": chance.choice(("pop", "rap")), "playlist_subgenre": "dance"}
        return row | (listed if source == "playlist_songs" or chance.random() < 0.1 else {})

    def _choose_track_id(self) -> str:
        return f"t{self.chance.randrange(150):03}"

    def _make_date(self) -> Row:
        day = date(self.chance.randint(1950, 2020), 1, 1)
        return {"release_date": day, "release_date_precision": self.chance.choice(("year", "month", "day"))}

    def _make_features(self) -> Row:
        values = {name: self.chance.choice((0.2, 0.5)) for name in AUDIO_FEATURES}
        return {**values, "tempo": self.chance.choice((None, 90.0)), "key": 5, "mode": 1, "time_signature": 4}

    def _change_api_track(self) -> None:
        chance = self.chance
        is_mock = self.api_source == MOCK_SOURCE
        track_id = self._choose_track_id() if chance.random() < 0.7 or not is_mock else f"m{chance.randrange(20)}"
        ids = [
            f"id {name}" if not is_mock or chance.random() < 0.4 else f"mock {name}"
            for name in chance.sample(_NAMES, chance.choice((1, 1, 2)))
        ]
        for artist_id in ids:
            self.api_artists.setdefault(artist_id, self._make_api_artist(artist_id))
            self.requested_artists.add(artist_id)
        row = self._make_row("api")
        for name in ("playlist_id", "playlist_name", "playlist_genre", "playlist_subgenre"):
            row.pop(name, None)
        row |= {"source": self.api_source, "track_id": track_id, "artist_ids": ids, "genres": None}
        self.api_tracks[track_id] = row | {"input_id": None, "row_number": None}

    def _make_api_artist(self, artist_id: str) -> Row:
        chance = self.chance
        name = artist_id.split(" ", 1)[1] if chance.random() < 0.8 else chance.choice(_NAMES)
        row = {"input_id": None, "row_number": None, "source": self.api_source, "genres": None, "name": name}
        row |= {"artist_id": artist_id, "popularity": chance.choice((None, 20, 80))}
        return row | {"followers": chance.choice((None, 3, 7, 11))}

    def _change_api_artist(self) -> None:
        known = sorted(self.api_artists)
        artist_id = self.chance.choice(known) if known else f"id {self.chance.choice(_NAMES)}"
        self.api_artists[artist_id] = self._make_api_artist(artist_id)
        self.requested_artists.add(artist_id)

    def _change_features(self) -> None:
        track_id, source = self._choose_track_id(), self.chance.choice(_SERVICES)
        measures = self._make_features()
        self.features[track_id, source] = {
            "track_id": track_id,
            "source": source,
            "asked_at": _ASKED,
            "measures": measures,
        }

    def _change_decision(self) -> None:
        chance = self.chance
        if self.decisions and chance.random() < 0.4:
            self.decisions.remove(chance.choice(sorted(self.decisions)))
            return
        ids = sorted({row["track_id"] for row in self.list_track_rows() if row["track_id"]})
        if chance.random() < 0.3:
            name = chance.choice(_NAMES).lower()
            other = name.removeprefix("the ") if name.startswith("the ") else f"the {name}"
            first = chance.choice((_derive_id(other), f"id {name.title()}"))
            pair = sorted((first, _derive_id(name)))
            self.decisions.add(("artist", pair[0], pair[1], False))
        elif len(ids) > 1:
            pair = sorted(chance.sample(ids, 2))
            self.decisions.add(("recording", pair[0], pair[1], chance.random() < 0.5))

    def _change_playlist(self) -> None:
        playlist_id = f"p{self.chance.randrange(8)}"
        entries = [{"track_id": self._choose_track_id(), "added_at": _ASKED} for _ in range(2)]
        known = {row["track_id"] for row in self.list_track_rows()}
        self.playlists[playlist_id] = {
            "playlist_id": playlist_id,
            "told": {"asked_at": _ASKED, "name": self.chance.choice(("Mine", "Yours")), "owner_id": "ada"},
            "items": {
                "asked_at": _ASKED,
                "snapshot_id": self._next_id("s"),
                "entries": [entry for entry in entries if entry["track_id"] in known],
            },
        }
