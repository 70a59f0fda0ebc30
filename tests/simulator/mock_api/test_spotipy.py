"""The unpatched spotipy against the mock API: only addresses and sessions are set."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import spotipy

from tests.simulator.mock_api.small_seed_data import run_mock_api


def make_client(url: str, name: str) -> spotipy.Spotify:
    class StandInPKCE(spotipy.SpotifyPKCE):
        OAUTH_AUTHORIZE_URL = f"{url}/authorize"
        OAUTH_TOKEN_URL = f"{url}/api/token"

    manager = StandInPKCE(
        client_id="stand-in",
        redirect_uri="http://127.0.0.1:8888/callback",
        scope="playlist-read-private user-library-read",
        cache_handler=spotipy.MemoryCacheHandler(),
        requests_session=requests.Session(),
        open_browser=False,
    )
    asked = requests.get(f"{manager.get_authorize_url()}&login_hint={name}", allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(asked.headers["location"]).query)["code"][0]
    manager.get_access_token(code, check_cache=False)
    spotify = spotipy.Spotify(auth_manager=manager, requests_session=requests.Session())
    spotify.prefix = f"{url}/v1/"
    return spotify


def test_what_the_client_calls(url: str, mode: str) -> None:
    ada = make_client(url, "ada")
    items_field, item_field = ("items", "item") if mode == "development" else ("tracks", "track")
    assert ada.me()["account_id"]
    page = ada.current_user_playlists(limit=5)
    playlists = list(page["items"])
    while page := ada.next(page):
        playlists += page["items"]
    assert len(playlists) == 12
    longest = max(playlists, key=lambda first: first[items_field]["total"])
    page = ada.playlist_items(longest["id"], limit=50, additional_types=("track", "episode"))
    items = list(page["items"])
    while page := ada.next(page):
        items += page["items"]
    assert len(items) == longest[items_field]["total"] > 100
    tracks = [
        item[item_field]
        for item in items
        if item[item_field] and item[item_field]["type"] == "track" and item[item_field]["id"]
    ]
    assert ada.track(tracks[0]["id"])["id"] == tracks[0]["id"]
    assert ada.album(tracks[0]["album"]["id"])["tracks"]["items"]
    assert ada.artist(tracks[0]["artists"][0]["id"])["name"]
    saved = ada.current_user_saved_tracks(limit=50)
    assert saved["total"] == 120 and ada.next(saved)["offset"] == 50
    followed = ada.current_user_followed_artists(limit=20)["artists"]
    seen = [artist["id"] for artist in followed["items"]]
    while followed["next"]:
        followed = ada.next(followed)["artists"]
        seen += [artist["id"] for artist in followed["items"]]
    assert len(seen) == len(set(seen)) == followed["total"] > 20
    recent = ada.current_user_recently_played(limit=50)
    assert len(recent["items"]) == 50 and not recent["next"]
    newer = ada.current_user_recently_played(limit=50, after=int(recent["cursors"]["before"]))
    assert len(newer["items"]) == 49


def test_batches_and_audio_features(url: str, mode: str) -> None:
    ada = make_client(url, "ada")
    tracks = [entry["track"] for entry in ada.current_user_saved_tracks(limit=50)["items"]]
    ids = [track["id"] for track in tracks]
    batches = (
        lambda: ada.tracks(ids)["tracks"],
        lambda: ada.albums([track["album"]["id"] for track in tracks][:20])["albums"],
        lambda: ada.artists([track["artists"][0]["id"] for track in tracks])["artists"],
        lambda: ada.audio_features(ids * 2),
    )
    for batch in batches:
        if mode == "extended":
            assert len(batch()) in (20, 50, 100)
        else:
            with pytest.raises(spotipy.SpotifyException) as refusal:
                batch()
            assert refusal.value.http_status == 403
    if mode == "extended":
        features = [feature_row for feature_row in ada.audio_features(ids) if feature_row]
        assert (
            all(feature_row["id"] in ids and 0 <= feature_row["danceability"] <= 1 for feature_row in features)
            and features
        )


def test_playlists_of_others(url: str, mode: str) -> None:
    ben = make_client(url, "ben")
    listed = ben.current_user_playlists()["items"]
    me = ben.me()["id"]
    statuses = {"own": [], "shared": [], "strange": [], "editorial": []}
    for playlist in listed:
        owner = playlist["owner"]["id"]
        kind = {me: "own", "madeup_ada": "shared", "spotify": "editorial"}.get(owner, "strange")
        try:
            ben.playlist_items(playlist["id"], limit=50)
            statuses[kind].append(200)
        except spotipy.SpotifyException as refusal:
            statuses[kind].append(refusal.http_status)
    assert statuses == {
        "own": [200] * 12,
        "shared": [200],
        "strange": [403 if mode == "development" else 200] * 4,
        "editorial": [404],
    }
    strange = next(playlist for playlist in listed if playlist["owner"]["id"].startswith("stranger"))
    whole = ben.playlist(strange["id"])
    assert whole["snapshot_id"] == strange["snapshot_id"]
    assert ("items" in whole or "tracks" in whole) is (mode == "extended")


def test_faults_are_seen_with_their_headers_and_reasons(little_stock: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        '[[fault]]\nendpoint = "me"\nnth = 1\nkind = "rate_limited"\nseconds = 7\n'
        '[[fault]]\nendpoint = "me"\nnth = 2\nkind = "quota_exceeded"\n'
    )
    with run_mock_api(little_stock, tmp_path / "state", "--scenario", str(scenario)) as url:
        ada = make_client(url, "ada")
        with pytest.raises(spotipy.SpotifyException) as limited:
            ada.me()
        assert limited.value.http_status == 429 and limited.value.headers["Retry-After"] == "7"
        with pytest.raises(spotipy.SpotifyException) as used_up:
            ada.me()
        assert used_up.value.reason == "QUOTA_EXCEEDED"
