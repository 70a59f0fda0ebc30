"""Recordings of a catalogue: tracks of one title, artist and length, and the ISRC that they share."""

from collections import defaultdict

from simulator.mock_api.catalogue import Catalogue, Track
from simulator.mock_api.hashed_ids import hash_fraction, hash_number, make_spotify_id
from simulator.mock_api.titles import normalise_text, normalise_title

SAME_RECORDING_TOLERANCE_MS = 2_000
"""Tracks of one title and artist whose lengths differ by at most this are one recording."""

_ISRC_FRACTION = 0.85


def assign_recordings(catalogue: Catalogue) -> None:
    """Name the recordings: the smallest id of the tracks of one title and first artist whose lengths form a chain."""
    tracks_by_title_and_artist: defaultdict[tuple[str, str], list[Track]] = defaultdict(list)
    for track in catalogue.tracks.values():
        tracks_by_title_and_artist[
            normalise_title(track.name), normalise_text(catalogue.get_first_artist_name(track))
        ].append(track)
    for group in tracks_by_title_and_artist.values():
        chain: list[Track] = []
        for track in sorted(group, key=lambda candidate: (candidate.duration_ms, candidate.track_id)):
            if chain and track.duration_ms - chain[-1].duration_ms > SAME_RECORDING_TOLERANCE_MS:
                _close_chain(catalogue, chain)
                chain = []
            chain.append(track)
        _close_chain(catalogue, chain)


def assign_isrcs(catalogue: Catalogue, seed: int) -> None:
    """Assign ISRCs to most recordings; the ids of one recording share it, and a known ISRC takes precedence."""
    isrc_by_recording: dict[str, str] = {}
    for track in catalogue.tracks.values():
        if track.isrc:
            isrc_by_recording.setdefault(catalogue.recordings[track.track_id], track.isrc)
    for track in catalogue.tracks.values():
        recording = catalogue.recordings[track.track_id]
        if track.isrc is None and hash_fraction(seed, "has isrc", recording) < _ISRC_FRACTION:
            track.isrc = isrc_by_recording.get(recording) or make_isrc(seed, recording)


def make_isrc(*seed_values: object) -> str:
    """Return 12 characters in the form of an ISRC; ZZ is assigned to no country."""
    random_number = hash_number("isrc", *seed_values)
    registrant = make_spotify_id("registrant", random_number % 46_656, length=3).upper()
    return f"ZZ{registrant}{random_number // 46_656 % 10_000_000:07d}"


def _close_chain(catalogue: Catalogue, chain: list[Track]) -> None:
    recording = min(track.track_id for track in chain)
    catalogue.recordings.update((track.track_id, recording) for track in chain)
