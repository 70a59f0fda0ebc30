"""Listeners see only their own rows; artists see groups of five and more."""

import io
import json
import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date

import psycopg2
import pytest

from dashboard import own_history
from dashboard.warehouse_reader import sign_in
from etl import database
from etl.database import fetches, libpq_url
from launch import postgres
from tests.sql.role_warehouse import RoleWarehouse, create_role_warehouse, query

OWN = {
    "my_discovery": "select * from mart.discovery where user_id = '{user}'",
    "my_event": "select * from mart.event_wide where user_id = '{user}'",
    "my_forecast": "select segment, metric, grain, as_of_date, target_date, horizon, model, run_id, made_at, naive,"
    " q025, q10, q50, q90, q975, true from mart.forecast where level = 'listener' and segment = '{user}'",
    "my_forecast_series": "select segment, metric, grain, target_date, value from mart.forecast_series"
    " where level = 'listener' and segment = '{user}'",
    "my_listening_session": "select * from mart.listening_session where user_id = '{user}'",
    "my_live_top": "select * from live.top_by_user where user_id = '{user}'",
    "my_play_exclusion": "select exclusion_id, user_id, is_private_session, playlist_id, device_type, platform,"
    " artist_id, track_id, first_date, last_date, is_own, note, stated_at, revoked_at from warehouse.play_exclusion"
    " where user_id = '{user}'",
    "my_played_item": "select * from mart.played_item where user_id = '{user}'",
    "my_playlist": "select playlist_id, name, genre, source from warehouse.dim_playlist where owner_id = '{user}'",
    "my_playlist_profile": "select * from mart.playlist_profile where owner_id = '{user}'",
    "my_playlist_profile_attribute": "select * from mart.playlist_profile_attribute where owner_id = '{user}'",
    "my_playlist_profile_cluster": "select * from mart.playlist_profile_cluster where owner_id = '{user}'",
    "my_playlist_track": "select p.playlist_id, p.name, f.occurrence, f.added_at, t.track_id, t.name, a.name,"
    " t.track_id from warehouse.dim_playlist as p join warehouse.fact_playlist_track as f using (playlist_key)"
    " join warehouse.dim_track as t using (track_key) join warehouse.bridge_track_artist as b using (track_key)"
    " join warehouse.dim_artist as a using (artist_key) where p.owner_id = '{user}' and b.position = 1",
    "my_playlist_request": (
        "select user_id, playlist_id, requested_at from audit.playlist_request where user_id = '{user}'"
    ),
    "my_taste_profile": "select * from mart.taste_profile where user_id = '{user}'",
    "my_taste_profile_attribute": "select * from mart.taste_profile_attribute where user_id = '{user}'",
    "my_taste_profile_cluster": "select * from mart.taste_profile_cluster where user_id = '{user}'",
    "my_user_personality": "select * from mart.user_personality where user_id = '{user}'",
    "my_wrapped": "select * from mart.wrapped where user_id = '{user}'",
    "my_wrapped_artist": "select * from mart.wrapped_artist where user_id = '{user}'",
    "my_wrapped_genre": "select * from mart.wrapped_genre where user_id = '{user}'",
    "my_wrapped_track": "select * from mart.wrapped_track where user_id = '{user}'",
}
"""The query by which the loader selects the same rows as each view of a listener."""


@pytest.fixture(scope="module")
def warehouse(embedded_server: postgres.Server, migrated_template: str) -> Iterator[RoleWarehouse]:
    with create_role_warehouse(embedded_server, migrated_template) as role_warehouse:
        yield role_warehouse


def _read_extended_history(content: bytes) -> list[dict[str, object]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        records: list[dict[str, object]] = json.loads(archive.read(name))
    return records


def test_a_listener_downloads_the_own_plays_alone(warehouse: RoleWarehouse) -> None:
    warehouse.as_loader("insert into mart.definition values (1500, 30, array[]::text[]) on conflict do nothing")
    warehouse.as_loader("update mart.definition set play_min_ms = 1500")
    encode, _, _ = own_history.ENCODERS["Spotify's extended history (zip)"]
    encode_listens, _, _ = own_history.ENCODERS["ListenBrainz (JSON lines)"]
    for kind, user in (("listener", 1), ("other", 2)):
        login = sign_in(warehouse.url, warehouse.names[kind], warehouse.passwords[kind])
        for year in (0, 2026):
            (record,) = _read_extended_history(own_history.make_file(login, year, encode))
            assert record["master_metadata_track_name"] == f"Secret song {user}"
            assert (record["ts"], record["ms_played"]) == (f"2026-11-02T12:00:0{user}Z", 1000 * user)
        assert _read_extended_history(own_history.make_file(login, 2025, encode)) == []
        listens = own_history.make_file(login, 0, encode_listens).decode().splitlines()
        assert len(listens) == (1 if user == 2 else 0), "a play of one second is no listen"


def test_a_listener_sees_the_own_rows_by_every_view(warehouse: RoleWarehouse) -> None:
    for kind, user in (("listener", 1), ("other", 2)):
        connection = warehouse.enter(kind)
        assert query(connection, "select user_id, track_name, ms_played from mart.my_event") == [
            (f"u{user}", f"Secret song {user}", 1000 * user)
        ]
        assert query(connection, "select kind, user_id, username from mart.my_login") == [
            ("listener", f"u{user}", f"Name {user}")
        ]
        assert query(connection, "select playlist_id from mart.my_playlist") == [(f"p{user}",)]
        assert query(connection, "select playlist_id, track_id, artist_name from mart.my_playlist_track") == [
            (f"p{user}", f"t{user}", "Artist 1")
        ]
        assert query(connection, "select user_id, entries from mart.my_taste_profile where scope = 'plays'") == [
            (f"u{user}", user)
        ]
        assert query(connection, "select owner_id, tracks from mart.my_playlist_profile") == [(f"u{user}", user)]
        assert query(connection, "select user_id, rank from mart.my_discovery") == [(f"u{user}", 1)]
        assert query(connection, "select user_id, plays, minutes_played from mart.my_wrapped") == [
            (f"u{user}", user, user)
        ]
        connection.close()


def test_a_view_shows_what_there_is_of_its_listener_and_of_nobody_else(warehouse: RoleWarehouse) -> None:
    loader = psycopg2.connect(libpq_url(warehouse.url))
    for kind, user in (("listener", "u1"), ("other", "u2")):
        connection = warehouse.enter(kind)
        for name, statement in OWN.items():
            expected = query(loader, statement.format(user=user))
            assert expected, f"there is nothing for {name} to show"
            shown = query(connection, f"select * from mart.{name}")
            assert sorted(map(repr, shown)) == sorted(map(repr, expected)), name
        connection.close()
    loader.close()


def test_each_view_of_a_listener_is_looked_at(warehouse: RoleWarehouse) -> None:
    connection = warehouse.enter("listener")
    readable = query(
        connection,
        "select relname from pg_class where relkind = 'v' and starts_with(relname, 'my_')"
        " and has_table_privilege(oid, 'select')",
    )
    connection.close()
    assert {name for (name,) in readable} == OWN.keys() | {"my_login"}


def test_a_function_that_tells_what_it_sees_sees_the_own_rows_alone(warehouse: RoleWarehouse) -> None:
    """Check a condition with the lowest cost: it is still evaluated after the view's own."""
    warehouse.as_admin(
        "create function public.tell(text) returns boolean language plpgsql cost 0.0000001"
        " as $$begin raise notice '%', $1; return true; end$$",
    )
    connection = warehouse.enter("listener")
    query(connection, "select from mart.my_event where public.tell(track_name) and public.tell(user_id)")
    query(connection, "select from mart.my_playlist where public.tell(name)")
    query(connection, "select from mart.my_wrapped where public.tell(user_id)")
    notices = "".join(connection.notices)
    assert "Secret song 1" in notices and "List 1" in notices
    assert not [n for n in range(2, 9) if f"Secret song {n}" in notices or f"u{n}" in notices or f"List {n}" in notices]
    with pytest.raises(psycopg2.errors.InvalidTextRepresentation, match="Secret song 1"):
        query(connection, "select from mart.my_event where track_name::integer = 1")
    connection.close()
    warehouse.as_admin("drop function public.tell(text)")


@pytest.mark.parametrize("kind", ["listener", "artist", "analyst"])
def test_a_plan_shows_what_comes_out_of_a_view_and_nothing_else(warehouse: RoleWarehouse, kind: str) -> None:
    connection = warehouse.enter(kind)
    views = query(
        connection,
        "select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid and attnum = 1"
        " where relkind = 'v' and starts_with(relname, 'my_') and has_table_privilege(pg_class.oid, 'select')",
    )
    assert views
    removed = []
    for name, column in views:
        for question in (f"select * from mart.{name}", f"select from mart.{name} where {column}::text = 'u2'"):
            plan = query(connection, f"explain (analyze, timing off, costs off, summary off, buffers off) {question}")
            steps = [line for (line,) in plan if "(actual" in str(line)]
            assert len(steps) == 1 and str(steps[0]).startswith(f"Function Scan on read_{name}"), plan
        removed += [name for (line,) in plan if "Rows Removed by Filter: 1" in str(line)]
    assert ("my_wrapped" in removed) == (kind == "listener")
    connection.close()


def test_a_wish_is_kept_for_who_asks_and_taken_back(warehouse: RoleWarehouse) -> None:
    playlist_id = 22 * "w"
    connection = warehouse.enter("other")
    before = query(connection, "select playlist_id from mart.my_playlist_request")
    for _ in range(2):
        query(connection, f"select mart.request_playlist('{playlist_id}')")
    assert set(query(connection, "select user_id, playlist_id from mart.my_playlist_request")) == {
        ("u2", playlist_id),
        *(("u2", id_) for (id_,) in before),
    }
    with pytest.raises(psycopg2.errors.CheckViolation):
        query(connection, "select mart.request_playlist('no id')")
    first = warehouse.enter("listener")
    query(first, f"select mart.withdraw_playlist_request('{playlist_id}')")
    assert len(query(connection, "select playlist_id from mart.my_playlist_request")) == len(before) + 1
    query(connection, f"select mart.withdraw_playlist_request('{playlist_id}')")
    assert query(connection, "select playlist_id from mart.my_playlist_request") == before
    first.close()
    connection.close()


def test_a_listener_asks_for_so_many_playlists_and_no_more(warehouse: RoleWarehouse) -> None:
    connection = warehouse.enter("other")
    (most,) = query(connection, "select mart.max_playlist_requests()")[0]
    insert = "insert into audit.playlist_request (user_id, playlist_id, requested_at)"
    old = f"{insert} select 'u2', to_char(n, 'FM' || repeat('0', 22)), 'epoch' from generate_series(1, {most} - 1) as n"
    warehouse.as_loader(f"delete from audit.playlist_request where user_id = 'u2'; {old}")
    query(connection, f"select mart.request_playlist('{22 * 'm'}')")
    with pytest.raises(psycopg2.errors.ConfigurationLimitExceeded, match="asked for 100 playlists already"):
        query(connection, f"select mart.request_playlist('{22 * 'n'}')")
    query(connection, f"select mart.request_playlist('{22 * 'm'}')")
    query(connection, f"select mart.withdraw_playlist_request('{1:022}')")
    query(connection, f"select mart.request_playlist('{22 * 'n'}')")
    # If a warehouse has more requests from earlier versions, a refresh reads the oldest ones.
    warehouse.as_loader(f"{insert} values ('u2', '{1:022}', 'epoch')")
    with database.connect(warehouse.url) as loader:
        read = fetches.list_requested_playlists(loader, "u2")
    assert len(read) == most and 22 * "n" not in read
    warehouse.as_loader("delete from audit.playlist_request where user_id = 'u2'")
    warehouse.as_loader(
        "insert into audit.playlist_request (user_id, playlist_id) values ('u2', rpad('wish2', 22, 'x'))"
    )
    connection.close()


def test_a_playlist_that_was_asked_for_shows_once_the_own_account_has_read_it(warehouse: RoleWarehouse) -> None:
    playlist_id = 22 * "p"
    warehouse.as_loader(f"update warehouse.dim_playlist set playlist_id = '{playlist_id}' where playlist_id = 'p3'")
    connection = warehouse.enter("listener")
    query(connection, f"select mart.request_playlist('{playlist_id}')")
    views = ("my_playlist_profile", "my_playlist_profile_attribute", "my_playlist_profile_cluster")

    def fetch_shown() -> list[set[object]]:
        return [{id_ for (id_,) in query(connection, f"select playlist_id from mart.{name}")} for name in views]

    assert fetch_shown() == 3 * [{"p1"}]
    warehouse.as_loader(f"insert into audit.playlist_request values ('u2', '{playlist_id}', now(), now())")
    assert fetch_shown() == 3 * [{"p1"}], "another account has read it"
    warehouse.as_loader(
        f"update audit.playlist_request set read_at = now() where user_id = 'u1' and playlist_id = '{playlist_id}'"
    )
    assert fetch_shown() == 3 * [{"p1", playlist_id}]
    warehouse.as_loader(f"delete from audit.playlist_request where user_id = 'u2' and playlist_id = '{playlist_id}'")
    query(connection, f"select mart.withdraw_playlist_request('{playlist_id}')")
    warehouse.as_loader(f"update warehouse.dim_playlist set playlist_id = 'p3' where playlist_id = '{playlist_id}'")
    connection.close()


@pytest.mark.parametrize(
    ("known_account", "is_own"),
    [
        ("select", True),
        ("insert into audit.account_owner values ('u1', 'u1')", True),
        ("insert into audit.account_owner values ('stranger', 'u1')", False),
        ("insert into audit.account_owner values ('u1', 'spotify-u1')", False),
        ("insert into audit.login values ('stranger', 'listener', 'u3', 'u1', null)", False),
        ("update warehouse.dim_user set source = 'feed' where user_id = 'u1'", False),
        ("update warehouse.dim_user set source = 'extended_export' where user_id = 'u1'", False),
        ("update warehouse.dim_user set source = 'recently_played' where user_id = 'u1'", True),
        (
            "update audit.login set owner_id = 'u1' where user_id = 'u1';"
            " insert into audit.account_owner values ('u3', 'u1')",
            False,
        ),
    ],
)
def test_playlists_are_own_where_the_account_says_so_and_not_where_ids_are_alike(
    warehouse: RoleWarehouse, known_account: str, is_own: bool
) -> None:
    warehouse.as_loader(known_account)
    connection = warehouse.enter("listener")
    try:
        for name in ("my_playlist", "my_playlist_track", "my_playlist_profile", "my_playlist_profile_attribute"):
            assert bool(query(connection, f"select playlist_id from mart.{name}")) == is_own, name
    finally:
        connection.close()
        warehouse.as_loader("delete from audit.account_owner; delete from audit.login where login_name = 'stranger'")
        warehouse.as_loader("update warehouse.dim_user set source = 's' where user_id = 'u1'")
        warehouse.as_loader("update audit.login set owner_id = null")


def test_setting_the_group_role_or_a_setting_shows_nobody_else(warehouse: RoleWarehouse) -> None:
    connection = warehouse.enter("listener")
    for statement in ("set role listener", "set search_path = audit", "set row_security = off"):
        query(connection, statement)
        assert query(connection, "select distinct user_id from mart.my_event") == [("u1",)]
    connection.close()


def test_a_login_that_was_taken_out_sees_nothing(warehouse: RoleWarehouse) -> None:
    connection = warehouse.enter("other")
    warehouse.as_loader(f"delete from audit.login where login_name = '{warehouse.names['other']}'")
    for name in OWN:
        assert query(connection, f"select * from mart.{name}") == []
    with pytest.raises(psycopg2.errors.NotNullViolation):
        query(connection, f"select mart.request_playlist('{22 * 'a'}')")
    connection.close()


def test_an_artist_sees_forecasts_from_the_published_numbers_alone(warehouse: RoleWarehouse) -> None:
    connection = warehouse.enter("artist")
    assert query(connection, "select model, q50, last_published_week, is_current from mart.my_artist_forecast") == [
        ("published", 1.0, date(2026, 10, 5), True)
    ]
    assert "naive" not in [
        name
        for (name,) in query(
            connection, "select attname from pg_attribute where attrelid = 'mart.my_artist_forecast'::regclass"
        )
    ]
    connection.close()


def set_audience(warehouse: RoleWarehouse, plays: list[tuple[int, int, int, int]]) -> None:
    """Replace the plays of artist a1 and publish them at once: listener, week, country, recording (0 if unknown)."""
    values = ", ".join(str(play) for play in plays) or "(null::integer, null::integer, null::integer, null::integer)"
    warehouse.as_loader(_AUDIENCE.format(plays=values))


_AUDIENCE = """
truncate mart.artist_week, mart.artist_country, mart.counted_play, mart.counted_track;
delete from audit.published_artist;
insert into warehouse.dim_user (user_key, user_id, source, valid_from)
select n, 'u' || n, 's', '-infinity' from generate_series(9, 40) as n on conflict do nothing;
insert into mart.listening_context (country, continent, device_type, subscription_plan)
select 'C' || n, 'Europe', 'MOBILE', 'free' from generate_series(0, 20) as n on conflict do nothing;
insert into mart.counted_track (track_key, recording_key) select n, n from generate_series(1, 8) as n;
insert into mart.counted_track (track_key, recording_key) values (-1, -1);
create temporary table played on commit drop as
select listener, date '2026-01-05' + 7 * week as day, 'C' || country as country, coalesce(nullif(track, 0), -1) as track
from (values {plays}) as p (listener, week, country, track)
where listener is not null;
insert into mart.counted_play (
    event_time, listener_key, local_date, listening_context_key, track_key, artist_key, ms_played, local_hour,
    is_excluded, is_from_playlist
)
select p.day, p.listener, p.day, c.listening_context_key, p.track, 1, 1, 0, false, false
from played as p
inner join mart.listening_context as c on c.country = p.country;
insert into mart.artist_week (artist_key, week_start, plays, listeners, new_listeners, ms_played)
select 1, day, count(*), count(distinct p.listener), count(distinct p.listener) filter (where f.first_day = day), 1
from played as p
inner join (select listener, min(day) as first_day from played group by listener) as f on f.listener = p.listener
group by day;
insert into mart.artist_country (artist_key, country, plays, listeners, ms_played)
select 1, country, count(*), count(distinct listener), 1 from played group by country;
select audit.publish_artists();
"""


def make_plays(chance: random.Random) -> list[tuple[int, int, int, int]]:
    """Draw plays of few or many listeners, most of them in the first weeks, countries and recordings."""
    listeners, plays = chance.randint(1, 25), chance.randint(1, 120)
    return [
        (
            chance.randint(1, listeners),
            int(chance.expovariate(0.6)),
            int(chance.expovariate(0.9)),
            min(7, int(chance.expovariate(0.5))),
        )
        for _ in range(plays)
    ]


def is_publishable(plays: list[tuple[int, int, int, int]]) -> bool:
    """Return whether docs/access.md permits a published group."""
    sizes = sorted(Counter(play[0] for play in plays).values(), reverse=True)
    return len(sizes) >= 5 and sum(sizes[2:]) >= 0.2 * sizes[0]


@pytest.mark.parametrize("seed", range(12))
def test_an_artist_sees_no_group_that_is_small_or_dominated_not_by_subtracting_either(
    warehouse: RoleWarehouse, seed: int
) -> None:
    plays = make_plays(random.Random(seed))
    set_audience(warehouse, plays)
    connection = warehouse.enter("artist")
    weeks = query(
        connection, "select (week_start - date '2026-01-05') / 7, plays, listeners from mart.my_artist_audience"
    )
    countries = query(connection, "select substr(country, 2)::integer, plays, listeners from mart.my_artist_country")
    tracks = query(connection, "select substr(recording_id, 2)::integer, plays, null from mart.my_artist_track")
    connection.close()
    for column, shown in ((1, weeks), (2, countries), (3, tracks)):
        named = {int(str(key)) for key, _, _ in shown if key is not None}
        for key, shown_plays, shown_listeners in shown:
            group = [play for play in plays if (play[column] not in named if key is None else play[column] == key)]
            assert is_publishable(group) and shown_plays == len(group) // 5 * 5
            assert shown_listeners in (None, len({play[0] for play in group}) // 5 * 5)
        nameless = [play for play in plays if play[column] not in named]
        assert not nameless or not named or is_publishable(nameless), "taken from the whole, it leaves a small group"
        groups = {key: [play for play in plays if play[column] == key] for key in {play[column] for play in plays}}
        large = {key for key, group in groups.items() if is_publishable(group)} - ({0} if column == 3 else set())
        assert named <= large
        if len(large) == len(groups) and is_publishable(plays):
            assert named == large, "nothing is hidden without need"
    assert bool(weeks) == is_publishable(plays)


@pytest.mark.parametrize(
    ("sizes", "is_shown"),
    [
        ([1, 1, 1, 1], False),
        ([5, 5, 5, 5, 5], True),
        ([500, 5, 5, 5, 5], False),
        ([250, 250, 5, 5, 5], False),
        ([75, 5, 5, 5, 5], True),
        ([80, 5, 5, 5, 5], False),
    ],
)
def test_a_group_of_which_one_or_two_have_nearly_all_plays_is_not_shown(
    warehouse: RoleWarehouse, sizes: list[int], is_shown: bool
) -> None:
    set_audience(warehouse, [(listener, 0, 0, 1) for listener, size in enumerate(sizes, 1) for _ in range(size)])
    connection = warehouse.enter("artist")
    for name in ("my_artist_audience", "my_artist_country", "my_artist_track"):
        assert bool(query(connection, f"select * from mart.{name}")) == is_shown, name
    connection.close()


def test_reading_costs_the_same_whatever_is_hidden(warehouse: RoleWarehouse) -> None:
    costs = {name: set() for name in ("my_artist_audience", "my_artist_country", "my_artist_track")}
    for listeners in range(6):
        set_audience(warehouse, [(n, n % 2, n % 3, 1 + n % 2) for n in range(1, listeners + 1)])
        connection = warehouse.enter("artist")
        for name in costs:
            query(connection, f"select * from mart.{name}")
            plan = query(connection, f"explain (analyze, buffers, format json) select * from mart.{name}")
            root = plan[0][0][0]["Plan"]  # type: ignore[index]
            costs[name].add((root["Shared Hit Blocks"] + root["Shared Read Blocks"], root["Plan Rows"]))
        connection.close()
    assert {name: len(durations) for name, durations in costs.items()} == dict.fromkeys(costs, 1), costs


def test_new_and_returning_listeners_are_shown_where_both_are_groups(warehouse: RoleWarehouse) -> None:
    # Six in week 0; week 1 has the same six and one more; week 2 has six others.
    plays = [(n, 0, 0, 1) for n in range(1, 7)] + [(n, 1, 0, 1) for n in range(1, 8)]
    plays += [(n, 2, 0, 1) for n in range(11, 17)]
    set_audience(warehouse, plays)
    connection = warehouse.enter("artist")
    shown = (
        "select plays, listeners, new_listeners, returning_listeners from mart.my_artist_audience order by week_start"
    )
    assert query(connection, shown) == [(5, 5, 5, 0), (5, 5, None, None), (5, 5, 5, 0)]
    connection.close()


def test_an_artist_sees_the_own_audience_and_no_listener(warehouse: RoleWarehouse) -> None:
    set_audience(warehouse, [(n, 0, 0, 1) for n in range(1, 9)])
    warehouse.as_loader("update audit.login set artist_id = 'a2' where kind = 'artist'")
    connection = warehouse.enter("artist")
    for name in ("my_artist_audience", "my_artist_country", "my_artist_track"):
        assert query(connection, f"select * from mart.{name}") == []
    warehouse.as_loader("update audit.login set artist_id = 'a1' where kind = 'artist'")
    assert query(connection, "select recording_id, track_name, plays from mart.my_artist_track") == [
        ("t1", "Secret song 1", 5)
    ]
    assert query(connection, "select kind, artist_id, artist_name from mart.my_login") == [("artist", "a1", "Artist 1")]
    connection.close()
