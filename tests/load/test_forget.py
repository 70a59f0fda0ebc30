"""What the warehouse holds of a person goes, with what only the person named, and nothing else."""

from sqlalchemy import text
from sqlalchemy.engine import make_url

from etl.load.forget import forget, names_of
from etl.person import Person
from etl.warehouse import connect, engine, exclusive, rows
from launch import postgres
from tests.load.event_frames import NOON, Delivery, Told, load_events, user
from tests.load.star_frames import table

WHO, NAME, OTHER = "listener-7f3a91", "Ondine Quartermain", "listener-0b22c4"
PLAYLIST = "0123456789012345678901"
SAMPLES = """
    select format('%s.%s.%s', schemaname, tablename, attname) as name
    from pg_stats
    where schemaname in ('staging', 'warehouse', 'mart', 'audit', 'simulation')
        and strpos(concat(most_common_vals::text, histogram_bounds::text), :word) > 0
    order by 1
"""


def execute(url: str, statement: str) -> None:
    with connect(url) as connection:
        connection.execute(text(statement))


def forgotten(url: str, **more: set[str]) -> None:
    with exclusive(url) as connection:
        person = Person(frozenset({WHO})).united(**more)
        forget(connection, person.united(names=names_of(connection, person)))


def sampled(server: postgres.Server, url: str, *words: str) -> list[str]:
    """Columns of which the planner's samples hold one of some words."""
    with engine(server.url("postgres", str(make_url(url).database))).connect() as connection:
        return [str(row["name"]) for word in words for row in rows(connection, SAMPLES, word=word)]


def test_no_sample_of_the_planner_names_the_person(embedded_server: postgres.Server, warehouse_url: str) -> None:
    people = (user(WHO, NOON, username=NAME), user(f"{WHO}-2", NOON, username=f"{NAME} too"))
    load_events(warehouse_url, "r1", Delivery("aa", (Told(NOON, WHO), Told(NOON, OTHER))), Delivery("bb", users=people))
    execute(
        warehouse_url,
        f"""
        insert into audit.run (run_id, job, started_at, finished_at, result, message)
        select 'f' || g, 'load_events', now(), now(), 'failed', '{WHO} was too much, ' || g
        from generate_series(1, 5) as g;
        insert into audit.fetch (run_id, part, account, asked_at, state, message)
        select 'f' || g, 'p', '{WHO}' || g, now(), 'failed', 'A playlist of {WHO} is refused'
        from generate_series(1, 5) as g;
        insert into warehouse.exclusion (kind, id) values ('user', '{WHO}'), ('user', '{WHO}-2');
        insert into mart.applied_exclusion select kind, id from warehouse.exclusion;
        insert into audit.playlist_wish (user_id, playlist_id)
        values ('{WHO}', '{PLAYLIST}'), ('{WHO}-2', '{PLAYLIST}');
        insert into audit.login (login_name, kind, user_id) values ('one', 'listener', '{WHO}');
        insert into staging.event_artist (artist_id, name) values ('a', '{WHO}'), ('b', '{WHO}');
        insert into staging.event_user (user_id) values ('{WHO}'), ('{WHO}-2');
        analyze
        """,
    )
    assert {"staging.event_user.user_id", "mart.applied_exclusion.id", "audit.run.message"} <= set(
        sampled(embedded_server, warehouse_url, WHO)
    )
    execute(warehouse_url, "delete from mart.applied_exclusion")  # as the build of the marts does
    forgotten(warehouse_url, user_ids={f"{WHO}-2"}, accounts={f"{WHO}{number}" for number in range(1, 6)})
    assert sampled(embedded_server, warehouse_url, WHO, NAME, PLAYLIST) == []
    for name in ("warehouse.user_record", "warehouse.exclusion", "audit.playlist_wish", "audit.login", "audit.fetch"):
        assert table(warehouse_url, f"select * from {name}") == [], name
