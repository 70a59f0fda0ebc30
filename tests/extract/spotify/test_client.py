"""The client's reaction to each response: over real HTTP, with a clock that advances only by sleeping."""

import re
import time
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from etl.errors import (
    ActionNeededError,
    EtlError,
    MustSignInError,
    QuotaUsedUpError,
    RateLimitedError,
    TryAgainError,
)
from etl.extract.spotify.account_store import AccountStore, Token
from etl.extract.spotify.client import ApiClient, Mode, is_spotify_id, parse_playlist_id
from etl.extract.spotify.http_session import HttpLimits
from simulator.synthetic_names import make_synthetic_id
from tests.extract.spotify.scripted_server import (
    EXPIRED,
    INVALID_GRANT,
    SECRETS,
    SILENCE,
    START,
    TOKEN,
    Clock,
    ScriptedResponse,
    ScriptedServer,
    make_account,
    make_client,
    make_page,
    run_scripted_server,
)

TRACK = {"id": "T" * 22, "name": "Song"}
PATH = "/v1/tracks/TTTTTTTTTTTTTTTTTTTTTT"
ID = "T" * 22


def expect_rejection(status: int, **error: Any) -> ScriptedResponse:
    return ScriptedResponse(status, {"error": {"status": status, "message": "Refused", **error}})


def make_retry_header(seconds: object) -> ScriptedResponse:
    return ScriptedResponse(429, expect_rejection(429).body, {"Retry-After": str(seconds)})


def read_stored_token(folder: Path) -> Token:
    return AccountStore(folder, "client").get_account("ada").token


def test_an_answer_is_what_came_and_how_it_was_asked(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says("/v1/playlists/P/items", make_page([None, {"item": TRACK}]))
    api = make_client(server, tmp_path, clock)
    response = api.fetch_playlist_items("P", "snapshot", 50)
    assert response.to_line(0) == {
        "number": 0,
        "asked_at": "2026-11-21T03:00:00+00:00",
        "account": "ada",
        "endpoint": "playlist_items",
        "path": "playlists/P/items",
        "query": {"limit": 50, "offset": 50},
        "status": 200,
        "body": make_page([None, {"item": TRACK}]),
        "playlist_id": "P",
        "snapshot_id": "snapshot",
    }
    assert api.calls == {"playlist_items": 1} and clock.slept == []


def test_private_fields_of_the_profile_stay_outside(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    private = {"email": "a@example.org", "birthdate": "1990-01-01", "images": [], "explicit_content": {}}
    server.says("/v1/me", {"id": "ada", "account_id": "x", "country": "DE", **private})
    assert make_client(server, tmp_path, clock).fetch_profile().body == {
        "id": "ada",
        "account_id": "x",
        "country": "DE",
    }


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_of_a_thing_is_a_fact(server: ScriptedServer, tmp_path: Path, clock: Clock, status: int) -> None:
    server.says(PATH, expect_rejection(status))
    api = make_client(server, tmp_path, clock)
    response = api.fetch_track(ID)
    assert (response.status, response.body, api.mode) == (status, expect_rejection(status).body, None)
    assert api.calls == {"track": 1}


@pytest.mark.parametrize("status", [403, 404, 410])
@pytest.mark.parametrize(
    ("method", "path"),
    [("tracks", "tracks"), ("artists", "artists"), ("albums", "albums"), ("audio_features", "audio-features")],
)
def test_a_refused_batch_tells_the_mode(
    server: ScriptedServer, tmp_path: Path, clock: Clock, status: int, method: str, path: str
) -> None:
    server.says(f"/v1/{path}", expect_rejection(status))
    api = make_client(server, tmp_path, clock)
    response = getattr(api, f"fetch_{method}")([ID])
    assert (response.status, api.mode, api.calls) == (status, Mode.DEVELOPMENT, {method: 1})
    assert not response.is_about_resource()


@pytest.mark.filterwarnings("error")
def test_an_answered_batch_tells_the_mode(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says("/v1/audio-features", {"audio_features": [None, {"id": ID}]})
    api = make_client(server, tmp_path, clock)
    response = api.fetch_audio_features([ID, "U" * 22])
    assert api.mode is Mode.EXTENDED and response.query == {"ids": f"{ID},{'U' * 22}"}
    assert response.body == {"audio_features": [None, {"id": ID}]}


PASSING = {
    "500": ScriptedResponse(500, b"oops"),
    "502": ScriptedResponse(502, b"<html>"),
    "503": expect_rejection(503),
    "408": expect_rejection(408),
    "cut JSON": ScriptedResponse(body=b'{"id": "TTT'),
    "cut body": ScriptedResponse(body=TRACK, announced=10_000),
    "empty": ScriptedResponse(body=b""),
    "no JSON": ScriptedResponse(body=b"<html>Sign in to the Wi-Fi</html>"),
    "not a number": ScriptedResponse(body=b'{"id": "T", "popularity": NaN}'),
    "too deep": ScriptedResponse(body=b"[" * 200_000),
    "a list": ScriptedResponse(body=[TRACK]),
    "null": ScriptedResponse(body=None),
    "another shape": ScriptedResponse(body={"tracks": []}),
    "no UTF-8": ScriptedResponse(body=b'{"id": "\xff\xfe"}'),
    "silence": SILENCE,
    "refusal that is no JSON": ScriptedResponse(403, b"<html>Blocked by the proxy</html>"),
    "error that is a list": ScriptedResponse(503, [1]),
    "error that is null": ScriptedResponse(500, {"error": None}),
}


@pytest.mark.parametrize("case", PASSING)
def test_what_may_pass_is_asked_again(server: ScriptedServer, tmp_path: Path, clock: Clock, case: str) -> None:
    server.says(PATH, PASSING[case], PASSING[case], TRACK)
    api = make_client(server, tmp_path, clock)
    assert api.fetch_track(ID).body == TRACK
    assert clock.slept == [1, 2] and api.calls == {"track": 3}


@pytest.mark.parametrize("case", PASSING)
def test_what_does_not_pass_ends_after_a_few_tries(
    server: ScriptedServer, tmp_path: Path, clock: Clock, case: str
) -> None:
    server.says(PATH, PASSING[case])
    api = make_client(server, tmp_path, clock)
    with pytest.raises(TryAgainError, match=r"did not answer 4 times \(track, at last ") as caught:
        api.fetch_track(ID)
    assert clock.slept == [1, 2, 4] and len(server.asked) == 4
    assert not isinstance(caught.value, RateLimitedError)


def test_an_unreachable_server_may_answer_later(tmp_path: Path, clock: Clock) -> None:
    with run_scripted_server() as gone:
        pass
    with pytest.raises(TryAgainError, match="no complete response"):
        make_client(gone, tmp_path, clock).fetch_track(ID)


@pytest.mark.parametrize(
    ("says", "limits"),
    [
        (ScriptedResponse(body=TRACK, drip_s=0.05), HttpLimits(connect_s=0.1, read_s=5, total_s=0.2, pauses_s=(0,))),
        (ScriptedResponse(body=TRACK, drip_s=1.0), HttpLimits(connect_s=0.1, read_s=0.2, total_s=5, pauses_s=(0,))),
    ],
    ids=["drips", "hangs"],
)
def test_a_slow_answer_is_bounded(
    server: ScriptedServer, tmp_path: Path, clock: Clock, says: ScriptedResponse, limits: HttpLimits
) -> None:
    server.says(PATH, says)
    started = time.monotonic()
    with pytest.raises(TryAgainError, match="did not answer 2 times"):
        make_client(server, tmp_path, clock, limits=limits).fetch_track(ID)
    assert time.monotonic() - started < 2


def test_a_short_pause_is_waited_for(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says(PATH, make_retry_header(7), make_retry_header(30), make_retry_header(0), TRACK)
    api = make_client(server, tmp_path, clock)
    assert api.fetch_track(ID).body == TRACK
    assert clock.slept == [7, 30, 1] and api.calls == {"track": 4}


def test_a_pause_may_be_named_by_its_end(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says(PATH, make_retry_header(format_datetime(START + timedelta(seconds=12), usegmt=True)), TRACK)
    make_client(server, tmp_path, clock).fetch_track(ID)
    assert clock.slept == [12]


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "nan", "1e9", "9" * 30, "Fri, 31 Feb 2026 99:00:00 GMT"])
def test_a_pause_that_cannot_be_read_is_a_short_one(
    server: ScriptedServer, tmp_path: Path, clock: Clock, nonsense: str
) -> None:
    server.says(PATH, make_retry_header(nonsense), TRACK)
    make_client(server, tmp_path, clock).fetch_track(ID)
    assert clock.slept == [4]


def test_a_long_pause_is_handed_on_unslept(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says(PATH, make_retry_header(74_214))
    with pytest.raises(RateLimitedError, match=r"asks for a pause of 74,214 s") as caught:
        make_client(server, tmp_path, clock).fetch_track(ID)
    assert caught.value.retry_after_s == 74_214 and clock.slept == [] and len(server.asked) == 1


@pytest.mark.parametrize("seconds", [0, 1, 25, 30])
def test_short_pauses_without_end_are_bounded_in_sum(
    server: ScriptedServer, tmp_path: Path, clock: Clock, seconds: int
) -> None:
    server.says(PATH, make_retry_header(seconds))
    api = make_client(server, tmp_path, clock)
    for _ in range(3):
        with pytest.raises(RateLimitedError):
            api.fetch_track(ID)
    assert 90 < sum(clock.slept) <= 120


@pytest.mark.parametrize("body", [{"error": {"reason": "QUOTA_EXCEEDED"}}, {"reason": "QUOTA_EXCEEDED"}])
def test_a_used_up_quota_is_no_rate_limit(
    server: ScriptedServer, tmp_path: Path, clock: Clock, body: dict[str, Any]
) -> None:
    server.says(PATH, ScriptedResponse(429, body, {"Retry-After": "5"}))
    with pytest.raises(QuotaUsedUpError, match="Fetched responses are stored"):
        make_client(server, tmp_path, clock).fetch_track(ID)
    assert clock.slept == [] and len(server.asked) == 1


def test_a_token_that_ends_soon_is_renewed_before_it_is_used(
    server: ScriptedServer, tmp_path: Path, clock: Clock
) -> None:
    server.says(PATH, TRACK)
    server.says("/api/token", TOKEN)
    account = make_account(token=Token(SECRETS[0], SECRETS[1], START + timedelta(seconds=10), "scopes"))
    api = make_client(server, tmp_path, clock, account)
    api.fetch_track(ID)
    api.fetch_track(ID)
    assert server.paths() == ["/api/token", PATH, PATH] and api.calls == {"token": 1, "track": 2}
    assert server.asked[1][1]["Authorization"] == f"Bearer {SECRETS[2]}"
    assert read_stored_token(tmp_path) == Token(SECRETS[2], SECRETS[1], START + timedelta(hours=1), "scopes")


def test_a_new_refresh_token_takes_the_place_of_the_old_one(
    server: ScriptedServer, tmp_path: Path, clock: Clock
) -> None:
    server.says(PATH, EXPIRED, TRACK)
    server.says("/api/token", {**TOKEN.body, "refresh_token": SECRETS[3]})
    assert make_client(server, tmp_path, clock).fetch_track(ID).body == TRACK
    assert read_stored_token(tmp_path).refresh_token == SECRETS[3]
    assert "refresh-secret-1" in server.asked[1][2] and "client_id=client" in server.asked[1][2]


def test_a_refused_access_token_is_renewed_once(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says(PATH, EXPIRED)
    server.says("/api/token", TOKEN)
    with pytest.raises(TryAgainError, match="refuses an access token that it has just given"):
        make_client(server, tmp_path, clock).fetch_track(ID)
    assert server.paths() == [PATH, "/api/token", PATH]


def test_a_token_that_another_process_has_renewed_is_taken(
    server: ScriptedServer, tmp_path: Path, clock: Clock
) -> None:
    server.says(PATH, EXPIRED, TRACK)
    api = make_client(server, tmp_path, clock)
    AccountStore(tmp_path, "client").store_account(
        make_account(token=Token(SECRETS[2], None, START + timedelta(hours=1), ""))
    )
    api.fetch_track(ID)
    assert server.paths() == [PATH, PATH] and server.asked[1][1]["Authorization"] == f"Bearer {SECRETS[2]}"


def test_an_ended_sign_in_names_account_and_cure_and_loses_nothing(
    server: ScriptedServer, tmp_path: Path, clock: Clock
) -> None:
    server.says(PATH, EXPIRED, EXPIRED, TRACK)
    server.says("/api/token", INVALID_GRANT, TOKEN)
    for_people = r"the sign-in of the account ada no more \(invalid_grant\).*Run bin/sign-in ada\."
    with pytest.raises(MustSignInError, match=for_people) as caught:
        make_client(server, tmp_path, clock).fetch_track(ID)
    stored = AccountStore(tmp_path, "client").get_account("ada")
    assert caught.value.account == "ada" and stored.trouble == str(caught.value)
    assert stored.token == make_account().token
    # The next run tries again, and a success clears the stored trouble.
    ApiClient(server.app(), stored, AccountStore(tmp_path, "client"), clock=clock).fetch_track(ID)
    assert AccountStore(tmp_path, "client").get_account("ada").trouble is None


@pytest.mark.parametrize(
    "says",
    [ScriptedResponse(503, b""), SILENCE, ScriptedResponse(body=b"{"), ScriptedResponse(body={"access_token": 7})],
)
def test_an_accounts_service_that_fails_may_do_better(
    server: ScriptedServer, tmp_path: Path, clock: Clock, says: ScriptedResponse
) -> None:
    server.says(PATH, EXPIRED, TRACK)
    server.says("/api/token", says, TOKEN)
    api = make_client(server, tmp_path, clock)
    assert api.fetch_track(ID).body == TRACK and api.calls == {"track": 2, "token": 2}


def test_a_refused_app_is_not_the_persons_fault(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says(PATH, EXPIRED)
    server.says("/api/token", ScriptedResponse(400, {"error": "invalid_client"}))
    with pytest.raises(ActionNeededError, match="compare SPOTIPY_CLIENT_ID and SPOTIPY_REDIRECT_URI") as caught:
        make_client(server, tmp_path, clock).fetch_track(ID)
    assert not isinstance(caught.value, MustSignInError)
    assert AccountStore(tmp_path, "client").get_account("ada").trouble is None


def test_an_app_asks_for_itself_with_its_secret(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says(PATH, TRACK)
    server.says("/api/token", TOKEN)
    api = ApiClient(server.app("client-secret"), None, AccountStore(tmp_path, "client"), clock=clock)
    assert api.fetch_track(ID).account is None
    assert server.asked[0][2] == "grant_type=client_credentials"
    with pytest.raises(ActionNeededError, match="asked in the name of an account"):
        ApiClient(server.app(), None, AccountStore(tmp_path, "client"))


@pytest.mark.parametrize("status", [302, 402, 405, 418])
def test_what_the_api_never_answers_needs_somebody(
    server: ScriptedServer, tmp_path: Path, clock: Clock, status: int
) -> None:
    server.says(PATH, expect_rejection(status))
    with pytest.raises(ActionNeededError):
        make_client(server, tmp_path, clock).fetch_track(ID)
    assert len(server.asked) == 1


def test_a_wrong_playlist_of_the_settings_needs_somebody(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says(f"/v1/playlists/{ID}", expect_rejection(400))
    with pytest.raises(ActionNeededError, match="is an id in the settings wrong"):
        make_client(server, tmp_path, clock).fetch_playlist(ID)


def test_a_batch_that_is_called_wrong_says_nothing_of_the_mode(
    server: ScriptedServer, tmp_path: Path, clock: Clock
) -> None:
    server.says("/v1/tracks", expect_rejection(400))
    api = make_client(server, tmp_path, clock)
    several, first = api.fetch_tracks([ID, "U" * 22]), api.fetch_tracks([ID])
    assert (several.status, several.is_about_resource(), first.is_about_resource()) == (400, False, True)
    assert api.mode is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("0" * 22, True),
        ("4u7EnebtmKWzUH433cf5Qv", True),
        ("7N42dgm5tFLK9N8MT7fHC7", True),  # 2^128 - 1
        ("7N42dgm5tFLK9N8MT7fHC8", False),
        ("madeupUnknown000000123", False),
        (make_synthetic_id("T", 1, 1), False),
        ("name:0123456789abcdef", False),
    ],
)
def test_an_id_of_spotify_writes_128_bits(text: str, is_one: bool) -> None:
    assert is_spotify_id(text) == is_one
    assert is_spotify_id(text, is_mock_api=True) == (":" not in text)


def test_a_login_of_a_netrc_file_does_not_take_the_tokens_place(
    server: ScriptedServer, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.says(PATH, TRACK)
    make_client(server, tmp_path, clock).fetch_track(ID)
    assert server.asked[0][1]["Authorization"] == f"Bearer {SECRETS[0]}"


@pytest.mark.parametrize(
    "text",
    [
        "37i9dQZF1DXcBWIGoYBM5M",
        "spotify:playlist:37i9dQZF1DXcBWIGoYBM5M",
        "https://open.spotify.com/playlist/37i9dQZF1DXcBWIGoYBM5M?si=abc",
    ],
)
def test_a_playlist_is_named_by_id_link_or_uri(text: str) -> None:
    assert parse_playlist_id(text) == "37i9dQZF1DXcBWIGoYBM5M"


@pytest.mark.parametrize("text", ["", "my list", "37i9dQZF1DXcBWIGoYBM5", "../../me"])
def test_what_names_no_playlist_is_refused(text: str) -> None:
    with pytest.raises(ActionNeededError, match="SPOTIFY_PLAYLISTS takes ids or links"):
        parse_playlist_id(text)


def test_every_failure_is_one_of_ours(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    facts = []
    for status in range(400, 600):
        server.says(PATH, expect_rejection(status))
        server.says("/api/token", expect_rejection(status))
        try:
            facts.append(make_client(server, tmp_path, clock).fetch_track(ID).status)
        except EtlError as error:
            assert str(error).endswith(".") or str(error).endswith("?")
    assert facts == [400, 403, 404, 410]


def test_messages_in_the_papers_are_those_of_the_code() -> None:
    checkout = Path(__file__).resolve().parents[3]
    sources = "".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
        for path in sorted((checkout / "etl" / "extract" / "spotify").glob("*.py"))
    )
    sources = sources.replace("{self._service.name}", "Spotify")
    paper = (checkout / "docs" / "spotify.md").read_text(encoding="utf-8")
    quoted = [text for line in paper.splitlines() if line.startswith("|") for text in re.findall(r'"([^"]+)"', line)]
    generic = {"Spotify did not answer 4 times": "Spotify did not answer"}
    assert len(quoted) > 15
    assert not [text for text in quoted if generic.get(text, text) not in sources]
