"""Active users by segment are those of the plays, after a full refresh and after builds of changes."""

from sqlalchemy import text

from etl.database import connect
from tests.load.star_frames import select_rows
from tests.marts.listening import fill_dimensions, insert_events, make_events, rebuild

_BY_HAND = """
    select grain, level, segment, start_date, count(distinct listener_key)::integer as users
    from (
        select
            p.listener_key, g.grain, g.start_date, coalesce(p.continent, 'unknown') as continent,
            coalesce(p.subscription_plan, 'unknown') as plan
        from mart.play as p
        cross join lateral (
            values ('day', p.local_date), ('week', date_trunc('week', p.local_date::timestamp)::date)
        ) as g (grain, start_date)
    ) as d
    cross join lateral (
        values ('continent', d.continent), ('plan', d.plan), ('continent_plan', d.continent || '/' || d.plan)
    ) as s (level, segment)
    group by 1, 2, 3, 4
"""
_SHOWN = "select grain, level, segment, start_date, users from mart.segment_user_count"


def count_differing(url: str) -> int:
    """Return how many rows differ from those counted from the plays."""
    statement = (
        f"select count(*) as rows from (({_SHOWN} except {_BY_HAND}) union all ({_BY_HAND} except {_SHOWN})) as d"
    )
    return int(select_rows(url, statement)[0]["rows"])


def test_users_of_segments_are_those_of_the_plays_after_each_build(warehouse_url: str) -> None:
    with connect(warehouse_url) as connection:
        fill_dimensions(connection)
        insert_events(connection, make_events(1, size=600))
    assert rebuild(warehouse_url) and count_differing(warehouse_url) == 0
    assert len(select_rows(warehouse_url, f"{_SHOWN} where users > 1 and grain = 'week'")) > 10
    for change in (
        "delete from warehouse.fact_event where user_key = 1 and local_time between '2026-01-07' and '2026-01-09'",
        "update warehouse.fact_event set country = 'JP', continent = 'Asia' where user_key = 2 and local_hour < 9",
        "delete from warehouse.fact_event where user_key = 3",
    ):
        with connect(warehouse_url) as connection:
            connection.execute(text(change))
        assert not rebuild(warehouse_url)
        assert count_differing(warehouse_url) == 0
    with connect(warehouse_url) as connection:
        insert_events(connection, make_events(2, users=3, size=40))
    assert count_differing(warehouse_url) > 0
    assert not rebuild(warehouse_url) and count_differing(warehouse_url) == 0
