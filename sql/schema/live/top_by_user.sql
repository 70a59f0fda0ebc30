create view live.top_by_user as
with user_track as (
    select
        p.period,
        date_trunc(p.period, u.hour_start, 'UTC') as period_start,
        u.user_id,
        u.track_id,
        sum(u.plays) as plays,
        sum(u.late_plays) as late_plays,
        sum(u.ms_played + u.late_ms_played) as ms_played
    from (values ('hour'), ('day')) as p (period)
    cross join live.user_hour as u
    where u.plays + u.late_plays > 0
    group by p.period, date_trunc(p.period, u.hour_start, 'UTC'), u.user_id, u.track_id
),

item as (
    select
        p.period,
        p.period_start,
        p.user_id,
        k.kind,
        k.item_id,
        min(k.name) as name,
        min(k.artist_name) as artist_name,
        sum(p.plays)::bigint as plays,
        sum(p.late_plays)::bigint as late_plays,
        sum(p.ms_played)::bigint as ms_played
    from user_track as p
    inner join live.track as t on t.track_id = p.track_id
    cross join lateral (
        values
            ('recording', t.track_id, t.track_name, t.artist_name),
            ('artist', t.artist_id, t.artist_name, null),
            ('genre', t.genre, t.genre, null)
    ) as k (kind, item_id, name, artist_name)
    where k.item_id <> ''
    group by p.period, p.period_start, p.user_id, k.kind, k.item_id
)

select
    i.user_id,
    i.period,
    i.period_start,
    i.kind,
    row_number() over (
        partition by i.user_id, i.period, i.period_start, i.kind order by i.plays + i.late_plays desc, i.item_id
    )::integer as rank,
    i.item_id,
    i.name,
    i.artist_name,
    i.plays,
    i.late_plays,
    i.ms_played
from item as i;

comment on view live.top_by_user is 'The tracks, artists and genres that a user played in an hour or a day (UTC), so far. Filter by user_id.';
comment on column live.top_by_user.user_id is 'The user.';
comment on column live.top_by_user.period is 'hour or day.';
comment on column live.top_by_user.period_start is 'Its start, UTC.';
comment on column live.top_by_user.kind is 'recording, artist or genre; a recording is a track id, as ids of the same recording are not known here.';
comment on column live.top_by_user.rank is '1 for the most played, late plays too; of equals the smallest id comes first.';
comment on column live.top_by_user.item_id is 'The id of the track or artist, or the genre.';
comment on column live.top_by_user.name is 'Its name.';
comment on column live.top_by_user.artist_name is 'Of a track its artist.';
comment on column live.top_by_user.plays is 'Number of plays in time.';
comment on column live.top_by_user.late_plays is 'Number of plays that came after their hour was closed.';
comment on column live.top_by_user.ms_played is 'How long all of them were heard, ms.';
