"""The data of a data subject and the members that only they refer to are removed from the warehouse, and no others."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.engine import make_url

from etl.database import connect, fetch_rows, lock_warehouse, make_engine
from etl.erasure.data_subject import DataSubject
from etl.erasure.warehouse import erase_data_subject, find_usernames
from etl.load.access.login_removal import erase_logins
from etl.load.marts import build_marts_as_defined
from launch import postgres
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events, make_user_record
from tests.load.star_frames import select_rows

ERASED_USER, NAME, OTHER_USER = "listener-7f3a91", "Ondine Quartermain", "listener-0b22c4"
PLAYLIST = "0123456789012345678901"
SAMPLES = """
    select format('%s.%s.%s', schemaname, tablename, attname) as name
    from pg_stats
    where schemaname in ('staging', 'warehouse', 'mart', 'live', 'audit', 'simulation')
        and strpos(concat(most_common_vals::text, histogram_bounds::text), :word) > 0
    order by 1
"""


def execute(url: str, statement: str) -> None:
    with connect(url) as connection:
        connection.execute(text(statement))


def erase_user(url: str, **more: set[str]) -> None:
    with lock_warehouse(url) as connection:
        data_subject = DataSubject(frozenset({ERASED_USER})).add_identifiers(**more)
        erase_data_subject(
            connection,
            data_subject.add_identifiers(names=find_usernames(connection, data_subject)),
            build_marts_as_defined,
            erase_logins,
        )


def list_sampled_columns(server: postgres.Server, url: str, *words: str) -> list[str]:
    """Return the columns whose planner statistics contain one of some words."""
    with make_engine(server.build_url("postgres", str(make_url(url).database))).connect() as connection:
        return [str(row["name"]) for word in words for row in fetch_rows(connection, SAMPLES, word=word)]


def test_no_sample_of_the_planner_names_the_person(embedded_server: postgres.Server, warehouse_url: str) -> None:
    people = (
        make_user_record(ERASED_USER, NOON, username=NAME),
        make_user_record(f"{ERASED_USER}-2", NOON, username=f"{NAME} too"),
    )
    load_events(
        warehouse_url,
        "r1",
        Delivery("aa", (SourcePlay(NOON, ERASED_USER), SourcePlay(NOON, OTHER_USER))),
        Delivery("bb", users=people),
    )
    execute(
        warehouse_url,
        f"""
        insert into audit.run (run_id, job, started_at, finished_at, result, message)
        select 'f' || g, 'load_events', now(), now(), 'failed', '{ERASED_USER} was too much, ' || g
        from generate_series(1, 5) as g;
        insert into audit.fetch (run_id, part, account, asked_at, state, message)
        select 'f' || g, 'p', '{ERASED_USER}' || g, now(), 'failed', 'A playlist of {ERASED_USER} is refused'
        from generate_series(1, 5) as g;
        insert into warehouse.exclusion (kind, id) values ('user', '{ERASED_USER}'), ('user', '{ERASED_USER}-2');
        insert into mart.applied_exclusion select kind, id from warehouse.exclusion;
        insert into audit.playlist_request (user_id, playlist_id)
        values ('{ERASED_USER}', '{PLAYLIST}'), ('{ERASED_USER}-2', '{PLAYLIST}');
        insert into mart.anomaly
        select u, 'r', '2026-11-01', '2026-11-02', 'reason', 0.5, 0.5, '2026-11-02', 'stream'
        from unnest(array['{ERASED_USER}', '{ERASED_USER}-2']) as u;
        insert into simulation.anomaly_episode
        select u, 'sudden_change', '2026-11-01', '2026-11-02'
        from unnest(array['{ERASED_USER}', '{ERASED_USER}-2']) as u;
        insert into audit.login (login_name, kind, user_id) values ('one', 'listener', '{ERASED_USER}');
        insert into staging.event_artist (artist_id, name) values ('a', '{ERASED_USER}'), ('b', '{ERASED_USER}');
        insert into staging.event_user (user_id) values ('{ERASED_USER}'), ('{ERASED_USER}-2');
        analyze
        """,
    )
    assert {"staging.event_user.user_id", "mart.applied_exclusion.id", "audit.run.message"} <= set(
        list_sampled_columns(embedded_server, warehouse_url, ERASED_USER)
    )
    execute(warehouse_url, "delete from mart.applied_exclusion")  # the build of the marts does the same
    erase_user(
        warehouse_url, user_ids={f"{ERASED_USER}-2"}, accounts={f"{ERASED_USER}{number}" for number in range(1, 6)}
    )
    assert list_sampled_columns(embedded_server, warehouse_url, ERASED_USER, NAME, PLAYLIST) == []
    for name in (
        "warehouse.user_record",
        "warehouse.exclusion",
        "audit.playlist_request",
        "audit.login",
        "audit.fetch",
        "mart.anomaly",
        "simulation.anomaly_episode",
    ):
        assert select_rows(warehouse_url, f"select * from {name}") == [], name


def make_play(user_id: str, minute: int, **values: str) -> SourcePlay:
    return SourcePlay(NOON + timedelta(minutes=minute), user_id, source="extended_export", **values)


def test_what_only_the_person_named_goes_and_what_others_name_stays(warehouse_url: str) -> None:
    alone = {"track": "name:memo", "name": "Voice memo for my doctor", "artist": "name:me", "artist_name": NAME}
    shared = {"track": "name:song", "name": "Song", "artist": "name:band", "artist_name": "Band"}
    listed = {"track": "name:list", "name": "Listed", "artist": "name:listed", "artist_name": "Of a list"}
    meant = {"track": "name:head", "name": "Head", "artist": "name:head", "artist_name": "Head"}
    dropped = {"track": "name:drop", "name": "Told twice", "artist": "name:drop", "artist_name": "Twice"}
    at = NOON + timedelta(minutes=50)
    events = (
        make_play(ERASED_USER, 0, **alone),
        make_play(ERASED_USER, 1, **shared),
        make_play(OTHER_USER, 2, **shared),
        make_play(ERASED_USER, 3, track="an-id", name="By an id", artist="an-artist", artist_name="With an id"),
        make_play(ERASED_USER, 4, **listed),
        make_play(ERASED_USER, 5, **meant),
        make_play(OTHER_USER, 6, track="part", name="Part", artist="name:part", artist_name="Part"),
        make_play(ERASED_USER, 7, **dropped),
        *(SourcePlay(at, OTHER_USER, source=source, **dropped) for source in ("extended_export", "basic_export")),
        # By the artist of another user, and by the data subject's own.
        make_play(ERASED_USER, 8, track="name:by", name="Of mine", artist="name:band", artist_name="Band"),
    )
    load_events(warehouse_url, "r1", Delivery("aa", events))
    execute(
        warehouse_url,
        f"""
        delete from warehouse.fact_event where event_time = '{at.isoformat()}';
        insert into warehouse.dim_playlist (playlist_key, playlist_id, name, owner_id, source)
        values (1, 'somebody-elses', 'A', 'x', 'api'), (2, '{PLAYLIST}', 'B', '{ERASED_USER}', 'api');
        insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
        select 1, track_key, 1, now() from warehouse.dim_track where track_id = 'name:list';
        update warehouse.dim_track
        set recording_key = (select track_key from warehouse.dim_track where track_id = 'name:head')
        where track_id = 'part';
        insert into audit.playlist_request (user_id, playlist_id)
        values ('{OTHER_USER}', '{PLAYLIST}'), ('{OTHER_USER}', '1123456789012345678901')
        """,
    )
    erase_user(warehouse_url)
    tracks = select_rows(warehouse_url, "select track_id from warehouse.dim_track where track_key > 0 order by 1")
    assert [row["track_id"] for row in tracks] == ["an-id", "name:drop", "name:head", "name:list", "name:song", "part"]
    artists = select_rows(warehouse_url, "select artist_id from warehouse.dim_artist where artist_key > 0 order by 1")
    assert [row["artist_id"] for row in artists] == [
        "an-artist",
        "name:band",
        "name:drop",
        "name:head",
        "name:listed",
        "name:part",
    ]
    for name in ("track_alias", "bridge_track_artist"):
        assert len(select_rows(warehouse_url, f"select from warehouse.{name}")) == 6, name
    assert len(select_rows(warehouse_url, "select from audit.name_matched_artist")) == 5
    assert select_rows(warehouse_url, "select playlist_id from audit.playlist_request") == [
        {"playlist_id": "1123456789012345678901"}
    ]


def test_a_chart_that_only_the_person_filled_goes(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", Delivery("aa", (SourcePlay(NOON, ERASED_USER),)))
    execute(
        warehouse_url,
        """
        insert into mart.chart (period_start, kind, period, place_kind, place)
        values ('2026-11-02', 'artist', 'day', 'country', 'MC'), ('2026-11-02', 'artist', 'day', 'country', 'DE');
        insert into mart.chart_top (chart_key, item_keys, play_millionths)
        select chart_key, array[1], array[1000000] from mart.chart where place = 'DE';
        """,
    )
    erase_user(warehouse_url)
    assert select_rows(warehouse_url, "select place from mart.chart") == [{"place": "DE"}]
