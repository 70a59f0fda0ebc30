-- The staged snapshots of each playlist, oldest first: those of the API that are newer than the loaded ones, or the
-- lists of files on the day of the run. A file lists a playlist by its tracks: a playlist that the API has named but
-- never read, and that no file lists now, keeps its tracks.
create temporary table reading on commit drop as
select
    p.playlist_key,
    s.playlist_id,
    s.snapshot_seen_at,
    coalesce(s.snapshot_seen_at, l.reference_date::timestamptz) as seen_at,
    row_number() over (partition by p.playlist_key order by s.snapshot_seen_at) as number,
    p.items_seen_at is null
    and not exists (select from warehouse.fact_playlist_track as t where t.playlist_key = p.playlist_key) as is_new
from (
    select playlist_id, seen_at as snapshot_seen_at from staging.playlist_snapshot
    union all
    select d.playlist_id, null
    from staging.dim_playlist as d
    where not exists (select from staging.playlist_snapshot as n where n.playlist_id = d.playlist_id)
        and exists (
            select from staging.fact_playlist_track as f where f.playlist_id = d.playlist_id and f.seen_at is null
        )
) as s
inner join warehouse.dim_playlist as p on p.playlist_id = s.playlist_id
cross join staging.load as l
where 'fact_playlist_track' = any(l.table_names)
    and (s.snapshot_seen_at > p.items_seen_at) is not false;

analyze reading;

-- For a playlist without history, the start of the first tracks is unknown.
create temporary table staged_membership on commit drop as
select
    r.number,
    r.playlist_key,
    t.track_key,
    s.occurrence,
    s.added_at,
    r.seen_at,
    case when r.is_new and r.number = 1 then timestamptz '-infinity' else r.seen_at end as since
from staging.fact_playlist_track as s
inner join reading as r
    on r.playlist_id = s.playlist_id
    and coalesce(r.snapshot_seen_at, '-infinity') = coalesce(s.seen_at, '-infinity')
inner join warehouse.dim_track as t on t.track_id = s.track_id;

analyze staged_membership;

create temporary table membership (like staged_membership) on commit drop;

create temporary table departure (
    playlist_key integer,
    track_key integer,
    occurrence integer,
    valid_from timestamptz,
    seen_at timestamptz
) on commit drop;

-- One snapshot of each playlist after the other, as if each had arrived in a run of its own.
do $$
begin
    for place in 1 .. (select coalesce(max(number), 0) from reading) loop
        truncate membership, departure;

        insert into membership select * from staged_membership where number = place;
        analyze membership;

        -- Tracks that a staged playlist no longer has.
        insert into departure
        select t.playlist_key, t.track_key, t.occurrence, t.valid_from, r.seen_at
        from warehouse.fact_playlist_track as t
        inner join reading as r on r.playlist_key = t.playlist_key and r.number = place
        where t.valid_to = 'infinity'
            and not exists (
                select from membership as m
                where (m.playlist_key, m.track_key, m.occurrence) = (t.playlist_key, t.track_key, t.occurrence)
            );

        -- A track that was added and removed at the same time has no row.
        delete from warehouse.fact_playlist_track as t
        using departure as d
        where (t.playlist_key, t.track_key, t.occurrence, t.valid_from)
            = (d.playlist_key, d.track_key, d.occurrence, d.valid_from)
            and t.valid_from >= d.seen_at;

        update warehouse.fact_playlist_track as t
        set valid_to = d.seen_at
        from departure as d
        where (t.playlist_key, t.track_key, t.occurrence, t.valid_from)
            = (d.playlist_key, d.track_key, d.occurrence, d.valid_from);

        -- A track that was removed and added again at the same time stays, unless a later stay is known: then an
        -- earlier day is loaded again.
        update warehouse.fact_playlist_track as t
        set valid_to = 'infinity'
        from membership as m
        where (t.playlist_key, t.track_key, t.occurrence) = (m.playlist_key, m.track_key, m.occurrence)
            and t.valid_to = m.since
            and not exists (
                select from warehouse.fact_playlist_track as later
                where (later.playlist_key, later.track_key, later.occurrence)
                    = (t.playlist_key, t.track_key, t.occurrence)
                    and later.valid_to > t.valid_to
            );

        update warehouse.fact_playlist_track as t
        set added_at = m.added_at
        from membership as m
        where (t.playlist_key, t.track_key, t.occurrence) = (m.playlist_key, m.track_key, m.occurrence)
            and t.valid_to = 'infinity'
            and t.added_at is distinct from m.added_at;

        -- If the source gives a time of adding, the stay begins then, but not during an earlier stay, and not after the
        -- response that shows it, because clocks differ.
        insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from, added_at)
        select
            m.playlist_key,
            m.track_key,
            m.occurrence,
            greatest(
                coalesce(case when m.added_at > m.seen_at then m.seen_at else m.added_at end, m.since),
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
    end loop;
end
$$;

update warehouse.dim_playlist as p
set items_seen_at = r.seen_at
from (
    select playlist_key, max(snapshot_seen_at) as seen_at
    from reading
    where snapshot_seen_at is not null
    group by playlist_key
) as r
where p.playlist_key = r.playlist_key;

analyze warehouse.fact_playlist_track;
