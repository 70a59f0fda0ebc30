create temporary table membership on commit drop as
select
    p.playlist_key,
    t.track_key,
    s.occurrence,
    s.added_at,
    case
        when p.playlist_key in (select playlist_key from fresh_playlist) then timestamptz '-infinity'
        else (select reference_date::timestamptz from staging.load)
    end as seen_at
from staging.fact_playlist_track as s
inner join warehouse.dim_playlist as p on p.playlist_id = s.playlist_id
inner join warehouse.dim_track as t on t.track_id = s.track_id;

analyze membership;

-- Of a staged playlist's tracks, those that it holds no longer.
create temporary table departure on commit drop as
select
    t.playlist_key,
    t.track_key,
    t.occurrence,
    t.valid_from,
    (select reference_date::timestamptz from staging.load) as seen_at
from warehouse.fact_playlist_track as t
inner join warehouse.dim_playlist as p on p.playlist_key = t.playlist_key
inner join staging.dim_playlist as s on s.playlist_id = p.playlist_id
where t.valid_to = 'infinity'
    and exists (select from staging.load where 'fact_playlist_track' = any(table_names))
    and not exists (
        select from membership as m
        where m.playlist_key = t.playlist_key and m.track_key = t.track_key and m.occurrence = t.occurrence
    );

-- Come and gone on one day is as if never there.
delete from warehouse.fact_playlist_track as t
using departure as d
where (t.playlist_key, t.track_key, t.occurrence, t.valid_from) = (d.playlist_key, d.track_key, d.occurrence, d.valid_from)
    and t.valid_from >= d.seen_at;

update warehouse.fact_playlist_track as t
set valid_to = d.seen_at
from departure as d
where (t.playlist_key, t.track_key, t.occurrence, t.valid_from) = (d.playlist_key, d.track_key, d.occurrence, d.valid_from);

-- Gone and back on one day is as if never gone, unless a later stay is known: then an earlier day is loaded again.
update warehouse.fact_playlist_track as t
set valid_to = 'infinity'
from membership as m
where (t.playlist_key, t.track_key, t.occurrence) = (m.playlist_key, m.track_key, m.occurrence)
    and t.valid_to = m.seen_at
    and not exists (
        select from warehouse.fact_playlist_track as later
        where (later.playlist_key, later.track_key, later.occurrence) = (t.playlist_key, t.track_key, t.occurrence)
            and later.valid_to > t.valid_to
    );

update warehouse.fact_playlist_track as t
set added_at = m.added_at
from membership as m
where (t.playlist_key, t.track_key, t.occurrence) = (m.playlist_key, m.track_key, m.occurrence)
    and t.valid_to = 'infinity'
    and t.added_at is distinct from m.added_at;

-- Where the source says when a track was added it is there since then, but not while an earlier stay lasted.
insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from, added_at)
select
    m.playlist_key,
    m.track_key,
    m.occurrence,
    greatest(
        coalesce(m.added_at, m.seen_at),
        (
            select max(t.valid_to)
            from warehouse.fact_playlist_track as t
            where (t.playlist_key, t.track_key, t.occurrence) = (m.playlist_key, m.track_key, m.occurrence)
        )
    ),
    m.added_at
from membership as m
where not exists (
    select from warehouse.fact_playlist_track as t
    where (t.playlist_key, t.track_key, t.occurrence) = (m.playlist_key, m.track_key, m.occurrence)
        and t.valid_to = 'infinity'
)
order by m.playlist_key, m.track_key, m.occurrence;

analyze warehouse.fact_playlist_track;
