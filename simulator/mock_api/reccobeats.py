"""A mock of ReccoBeats, a service for audio features, on the server of the mock Spotify API.

It knows four of five served tracks, chosen by hash, also those without audio features in the seed data. Its values
differ slightly from Spotify's, as those of another analysis do. Of 50 tracks that it knows, one has an impossible
value, and one has no key.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from etl.formats.contracts import AUDIO_FEATURES
from simulator.mock_api.hashed_ids import hash_fraction, hash_number
from simulator.mock_api.scenario import RECCOBEATS_ENDPOINT
from simulator.mock_api.seed_data import SeedData

PATH = "/reccobeats/v1/audio-features"
MAX_IDS = 40
KNOWN_FRACTION = 0.8
_FRACTION_OF_ODD_ITEMS = 1 / 50
_RANGES = {"loudness": (-40.0, 0.0), "tempo": (60.0, 200.0)}
_CODES = {"missing": 4001, "invalid": 4004}
"""The service's own error codes: a parameter is missing, or not valid."""


def make_endpoint(get_seed_data: Callable[[], SeedData]) -> Callable[[Request], Any]:
    """Return the endpoint of audio features; unknown tracks are left out of its response."""

    async def respond(request: Request) -> Response:
        texts = request.query_params.getlist("ids")
        ids = [id_ for text in texts for id_ in text.split(",") if id_]
        if not ids:
            return _reject(_CODES["missing"], "ids is required")
        if len(ids) > MAX_IDS:
            return _reject(_CODES["invalid"], f"ids has {len(ids)} elements; at most {MAX_IDS} are allowed")
        seed_data = get_seed_data()
        tracks = seed_data.read_tracks(ids)
        content = [
            build_item(track, seed_data.seed)
            for track in tracks.values()
            if is_known(track["track_id"], seed_data.seed)
        ]
        body = json.dumps({"content": content}, separators=(",", ":"))
        return Response(body, media_type="application/json")

    return respond


def is_known(track_id: str, seed: int) -> bool:
    """Return whether the service knows a served track."""
    return hash_fraction(RECCOBEATS_ENDPOINT, seed, track_id) < KNOWN_FRACTION


def has_impossible_value(track_id: str, seed: int) -> bool:
    """Return whether a value of a known track is outside its range."""
    return hash_fraction(RECCOBEATS_ENDPOINT, "impossible", seed, track_id) < _FRACTION_OF_ODD_ITEMS


def build_item(track: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return the item of a track that the service knows."""
    track_id = track["track_id"]
    measures = {name: _measure(track, name, seed) for name in AUDIO_FEATURES}
    if has_impossible_value(track_id, seed):
        measures["energy"] = 1.7
    has_no_key = hash_fraction(RECCOBEATS_ENDPOINT, "no key", seed, track_id) < _FRACTION_OF_ODD_ITEMS
    return {
        "id": str(uuid.UUID(int=hash_number(RECCOBEATS_ENDPOINT, track_id) << 64 | hash_number(track_id))),
        "href": f"https://open.spotify.com/track/{track_id}",
        "isrc": track["isrc"],
        **measures,
        "key": -1 if has_no_key else hash_number(RECCOBEATS_ENDPOINT, "key", track_id) % 12,
        "mode": hash_number(RECCOBEATS_ENDPOINT, "mode", track_id) % 2,
    }


def _measure(track: dict[str, Any], name: str, seed: int) -> float:
    """Return a measure near the seed data's, or one drawn by hash."""
    low, high = _RANGES.get(name, (0.0, 1.0))
    draw = hash_fraction(RECCOBEATS_ENDPOINT, name, seed, track["track_id"])
    value = low + draw * (high - low) if track[name] is None else track[name] + (draw - 0.5) * 0.02 * (high - low)
    return round(min(max(value, low), high), 4)


def _reject(code: int, message: str) -> Response:
    return JSONResponse({"code": code, "error": message, "path": PATH}, 400)
