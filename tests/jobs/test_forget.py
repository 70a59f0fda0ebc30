"""A person is forgotten: no file of the lake and no text of the warehouse names them, and nothing brings them back."""

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
from etl.jobs import erasure, events, recently_played, refresh, spotify
from etl.jobs.account_import import import_export
from etl.load import load_frames
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.exports import AUDIO, folder_of, play
from tests.jobs.spotify_place import ADA, OTHER, STILL, Place, place
from tests.jobs.test_events import activity, receive
from tests.load.star_frames import catalogue, local_frames, run, table

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("one_session")]

WHO, NAME = "listener-7f3a91", "Ondine Quartermain"
OTHERS = ("listener-0b22c4", "listener-55d0ee")
_TEXTS = """
select format('%I.%I', n.nspname, c.relname) as name
from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('staging', 'warehouse', 'mart', 'audit', 'simulation') and c.relkind in ('r', 'p')
    and not c.relispartition
"""


def traces(url: str, lake: Path, *words: str) -> list[str]:
    """Where one of some words stands: files of the lake, and tables with any of their columns."""
    files = [path for path in sorted(lake.rglob("*")) if path.is_file()]
    found = [str(path) for path in files if any(word in f"{path.name} {_text(path)}" for word in words)]
    for row in table(url, _TEXTS):
        for word in words:
            statement = f"select count(*) as n from {row['name']} as t where strpos(t::text, :word) > 0"
            if table(url, statement, word=word)[0]["n"]:
                found.append(f"{row['name']}: {word}")
    return found


def _text(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".avro":
        return json.dumps(list(fastavro.reader(io.BytesIO(content))), default=str, ensure_ascii=False)
    return content.decode("utf-8", "replace")


def load_events(here: Settings, run_id: str) -> dict[str, int]:
    if not events.plan_events(run_id, here):
        return {}
    return events.load_events(run_id, date(2026, 11, 21), here)


def counted(here: Settings) -> list[dict[str, Any]]:
    return table(here.warehouse_url, "select * from audit.row_count order by run_id, step, input_id")


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str) -> Settings:
    load_frames(local_frames(catalogue()), run(), warehouse_url)
    chosen = read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})
    told = [activity(minute, user=user) for minute in range(3) for user in (WHO, *OTHERS)]
    wrong = [activity(9, user=user, msPlayed=-1) for user in (WHO, OTHERS[0])]
    told[0]["userId"] = f" {WHO}\t"
    whole_names = fastavro.parse_schema(load_contract("user_activity_2"))
    receive(chosen, "feed-of-three", [*told, *wrong], files=2, schema=whole_names)
    receive(chosen, "feed-of-others", [activity(20, user=user) for user in OTHERS], name="user_activity_1")
    people = [
        {"userId": user, "updatedAt": datetime(2026, 11, day, tzinfo=UTC), "username": name, "country": country}
        for user, name in ((WHO, NAME), (OTHERS[0], "Somebody Else"))
        for day, country in ((1, "DE"), (3, "US"))
    ]
    receive(chosen, "people", people, name="user")
    export = folder_of(tmp_path / "export", **{AUDIO: [play(), play(ts="2024-03-02T12:03:00Z", ms_played=-1)]})
    import_export(str(export), WHO, "Europe/Berlin", chosen, datetime.now(UTC))
    load_events(chosen, "load 1")
    with database.connect(warehouse_url) as connection:
        database.record_failure(connection, "broken", "load_events", datetime.now(UTC), f"{WHO} was too much, {WHO}.")
    return chosen


def lake_of(here: Settings) -> Path:
    return Path(here.state_dir) / "lake"


def test_a_word_of_a_file_of_the_catalogue_that_is_somebodys_id_stays(here: Settings) -> None:
    with database.connect(here.warehouse_url) as connection:
        connection.exec_driver_sql("""
            insert into audit.run (run_id, job, started_at, finished_at, result)
            values ('catalogue', 'nightly_refresh', now(), now(), 'published');
            insert into audit.run_input (run_id, input_id, origin, name, format, row_count)
            values ('catalogue', 'file', 'kaggle', 'dataset.csv', 'tracks_by_genre', 1);
            insert into audit.rejected_row (run_id, input_id, row_number, reason, row)
            values ('catalogue', 'file', 1, 'name is missing', '{"track_genre": "pop"}'),
                ('catalogue', 'feed-of-others', 1, 'no time', '{"userId": "pop"}')
        """)
    erasure.forget_user("pop", "forget pop", here)
    left = table(here.warehouse_url, "select input_id from audit.rejected_row where run_id = 'catalogue'")
    assert left == [{"input_id": "file"}]


def test_a_listener_of_a_feed_and_an_export_is_forgotten(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url, lake = here.warehouse_url, lake_of(here)
    assert traces(url, lake, WHO) and traces(url, lake, NAME)
    before, others = counted(here), events_of(here, *OTHERS)
    rejected = table(url, "select count(*) as n from audit.rejected_row")[0]["n"]

    def killed(*_: Any) -> None:
        raise TryAgainError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "clean_feeds", killed)
        with pytest.raises(TryAgainError):
            erasure.forget_user(WHO, "forget 1", here)
    gone = erasure.forget_user(WHO, "forget 1", here)
    assert gone == {"accounts": 0, "inputs": 0, "inputs_rewritten": 2, "events": 4}, "the export went the first time"
    assert traces(url, lake, WHO, NAME) == []
    assert counted(here) == before and events_of(here, *OTHERS) == others
    assert table(url, "select count(*) as n from audit.rejected_row")[0]["n"] == rejected - 2
    assert table(url, "select message from audit.run where run_id = 'broken'") == [
        {"message": "somebody was too much, somebody."}
    ]
    rows_left = {
        one.input_id: one.row_count for one in Lake(here.lake_url).inputs.find_inputs(["feed", "account_export"])
    }
    assert rows_left == {"feed-of-three": 7, "feed-of-others": 2, "people": 2}
    assert erasure.forget_user(WHO, "forget 2", here) == dict.fromkeys(gone, 0)
    assert not any((here.state_dir / "forgetting").iterdir())

    assert load_events(here, "load 2") == {}, "what was loaded is known still"
    with database.connect(url) as connection:
        connection.exec_driver_sql("delete from audit.run where job = 'load_events'")
    assert load_events(here, "everything anew") == {}
    sums = {row["input_id"]: (row["rows_in"], row["rows_rejected"]) for row in counted(here)}
    assert (sums["feed-of-three"], sums["people"]) == ((7, 1), (2, 0))
    assert traces(url, lake, WHO, NAME) == [] and events_of(here, *OTHERS) == others


def events_of(here: Settings, *users: str) -> list[dict[str, Any]]:
    return table(
        here.warehouse_url,
        "select u.user_id, e.* from warehouse.fact_event as e inner join warehouse.dim_user as u using (user_key)"
        " where u.user_id = any(:users) order by e.event_id",
        users=list(users),
    )


def test_nobody_is_no_person_and_stops_no_run(here: Settings) -> None:
    receive(here, "feed-in-progress", [activity(40, user=OTHERS[0])])
    assert events.plan_events("in progress", here)
    assert set(erasure.forget_user("listener-nobody", "forget", here).values()) == {0}
    assert events.load_events("in progress", date(2026, 11, 21), here)
    receive(here, "feed-in-danger", [activity(41, user=OTHERS[0])])
    assert events.plan_events("in danger", here)
    assert erasure.forget_user(OTHERS[1], "forget", here)["events"]
    with pytest.raises(EtlError, match="left no events in the lake"):
        events.load_events("in danger", date(2026, 11, 21), here)
    for word in ("unknown", " "):
        with pytest.raises(ActionNeededError):
            erasure.forget_user(word, "forget", here)


def test_an_account_is_forgotten_with_its_playlists(tmp_path: Path, warehouse_url: str, stock: Path) -> None:
    first_day = datetime.now(UTC).date() - timedelta(days=9)
    with place(tmp_path / "state", warehouse_url, stock, f"first_day = {first_day}\n{STILL}", "extended") as there:
        there.night(0)
        fetch_all(there, "night 0")
        publish(there, "night 0", False)
        load_events(there.settings, "load 0")
        ada, other = there.accounts.get_account(ADA), there.accounts.get_account(OTHER)
        words = (ada.account_id, ada.user_id, f"account-{ADA}", f"recently_played-{ADA}")
        users = "select user_id from warehouse.dim_user where user_key > 0"
        asked = "select account from audit.fetch where account is not null group by 1"
        assert len(traces(warehouse_url, tmp_path / "state" / "lake", *words)) > 5
        before = counted(there.settings)
        gone = erasure.forget_user(ada.account_id, "forget", there.settings)
        assert gone["accounts"] == 1 and gone["inputs"] == 2 and gone["events"] > 100
        assert there.accounts.get_names() == [OTHER]
        assert traces(warehouse_url, tmp_path / "state" / "lake", *words) == []
        owners = there.rows("select distinct owner_id from warehouse.dim_playlist where owner_id is not null")
        assert ada.user_id not in {row["owner_id"] for row in owners} and owners
        assert there.rows(users) == [{"user_id": other.account_id}]
        assert there.rows(asked) == [{"account": OTHER}]
        assert counted(there.settings) == before
        publish(there, "from all answers", True)
        assert load_events(there.settings, "load 1") == {}
        assert traces(warehouse_url, tmp_path / "state" / "lake", *words) == []
        assert there.rows(users) == [{"user_id": other.account_id}]


def fetch_all(there: Place, run_id: str) -> None:
    for name in (ADA, OTHER):
        spotify.fetch_account(name, run_id, there.settings, False)
        recently_played.fetch_plays(name, run_id, there.settings, False)
    spotify.fetch_catalogue(run_id, datetime.now(UTC).date(), there.settings, False)


def publish(there: Place, run_id: str, is_forced: bool) -> None:
    assert refresh.plan_refresh(run_id, "nightly_refresh", date(2026, 11, 21), is_forced, there.settings)
    refresh.transform_catalogue(run_id, there.settings)
    refresh.fit_clusters(run_id, there.settings)
    refresh.load_catalogue(run_id, there.settings)


def test_what_an_account_is_answered_while_it_is_removed_is_not_kept(
    tmp_path: Path, warehouse_url: str, stock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(tmp_path / "state", warehouse_url, stock, STILL) as there:
        asks, looks = spotify.fetch_account_responses, recently_played.fetch_recently_played

        def removed_meanwhile(ask: Any) -> Any:
            def answer(*arguments: Any) -> Any:
                found = ask(*arguments)
                there.accounts.remove_account(ADA)
                return found

            return answer

        monkeypatch.setattr(spotify, "fetch_account_responses", removed_meanwhile(asks))
        monkeypatch.setattr(recently_played, "fetch_recently_played", removed_meanwhile(looks))
        signed_in = there.accounts.get_account(ADA)
        for fetch in (spotify.fetch_account, recently_played.fetch_plays):
            there.accounts.store_account(signed_in)
            with pytest.raises(MustSignInError, match="was removed during the fetch"):
                fetch(ADA, "run", there.settings, False)
            assert there.lake.inputs.find_inputs(["api"]) == [] and there.rows("select from audit.fetch") == []
            assert there.lake.checkpoints.list_names("run", "answers") == []
