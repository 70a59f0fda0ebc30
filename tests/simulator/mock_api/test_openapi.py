"""Responses against Spotify's OpenAPI file: no field outside its schema, every field that the mode promises."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.mock_api.endpoints import ENDPOINTS, EXTENDED_ONLY_ENDPOINTS
from simulator.mock_api.object_fields import OBJECT_FIELDS
from simulator.mock_api.scenario import API_ENDPOINTS
from tests.conftest import SHARED_DATA
from tests.simulator.mock_api.small_seed_data import Client

Json = dict[str, Any]

KINDS = {
    "TrackObject": "track",
    "SimplifiedTrackObject": "simple_track",
    "ArtistObject": "artist",
    "SimplifiedArtistObject": "simple_artist",
    "AlbumObject": "album",
    "SimplifiedAlbumObject": "simple_album",
    "PlaylistObject": "playlist",
    "SimplifiedPlaylistObject": "simple_playlist",
    "PlaylistTrackObject": "playlist_item",
    "SavedTrackObject": "saved_track",
    "PlayHistoryObject": "play",
    "PrivateUserObject": "me",
    "AudioFeaturesObject": "audio_features",
}
MAY_HAVE = {
    "track": {"restrictions", "linked_from"},
    "simple_track": {"restrictions", "linked_from"},
    "playlist": {"items"},
}
PLAIN_TYPES: dict[str, tuple[type, ...]] = {
    **{"string": (str,), "integer": (int,), "number": (int, float)},
    **{"boolean": (bool,), "object": (dict,), "array": (list,)},
}


class Description:
    """Spotify's OpenAPI file."""

    def __init__(self, path: Path) -> None:
        self._all: Json = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        self.met: set[str] = set()

    def answer(self, path: str) -> Json:
        """Return the schema of the successful response of a path."""
        response = self._all["paths"][path]["get"]["responses"]["200"]
        return dict(self._followed(response)["content"]["application/json"]["schema"])

    def faults(self, value: object, schema: Json, mode: str, at: str = "") -> Iterator[str]:
        """Yield the errors of a value, each with its location."""
        schema, name = self._followed(schema), str(schema.get("$ref", "")).rsplit("/", 1)[-1]
        if value is None:
            return
        if "oneOf" in schema:
            kind = value["type"].capitalize() if isinstance(value, dict) else ""
            schema = next(
                part_schema for part_schema in schema["oneOf"] if part_schema["$ref"].endswith(f"/{kind}Object")
            )
            yield from self.faults(value, schema, mode, at)
            return
        fields, names = self._fields(schema), {name, *self._names(schema)}
        known = PLAIN_TYPES[str(schema.get("type", "object" if fields else "string"))]
        if not isinstance(value, known) or (isinstance(value, bool) and bool not in known):
            yield f"{at}: {value!r} is no {schema.get('type')}"
        elif isinstance(value, list):
            for place, element in enumerate(value):
                yield from self.faults(element, schema["items"], mode, f"{at}[{place}]")
        elif isinstance(value, dict) and fields:
            yield from (f"{at}.{field}: not in the schema" for field in value.keys() - fields.keys())
            for kind in (KINDS[name] for name in names & KINDS.keys()):
                self.met.add(kind)
                promised = OBJECT_FIELDS[mode][kind]  # type: ignore[index]
                yield from (f"{at}.{field}: promised and missing" for field in promised - value.keys())
                extra = value.keys() - promised - MAY_HAVE.get(kind, set())
                yield from (f"{at}.{field}: not promised" for field in extra)
            for field in value.keys() & fields.keys():
                yield from self.faults(value[field], fields[field], mode, f"{at}.{field}")

    def _followed(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema_node: Any = self._all
            for step in schema["$ref"].removeprefix("#/").split("/"):
                schema_node = schema_node[step]
            schema = schema_node
        return schema

    def _fields(self, schema: Json) -> Json:
        schema = self._followed(schema)
        inherited = [self._fields(part_schema) for part_schema in schema.get("allOf", ())]
        return {
            name: field
            for part_schema in (*inherited, schema.get("properties", {}))
            for name, field in part_schema.items()
        }

    def _names(self, schema: Json) -> set[str]:
        """Return the names of the schemas that a schema includes by allOf."""
        return {
            part_schema["$ref"].rsplit("/", 1)[-1] for part_schema in schema.get("allOf", ()) if "$ref" in part_schema
        }


@pytest.fixture(scope="module")
def description() -> Description:
    path = SHARED_DATA / "openapi" / "spotify-web-api.yml"
    if not path.exists():
        pytest.skip(f"Spotify's OpenAPI file is not here: {path}")
    return Description(path)


def _list_responses(client: Client, mode: str) -> Iterator[tuple[str, Json]]:
    """Yield at least one response of every endpoint, with its path in the OpenAPI file."""
    items_field, item_field = ("items", "item") if mode == "development" else ("tracks", "track")
    yield "/me", client.get("me")
    playlists = client.get("me/playlists", limit=50)
    yield "/me/playlists", playlists
    tracks: list[Json] = []
    for playlist in playlists["items"][:3]:
        yield "/playlists/{playlist_id}", client.get(f"playlists/{playlist['id']}")
        for name in ("items",) if mode == "development" else ("items", "tracks"):
            page = client.get(f"playlists/{playlist['id']}/{name}", limit=50)
            yield f"/playlists/{{playlist_id}}/{name}", page
            tracks += [item[item_field] for item in page["items"] if item[item_field] and item[item_field]["id"]]
    assert items_field in playlists["items"][0]
    yield "/me/tracks", client.get("me/tracks")
    yield "/me/following", client.get("me/following", type="artist")
    yield "/me/player/recently-played", client.get("me/player/recently-played", limit=50)
    tracks = [track for track in tracks if track["type"] == "track"]
    ids = {
        "tracks": [track["id"] for track in tracks],
        "albums": [track["album"]["id"] for track in tracks],
        "artists": [track["artists"][0]["id"] for track in tracks],
    }
    for name, known in ids.items():
        yield f"/{name}/{{id}}", client.get(f"{name}/{known[0]}")
        if mode == "extended":
            yield f"/{name}", client.get(name, ids=",".join([*known[:15], "0" * 22]))
    if mode == "extended":
        yield "/audio-features", client.get("audio-features", ids=",".join(ids["tracks"][:100]))


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["ada", "ben"])
def test_answers_are_as_described_and_as_promised(description: Description, url: str, mode: str, name: str) -> None:
    wrong, asked = [], set()
    for path, response in _list_responses(Client(url, name), mode):
        asked.add(path)
        wrong += [f"{path}{fault}" for fault in description.faults(response, description.answer(path), mode)]
    assert not wrong, wrong[:20]
    served = {p for n, (p, _) in ENDPOINTS.items() if mode == "extended" or n not in EXTENDED_ONLY_ENDPOINTS}
    assert {path.replace("{playlist_id}", "{id}") for path in asked} == served
    assert {kind for kind in KINDS.values() if kind != "audio_features" or mode == "extended"} <= description.met


def test_what_development_mode_has_lost_is_gone() -> None:
    lost = {
        "track": {"popularity", "available_markets", "linked_from"},
        "simple_track": {"available_markets"},
        "album": {"popularity", "available_markets", "label", "genres"},
        "simple_album": {"available_markets"},
        "artist": {"popularity", "followers", "genres"},
        "me": {"country", "email", "product"},
        "playlist_item": {"track"},
        "simple_playlist": {"tracks"},
        "playlist": {"tracks"},
    }
    assert not [kind for kind, fields in lost.items() if OBJECT_FIELDS["development"][kind] & fields]
    assert "external_ids" in OBJECT_FIELDS["development"]["track"]
    assert {"item", "items"} <= OBJECT_FIELDS["development"]["playlist_item"] | OBJECT_FIELDS["development"][
        "simple_playlist"
    ]


@pytest.mark.real_data
def test_a_wrong_answer_would_be_noticed(description: Description) -> None:
    schema = description.answer("/tracks/{id}")
    faults = set(description.faults({"name": 3, "length": 4}, schema, "development"))
    assert {".length: not in the schema", ".id: promised and missing", ".name: 3 is no string"} <= faults


def test_faults_can_be_made_at_every_endpoint() -> None:
    assert set(API_ENDPOINTS) == ENDPOINTS.keys()
