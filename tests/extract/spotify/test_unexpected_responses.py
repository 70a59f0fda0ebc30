"""Any JSON leads to a response of the documented shape or a temporary error, and no fetch breaks on it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.extract.spotify.account_fetch import SyncState, fetch_account
from etl.extract.spotify.catalogue_fetch import CatalogueRequest, fetch_catalogue
from etl.extract.spotify.http_session import HttpLimits
from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import count_resources
from etl.storage.lake import Lake
from tests.extract.spotify.scripted_server import (
    TOKEN,
    Clock,
    ScriptedResponse,
    ScriptedServer,
    make_account,
    make_client,
    make_page,
    run_scripted_server,
)

QUICK = HttpLimits(pauses_s=(0,), retry_after_all_s=5)
ID = "4" * 22

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["id", "items"]), inner),
    max_leaves=8,
)

_NAMES = """id items total next artists tracks albums audio_features cursors after owner snapshot_id added_at error
reason collaborative track item"""
keys = st.sampled_from(_NAMES.split())
nearly = st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=6), max_size=8)
pages = st.fixed_dictionaries(
    {"items": st.lists(values | nearly, max_size=4), "total": st.integers(0, 200), "next": st.none() | st.text()}
)
bodies = values | nearly | pages | st.fixed_dictionaries({"artists": pages | values})
statuses = st.sampled_from([200, 200, 200, 400, 401, 403, 404, 429, 500])

_PATHS = (
    *("me", "me/playlists", "me/tracks", "me/following", f"tracks/{ID}", f"playlists/{ID}", f"playlists/{ID}/items"),
    *("tracks", "artists", "albums", "audio-features", f"artists/{ID}", f"albums/{ID}"),
)


@pytest.fixture(scope="module")
def any_server() -> Iterator[ScriptedServer]:
    with run_scripted_server() as server:
        server.says("/api/token", TOKEN)
        yield server


_settings = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@_settings
@given(body=bodies, status=statuses)
def test_an_answer_has_the_promised_shape_or_is_a_failure(any_server: ScriptedServer, body: Any, status: int) -> None:
    for path in _PATHS:
        any_server.says(f"/v1/{path}", ScriptedResponse(status, body))
    with tempfile.TemporaryDirectory() as folder:
        for method, arguments in (
            *(("profile", ()), ("my_playlists", ()), ("followed_artists", ()), ("saved_tracks", ()), ("track", (ID,))),
            *(("tracks", ([ID],)), ("audio_features", ([ID],)), ("playlist_items", (ID, "s")), ("playlist", (ID,))),
        ):
            clock = Clock()
            api = make_client(any_server, Path(folder), clock, limits=QUICK)
            try:
                response = getattr(api, f"fetch_{method}")(*arguments)
            except EtlError:
                continue
            assert response.status in (200, 400, 403, 404) and isinstance(count_resources(response), int)
            assert sum(clock.slept) <= 5


@_settings
@given(listed=pages, items=pages, saved=pages, followed=pages, profile=nearly)
def test_no_fetch_stumbles_over_what_pages_hold(
    any_server: ScriptedServer, listed: Any, items: Any, saved: Any, followed: Any, profile: Any
) -> None:
    entries = [
        *listed["items"],
        {"id": ID, "snapshot_id": "s", "owner": {"id": "user-ada"}, "items": {"total": 1}},
        {"id": ID[1:] + "U", "snapshot_id": "s", "owner": None, "tracks": []},
    ]
    any_server.says("/v1/me/playlists", {**listed, "items": entries}, make_page([]))
    for path in (f"playlists/{ID}/items", f"playlists/{ID[1:]}U/items"):
        any_server.says(f"/v1/{path}", items, make_page([]))
    any_server.says("/v1/me/tracks", saved, make_page([]))
    any_server.says("/v1/me/following", {"artists": followed}, {"artists": make_page([])})
    any_server.says("/v1/me", {"id": "ada", **profile, **({"id": "x"} if "id" in profile else {})})
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(f"file://{folder}/lake")
        api = make_client(any_server, Path(folder), Clock(), limits=QUICK)
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                any_server.scripts.setdefault(
                    f"/v1/playlists/{entry['id']}/items", [ScriptedResponse(body=make_page([]))]
                )
                any_server.says(f"/v1/playlists/{entry['id']}", {"id": entry["id"], "snapshot_id": "later"})
        fetched = fetch_account(api, make_account(), SyncState(), [], ResponseStore(lake, "run", "account-ada"))
        assert fetched.state == "done" and fetched.received is not None


@_settings
@given(single=bodies, status=statuses)
def test_no_catalogue_fetch_stumbles(any_server: ScriptedServer, single: Any, status: int) -> None:
    for path in _PATHS:
        any_server.says(f"/v1/{path}", ScriptedResponse(status, single))
    with tempfile.TemporaryDirectory() as folder:
        api = make_client(any_server, Path(folder), Clock(), limits=QUICK)
        response_store = ResponseStore(Lake(f"file://{folder}/lake"), "run", "catalogue")
        try:
            fetched = fetch_catalogue(api, CatalogueRequest([ID], [ID], [ID], [ID]), 10, response_store)
        except EtlError as error:
            assert str(error).endswith((".", "?"))
        else:
            resource_responses = [
                response for response in response_store.read_stored_responses() if response.is_about_resource()
            ]
            assert fetched.state == "done" and bool(resource_responses) == (fetched.received is not None)
            assert fetched.received is None or fetched.received.row_count == sum(
                map(count_resources, resource_responses)
            )


@pytest.mark.parametrize("path", ["me/playlists", "me/tracks", f"playlists/{ID}/items"])
def test_pages_without_an_end_are_left(any_server: ScriptedServer, tmp_path: Path, path: str) -> None:
    for name in ("me/playlists", "me/tracks", f"playlists/{ID}/items"):
        any_server.says(f"/v1/{name}", make_page([]))
    any_server.says("/v1/me/following", {"artists": make_page([])})
    any_server.says(f"/v1/playlists/{ID}", {"id": ID})
    any_server.says("/v1/me", {"id": "ada"})
    any_server.says(f"/v1/{path}", make_page([{"id": ID}], has_next=True))
    clock = Clock()
    api = make_client(any_server, tmp_path, clock, limits=QUICK)
    response_store = ResponseStore(Lake((tmp_path / "lake").as_uri()), "r", "account-ada")
    with pytest.raises(TryAgainError, match=f"{path} goes on beyond its 1 things"):
        fetch_account(api, make_account(), SyncState(), [ID], response_store)


def _fetch_followed_artists(server: ScriptedServer, folder: Path, *pages: dict[str, Any]) -> ResponseStore:
    """Fetch an account with these pages of followed artists, the last one repeated, and return the stored responses."""
    for name in ("me/playlists", "me/tracks"):
        server.says(f"/v1/{name}", make_page([]))
    server.says("/v1/me", {"id": "ada"})
    server.scripts["/v1/me/following"] = [ScriptedResponse(body={"artists": page_body}) for page_body in pages]
    response_store = ResponseStore(Lake((folder / "lake").as_uri()), "r", "account-ada")
    fetch_account(make_client(server, folder, Clock(), limits=QUICK), make_account(), SyncState(), [], response_store)
    return response_store


@pytest.mark.parametrize("cursors", ["x", [], 5, None, {"after": 5}])
def test_cursors_that_are_none_end_the_followed_artists(
    any_server: ScriptedServer, tmp_path: Path, cursors: Any
) -> None:
    response_store = _fetch_followed_artists(
        any_server, tmp_path, make_page([{"id": ID}], has_next=True) | {"cursors": cursors}
    )
    assert [response.endpoint for response in response_store.read_stored_responses()].count("followed_artists") == 1


def test_cursors_that_come_again_and_again_are_left(any_server: ScriptedServer, tmp_path: Path) -> None:
    ways = [make_page([{"id": ID}] * 30, has_next=True) | {"cursors": {"after": after}} for after in "ab"]
    with pytest.raises(TryAgainError, match="me/following goes on beyond its 30 things"):
        _fetch_followed_artists(any_server, tmp_path, *ways * 10)


def test_a_list_of_more_things_than_can_be_asked_is_not_believed(any_server: ScriptedServer, tmp_path: Path) -> None:
    with pytest.raises(TryAgainError):
        _fetch_followed_artists(any_server, tmp_path, make_page([{"id": ID}]) | {"total": 10**9})


def test_a_refusal_of_the_accounts_own_list_names_the_account(any_server: ScriptedServer, tmp_path: Path) -> None:
    any_server.says(
        "/v1/me/playlists", ScriptedResponse(403, {"error": {"status": 403, "message": "User not registered"}})
    )
    api = make_client(any_server, tmp_path, Clock(), limits=QUICK)
    response_store = ResponseStore(Lake(f"file://{tmp_path}/lake"), "run", "account-ada")
    for _ in range(2):  # the denial is not stored: the permission may be granted between two tries
        with pytest.raises(ActionNeededError, match="dashboard must list ada among its users"):
            fetch_account(api, make_account(), SyncState(), [], response_store)
    assert api.calls == {"my_playlists": 2}
