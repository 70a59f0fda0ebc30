create view live.top_by_continent as
with place_track as (
    select
        p.period,
        date_trunc(p.period, c.hour_start, 'UTC') as period_start,
        c.continent,
        c.track_id,
        sum(c.plays) as plays,
        sum(c.late_plays) as late_plays,
        sum(c.ms_played + c.late_ms_played) as ms_played
    from (values ('hour'), ('day')) as p (period)
    cross join live.continent_hour as c
    group by p.period, date_trunc(p.period, c.hour_start, 'UTC'), c.continent, c.track_id
),

item as (
    select
        p.period,
        p.period_start,
        p.continent,
        k.kind,
        k.item_id,
        min(k.name) as name,
        min(k.artist_name) as artist_name,
        sum(p.plays)::bigint as plays,
        sum(p.late_plays)::bigint as late_plays,
        sum(p.ms_played)::bigint as ms_played
    from place_track as p
    inner join live.track as t on t.track_id = p.track_id
    cross join lateral (
        values
            ('recording', t.track_id, t.track_name, t.artist_name),
            ('artist', t.artist_id, t.artist_name, null),
            ('genre', t.genre, t.genre, null)
    ) as k (kind, item_id, name, artist_name)
    where k.item_id <> ''
    group by p.period, p.period_start, p.continent, k.kind, k.item_id
),

ranked as (
    select
        i.*,
        row_number() over (
            partition by i.period, i.period_start, i.continent, i.kind order by i.plays + i.late_plays desc, i.item_id
        )::integer as rank
    from item as i
)

select period, period_start, continent, kind, rank, item_id, name, artist_name, plays, late_plays, ms_played
from ranked
where rank <= 100;

comment on view live.top_by_continent is 'The hundred tracks, artists and genres played most on a continent in an hour or a day (UTC), so far. Filter by period and period_start.';
comment on column live.top_by_continent.period is 'hour or day.';
comment on column live.top_by_continent.period_start is 'Its start, UTC.';
comment on column live.top_by_continent.continent is 'The continent; "unknown" if the events name no country.';
comment on column live.top_by_continent.kind is 'recording, artist or genre; a recording is a track id, as ids of the same recording are not known here.';
comment on column live.top_by_continent.rank is '1 for the most played, late plays too; of equals the smallest id comes first.';
comment on column live.top_by_continent.item_id is 'The id of the track or artist, or the genre.';
comment on column live.top_by_continent.name is 'Its name.';
comment on column live.top_by_continent.artist_name is 'Of a track its artist.';
comment on column live.top_by_continent.plays is 'Number of plays in time.';
comment on column live.top_by_continent.late_plays is 'Number of plays that came after their hour was closed.';
comment on column live.top_by_continent.ms_played is 'How long all of them were heard, ms.';
