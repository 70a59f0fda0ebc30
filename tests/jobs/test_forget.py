"""A data subject is erased: no file of the lake and no text of the warehouse names them, and no load restores them."""

import gzip
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pytest

from etl import database
from etl.errors import ActionNeededError, EtlError, MustSignInError, TryAgainError
from etl.formats.contracts.avro import load_contract
from etl.jobs import erasure, events, recently_played, refresh, refresh_plan, spotify
from etl.jobs.account_import import import_export
from etl.load import load_frames
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.exports import AUDIO, make_play, write_export_folder
from tests.jobs.mock_api_environment import FIRST_ACCOUNT, SECOND_ACCOUNT, STILL, MockApiEnvironment, start_environment
from tests.jobs.test_events import make_event, receive_feed
from tests.load.star_frames import create_local_frames, make_catalogue, make_run, select_rows

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("one_session")]

ERASED_USER, NAME = "listener-7f3a91", "Ondine Quartermain"
OTHER_USERS = ("listener-0b22c4", "listener-55d0ee")
_TEXTS = """
select format('%I.%I', n.nspname, c.relname) as name
from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('staging', 'warehouse', 'mart', 'live', 'audit', 'simulation') and c.relkind in ('r', 'p')
    and not c.relispartition
"""


def find_identifiers(url: str, lake: Path, *words: str) -> list[str]:
    """Return the locations of some words: files of the lake, and tables with one in any column."""
    files = [path for path in sorted(lake.rglob("*")) if path.is_file()]
    locations = [str(path) for path in files if any(word in f"{path.name} {_text(path)}" for word in words)]
    for row in select_rows(url, _TEXTS):
        for word in words:
            statement = f"select count(*) as n from {row['name']} as t where strpos(t::text, :word) > 0"
            if select_rows(url, statement, word=word)[0]["n"]:
                locations.append(f"{row['name']}: {word}")
    return locations


def _text(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".avro":
        return json.dumps(list(fastavro.reader(io.BytesIO(content))), default=str, ensure_ascii=False)
    return content.decode("utf-8", "replace")


def load_events(settings: Settings, run_id: str) -> dict[str, int]:
    if not events.plan_events(run_id, settings):
        return {}
    return events.load_events(run_id, date(2026, 11, 21), settings)


def fetch_row_counts(settings: Settings) -> list[dict[str, Any]]:
    return select_rows(settings.warehouse_url, "select * from audit.row_count order by run_id, step, input_id")


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    load_frames(create_local_frames(make_catalogue()), make_run(), warehouse_url)
    chosen = read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})
    records = [make_event(minute, user=user) for minute in range(3) for user in (ERASED_USER, *OTHER_USERS)]
    wrong = [make_event(9, user=user, msPlayed=-1) for user in (ERASED_USER, OTHER_USERS[0])]
    records[0]["userId"] = f" {ERASED_USER}\t"
    schema = fastavro.parse_schema(load_contract("user_activity_2"))
    receive_feed(chosen, "feed-of-three", [*records, *wrong], files=2, schema=schema)
    receive_feed(chosen, "feed-of-others", [make_event(20, user=user) for user in OTHER_USERS], name="user_activity_1")
    people = [
        {"userId": user, "updatedAt": datetime(2026, 11, day, tzinfo=UTC), "username": name, "country": country}
        for user, name in ((ERASED_USER, NAME), (OTHER_USERS[0], "Somebody Else"))
        for day, country in ((1, "DE"), (3, "US"))
    ]
    receive_feed(chosen, "people", people, name="user")
    export = write_export_folder(
        tmp_path / "export", **{AUDIO: [make_play(), make_play(ts="2024-03-02T12:03:00Z", ms_played=-1)]}
    )
    import_export(str(export), ERASED_USER, "Europe/Berlin", chosen, datetime.now(UTC))
    load_events(chosen, "load 1")
    with database.connect(warehouse_url) as connection:
        database.record_failure(
            connection, "broken", "load_events", datetime.now(UTC), f"{ERASED_USER} was too much, {ERASED_USER}."
        )
    return chosen


def get_lake_path(settings: Settings) -> Path:
    return Path(settings.state_dir) / "lake"


def test_a_word_of_a_file_of_the_catalogue_that_is_somebodys_id_stays(settings: Settings) -> None:
    with database.connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql("""
            insert into audit.run (run_id, job, started_at, finished_at, result)
            values ('catalogue', 'nightly_refresh', now(), now(), 'published');
            insert into audit.run_input (run_id, input_id, origin, name, format, row_count)
            values ('catalogue', 'file', 'kaggle', 'dataset.csv', 'tracks_by_genre', 1);
            insert into audit.rejected_row (run_id, input_id, row_number, reason, row)
            values ('catalogue', 'file', 1, 'name is missing', '{"track_genre": "pop"}'),
                ('catalogue', 'feed-of-others', 1, 'no time', '{"userId": "pop"}')
        """)
    erasure.forget_user("pop", "forget pop", settings)
    rejected_rows = select_rows(
        settings.warehouse_url, "select input_id from audit.rejected_row where run_id = 'catalogue'"
    )
    assert rejected_rows == [{"input_id": "file"}]


def test_a_listener_of_a_feed_and_an_export_is_forgotten(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url, lake = settings.warehouse_url, get_lake_path(settings)
    assert find_identifiers(url, lake, ERASED_USER) and find_identifiers(url, lake, NAME)
    before, other_events = fetch_row_counts(settings), fetch_user_events(settings, *OTHER_USERS)
    rejected = select_rows(url, "select count(*) as n from audit.rejected_row")[0]["n"]

    def fail(*_: Any) -> None:
        raise TryAgainError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erase_from_feeds", fail)
        with pytest.raises(TryAgainError):
            erasure.forget_user(ERASED_USER, "forget 1", settings)
    gone = erasure.forget_user(ERASED_USER, "forget 1", settings)
    assert gone == {"accounts": 0, "inputs": 0, "inputs_rewritten": 2, "events": 4}, "the export went the first time"
    assert find_identifiers(url, lake, ERASED_USER, NAME) == []
    assert fetch_row_counts(settings) == before and fetch_user_events(settings, *OTHER_USERS) == other_events
    assert select_rows(url, "select count(*) as n from audit.rejected_row")[0]["n"] == rejected - 2
    assert select_rows(url, "select message from audit.run where run_id = 'broken'") == [
        {"message": "somebody was too much, somebody."}
    ]
    rows_left = {
        received.input_id: received.row_count
        for received in Lake(settings.lake_url).inputs.find_inputs(["feed", "account_export"])
    }
    assert rows_left == {"feed-of-three": 7, "feed-of-others": 2, "people": 2}
    assert erasure.forget_user(ERASED_USER, "forget 2", settings) == dict.fromkeys(gone, 0)
    assert not any((settings.state_dir / "forgetting").iterdir())

    assert load_events(settings, "load 2") == {}, "what was loaded is known still"
    with database.connect(url) as connection:
        connection.exec_driver_sql("delete from audit.run where job = 'load_events'")
    assert load_events(settings, "everything anew") == {}
    sums = {row["input_id"]: (row["rows_in"], row["rows_rejected"]) for row in fetch_row_counts(settings)}
    assert (sums["feed-of-three"], sums["people"]) == ((7, 1), (2, 0))
    assert (
        find_identifiers(url, lake, ERASED_USER, NAME) == []
        and fetch_user_events(settings, *OTHER_USERS) == other_events
    )


def fetch_user_events(settings: Settings, *users: str) -> list[dict[str, Any]]:
    return select_rows(
        settings.warehouse_url,
        "select u.user_id, e.* from warehouse.fact_event as e inner join warehouse.dim_user as u using (user_key)"
        " where u.user_id = any(:users) order by e.event_id",
        users=list(users),
    )


def test_nobody_is_no_person_and_stops_no_run(settings: Settings) -> None:
    receive_feed(settings, "feed-in-progress", [make_event(40, user=OTHER_USERS[0])])
    assert events.plan_events("in progress", settings)
    assert set(erasure.forget_user("listener-nobody", "forget", settings).values()) == {0}
    assert events.load_events("in progress", date(2026, 11, 21), settings)
    receive_feed(settings, "feed-in-danger", [make_event(41, user=OTHER_USERS[0])])
    assert events.plan_events("in danger", settings)
    assert erasure.forget_user(OTHER_USERS[1], "forget", settings)["events"]
    with pytest.raises(EtlError, match="left no events in the lake"):
        events.load_events("in danger", date(2026, 11, 21), settings)
    for word in ("unknown", " "):
        with pytest.raises(ActionNeededError):
            erasure.forget_user(word, "forget", settings)


def test_an_account_is_forgotten_with_its_playlists(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> None:
    first_day = datetime.now(UTC).date() - timedelta(days=9)
    with start_environment(
        tmp_path / "state", warehouse_url, seed_data_path, f"first_day = {first_day}\n{STILL}", "extended"
    ) as there:
        there.night(0)
        fetch_accounts(there, "night 0")
        publish_run(there, "night 0", False)
        load_events(there.settings, "load 0")
        ada, second_account = there.accounts.get_account(FIRST_ACCOUNT), there.accounts.get_account(SECOND_ACCOUNT)
        words = (ada.account_id, ada.user_id, f"account-{FIRST_ACCOUNT}", f"recently_played-{FIRST_ACCOUNT}")
        users = "select user_id from warehouse.dim_user where user_key > 0"
        fetched_accounts = "select account from audit.fetch where account is not null group by 1"
        assert len(find_identifiers(warehouse_url, tmp_path / "state" / "lake", *words)) > 5
        before = fetch_row_counts(there.settings)
        gone = erasure.forget_user(ada.account_id, "forget", there.settings)
        assert gone["accounts"] == 1 and gone["inputs"] == 2 and gone["events"] > 100
        assert there.accounts.get_names() == [SECOND_ACCOUNT]
        assert find_identifiers(warehouse_url, tmp_path / "state" / "lake", *words) == []
        owners = there.rows("select distinct owner_id from warehouse.dim_playlist where owner_id is not null")
        assert ada.user_id not in {row["owner_id"] for row in owners} and owners
        assert there.rows(users) == [{"user_id": second_account.account_id}]
        assert there.rows(fetched_accounts) == [{"account": SECOND_ACCOUNT}]
        assert fetch_row_counts(there.settings) == before
        publish_run(there, "from all answers", True)
        assert load_events(there.settings, "load 1") == {}
        assert find_identifiers(warehouse_url, tmp_path / "state" / "lake", *words) == []
        assert there.rows(users) == [{"user_id": second_account.account_id}]


def fetch_accounts(there: MockApiEnvironment, run_id: str) -> None:
    for name in (FIRST_ACCOUNT, SECOND_ACCOUNT):
        spotify.fetch_account(name, run_id, there.settings, False)
        recently_played.fetch_plays(name, run_id, there.settings, False)
    spotify.fetch_catalogue(run_id, datetime.now(UTC).date(), there.settings, False)


def publish_run(there: MockApiEnvironment, run_id: str, is_forced: bool) -> None:
    assert refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, 21), is_forced, there.settings)
    refresh.transform_catalogue(run_id, there.settings)
    refresh.fit_clusters(run_id, there.settings)
    refresh.load_catalogue(run_id, there.settings)


def test_what_an_account_is_answered_while_it_is_removed_is_not_kept(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, STILL) as there:
        asks, looks = spotify.fetch_account_responses, recently_played.fetch_recently_played

        def remove_during_request(send_request: Any) -> Any:
            def request(*arguments: Any) -> Any:
                response = send_request(*arguments)
                there.accounts.remove_account(FIRST_ACCOUNT)
                return response

            return request

        monkeypatch.setattr(spotify, "fetch_account_responses", remove_during_request(asks))
        monkeypatch.setattr(recently_played, "fetch_recently_played", remove_during_request(looks))
        signed_in = there.accounts.get_account(FIRST_ACCOUNT)
        for fetch in (spotify.fetch_account, recently_played.fetch_plays):
            there.accounts.store_account(signed_in)
            with pytest.raises(MustSignInError, match="was removed during the fetch"):
                fetch(FIRST_ACCOUNT, "run", there.settings, False)
            assert there.lake.inputs.find_inputs(["api"]) == [] and there.rows("select from audit.fetch") == []
            assert there.lake.checkpoints.list_names("run", "answers") == []
