"""The API's pages over real HTTP, in both modes."""

from typing import Any

import pytest
import requests

from tests.simulate.spotify_api.little import sign_in

Json = dict[str, Any]


class Client:
    """Asks as one account."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {sign_in(url, name)['access_token']}"}

    def ask(self, path: str, **query: Any) -> requests.Response:
        address = path if path.startswith("http") else f"{self._url}/v1/{path}"
        return requests.get(address, params=query, headers=self._headers, timeout=10)

    def get(self, path: str, **query: Any) -> Json:
        response = self.ask(path, **query)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def all(self, path: str, **query: Any) -> list[Any]:
        page = self.get(path, **query)
        found = list(page["items"])
        while page["next"]:
            page = self.get(page["next"])
            found += page["items"]
        assert len(found) == page["total"]
        return found


@pytest.fixture(scope="module")
def ada(url: str) -> Client:
    return Client(url, "ada")


def test_every_playlist_is_listed_and_its_items_are_read_to_the_end(ada: Client, mode: str) -> None:
    things = "items" if mode == "development" else "tracks"
    thing = "item" if mode == "development" else "track"
    listed = ada.all("me/playlists", limit=5)
    assert len(listed) == 12
    for playlist in listed:
        items = ada.all(f"playlists/{playlist['id']}/items", limit=50)
        assert len(items) == playlist[things]["total"]
        assert all(thing in item for item in items)
    assert any(playlist[things]["total"] > 100 for playlist in listed)


def test_batches_are_for_extended_mode_only(ada: Client, mode: str) -> None:
    playlist = ada.get("me/playlists")["items"][5]
    thing = "item" if mode == "development" else "track"
    items = ada.get(f"playlists/{playlist['id']}/items", limit=50)["items"]
    ids = [item[thing]["id"] for item in items]
    single = ada.get(f"tracks/{ids[0]}")
    assert single["id"] == ids[0] and ("popularity" in single) is (mode == "extended")
    batch = ada.ask("tracks", ids=",".join(ids))
    if mode == "development":
        assert batch.status_code == 403 and batch.json() == {"error": {"status": 403, "message": "Forbidden"}}
    else:
        assert [track["id"] for track in batch.json()["tracks"]] == ids
