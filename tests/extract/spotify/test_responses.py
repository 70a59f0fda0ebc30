"""Responses in the lake: stored at once, one input at the end, the same bytes for the same responses."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse, count_resources
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from tests.extract.spotify.scripted_server import START, make_page


class CountingClient:
    """A client that returns responses and records its calls."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def my_playlists(self, offset: int = 0) -> ApiResponse:
        self.asked.append(offset)
        body = make_page([{"id": f"{offset} \ud800 ö"}, None], 100)
        return ApiResponse(
            "2026-11-21T03:00:00+00:00", "ada", "my_playlists", "me/playlists", {"offset": offset}, 200, body
        )

    def playlist_items(self, id_: str, snapshot_id: str | None, status: int = 404) -> ApiResponse:
        self.asked.append((id_, snapshot_id))
        where = ("playlist_items", f"playlists/{id_}/items", {"offset": 0}, status)
        return ApiResponse("2026-11-21T03:00:01+00:00", "ada", *where, {"error": {"status": status}}, id_, snapshot_id)

    def tracks(self, ids: list[str]) -> ApiResponse:
        self.asked.append(ids)
        return ApiResponse("2026-11-21T03:00:02+00:00", "ada", "tracks", "tracks", {}, 403, {"error": {"status": 403}})


@pytest.fixture
def asker() -> CountingClient:
    return CountingClient()


def read_input_lines(received: ReceivedInput | None) -> list[dict[str, Any]]:
    assert received is not None
    content = gzip.decompress(Path(received.url.removeprefix("file://")).read_bytes())
    return [json.loads(line) for line in content.splitlines()]


def test_the_input_has_a_line_an_answer_in_the_order_asked(lake: Lake, asker: CountingClient) -> None:
    response_store = ResponseStore(lake, "run", "account-ada")
    asked = [response_store.fetch_once(asker.my_playlists, offset) for offset in (50, 0, 100)]
    asked.append(response_store.fetch_once(asker.playlist_items, "P", "s1"))
    received = response_store.store_input(START)
    assert received is not None
    assert (received.origin, received.format, received.name) == ("api", "spotify_answers", "account-ada.jsonl.gz")
    assert received.row_count == 6 and received.received_at == "2026-11-21T03:00:00+00:00"
    assert read_input_lines(received) == [response.to_line(number) for number, response in enumerate(asked)]
    assert "playlist_id" not in read_input_lines(received)[0] and read_input_lines(received)[3]["snapshot_id"] == "s1"
    assert lake.inputs.find_inputs(["api"]) == [received]


def test_nothing_received_is_no_input(lake: Lake, asker: CountingClient) -> None:
    assert ResponseStore(lake, "run", "catalogue").store_input(START) is None
    response_store = ResponseStore(lake, "run", "catalogue")
    response_store.fetch_once(asker.tracks, ["T"])  # the response describes our mode and contains no tracks
    assert response_store.store_input(START) is None and lake.inputs.find_inputs(["api"]) == []


def test_a_second_try_asks_only_what_was_not_answered(lake: Lake, asker: CountingClient) -> None:
    first = ResponseStore(lake, "run", "account-ada")
    stored = [
        first.fetch_once(asker.my_playlists, 0),
        first.fetch_once(asker.playlist_items, "P", "s1"),
        first.fetch_once(asker.tracks, []),
    ]
    second = ResponseStore(lake, "run", "account-ada")
    again = [
        second.fetch_once(asker.my_playlists, 0),
        second.fetch_once(asker.playlist_items, "P", "s1"),
        second.fetch_once(asker.tracks, []),
    ]
    assert again == stored and len(asker.asked) == 3
    assert second.replay_counts == {"my_playlists": 1, "playlist_items": 1, "tracks": 1}
    second.fetch_once(asker.playlist_items, "P", "s2")
    second.fetch_once(asker.my_playlists, 50)
    assert len(asker.asked) == 5
    assert [line["path"] for line in read_input_lines(second.store_input(START))] == [
        *("me/playlists", "playlists/P/items", "playlists/P/items", "me/playlists")
    ]


def test_other_runs_and_parts_are_apart(lake: Lake, asker: CountingClient) -> None:
    for run_id, part in (("run 1", "account-ada"), ("run 2", "account-ada"), ("run 2", "account-ole")):
        ResponseStore(lake, run_id, part).fetch_once(asker.my_playlists, 0)
    assert len(asker.asked) == 3


def test_equal_answers_are_equal_bytes(lake: Lake, tmp_path: Path, asker: CountingClient) -> None:
    other_lake = Lake((tmp_path / "other").as_uri())
    received = []
    for place, run_id in ((lake, "run 1"), (other_lake, "run 2")):
        response_store = ResponseStore(place, run_id, "account-ada")
        response_store.fetch_once(asker.my_playlists, 0)
        received.append(response_store.store_input(START))
    first, second = received
    assert first is not None and second is not None and first.input_id == second.input_id


def test_finishing_twice_is_one_input(lake: Lake, asker: CountingClient) -> None:
    response_store = ResponseStore(lake, "run", "account-ada")
    response_store.fetch_once(asker.my_playlists, 0)
    assert response_store.store_input(START) == response_store.store_input(START.replace(year=2027))
    assert len(lake.inputs.find_inputs(["api"])) == 1


def test_a_refusal_of_the_accounts_own_things_is_not_kept(lake: Lake) -> None:
    def saved_tracks() -> ApiResponse:
        asked.append(1)
        return ApiResponse("2026-11-21T03:00:00+00:00", "ada", "saved_tracks", "me/tracks", {}, 403, {"error": {}})

    asked: list[int] = []
    response_store = ResponseStore(lake, "run", "account-ada")
    response_store.fetch_once(saved_tracks)
    response_store.fetch_once(saved_tracks)
    assert len(asked) == 2 and response_store.store_input(START) is None


def test_halves_of_a_killed_try_are_not_seen(lake: Lake, asker: CountingClient, tmp_path: Path) -> None:
    response_store = ResponseStore(lake, "run", "account-ada")
    response_store.fetch_once(asker.my_playlists, 0)
    (tmp_path / "lake" / "runs" / "run" / "answers" / "account-ada" / "x.json.0.part").write_text("{")
    assert len(read_input_lines(ResponseStore(lake, "run", "account-ada").store_input(START))) == 1


def test_an_answer_that_was_cut_on_the_disk_is_asked_again(lake: Lake, asker: CountingClient, tmp_path: Path) -> None:
    response_store = ResponseStore(lake, "run", "account-ada")
    response_store.fetch_once(asker.my_playlists, 0)
    (stored_file,) = (tmp_path / "lake" / "runs" / "run" / "answers" / "account-ada").iterdir()
    stored_file.write_bytes(b"")
    assert ResponseStore(lake, "run", "account-ada").store_input(START) is None
    assert (
        ResponseStore(lake, "run", "account-ada").fetch_once(asker.my_playlists, 0).is_success()
        and len(asker.asked) == 2
    )


def test_kept_answers_go_with_their_run(lake: Lake, asker: CountingClient) -> None:
    ResponseStore(lake, "run", "account-ada").fetch_once(asker.my_playlists, 0)
    assert lake.checkpoints.find_run_ids() == ["run"]
    lake.checkpoints.drop_run("run")
    assert lake.checkpoints.find_run_ids() == [] and lake.checkpoints.list_names("run", "answers/account-ada") == []


@pytest.mark.parametrize(
    ("endpoint", "status", "body", "count"),
    [
        ("my_playlists", 200, make_page([None, {}]), 2),
        ("playlist_items", 200, make_page([]), 0),
        ("saved_tracks", 200, make_page([{}]), 1),
        ("recently_played", 200, {"items": [{}, {}, {}]}, 3),
        ("followed_artists", 200, {"artists": make_page([{}])}, 1),
        ("tracks", 200, {"tracks": [None, {}]}, 2),
        ("albums", 200, {"albums": [{}]}, 1),
        ("artists", 200, {"artists": []}, 0),
        ("audio_features", 200, {"audio_features": [None]}, 1),
        ("me", 200, {"id": "ada"}, 1),
        ("track", 200, {"id": "T"}, 1),
        ("playlist", 404, {"error": {}}, 0),
        ("playlist_items", 403, {"error": {}}, 0),
    ],
)
def test_things_are_counted(endpoint: str, status: int, body: Any, count: int) -> None:
    assert count_resources(ApiResponse("", None, endpoint, "", {}, status, body)) == count
