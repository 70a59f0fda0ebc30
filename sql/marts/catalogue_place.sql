-- The fractions of the catalogue below and up to each popularity and month of release, and the places of artists.
create temporary table catalogue_now on commit drop as
with
counted as (
    select 'popularity' as kind, popularity::integer as value, count(*) as size
    from warehouse.dim_artist
    where artist_key > 0 and popularity is not null
    group by popularity
    union all
    select
        'release_month',
        (extract(year from release_date) * 12 + extract(month from release_date) - 1)::integer,
        count(*)
    from warehouse.dim_track
    where track_key > 0 and recording_key = track_key and release_date is not null
    group by 2
),

-- All possible values, so that a value that is new to the catalogue has a rank.
possible as (
    select 'popularity' as kind, value from generate_series(0, 100) as v (value)
    union all
    select 'release_month', value from generate_series(1800 * 12, 2200 * 12) as v (value)
)

select
    p.kind,
    p.value,
    (sum(c.size) over upwards - coalesce(c.size, 0))::double precision / sum(c.size) over whole as share_below,
    sum(c.size) over upwards::double precision / sum(c.size) over whole as share_until
from possible as p
left join counted as c on c.kind = p.kind and c.value = p.value
where p.kind in (select kind from counted)
window upwards as (partition by p.kind order by p.value), whole as (partition by p.kind);

update catalogue_now set share_below = 0, share_until = 0 where share_until is null;

create temporary table moved_kind on commit drop as
select distinct n.kind
from catalogue_now as n
left join mart.catalogue_place as p on p.kind = n.kind and p.value = n.value
where p.kind is null or abs(n.share_below - p.share_below) > 0.02 or abs(n.share_until - p.share_until) > 0.02;

delete from mart.catalogue_place where kind in (select kind from moved_kind);

insert into mart.catalogue_place (kind, value, share_below, share_until)
select kind, value, share_below, share_until
from catalogue_now
where kind in (select kind from moved_kind);

create temporary table moved_artist on commit drop as
with now as (
    select a.artist_key, (p.share_below + p.share_until) / 2 as place
    from warehouse.dim_artist as a
    inner join mart.catalogue_place as p on p.kind = 'popularity' and p.value = a.popularity
    where a.artist_key > 0
)

select coalesce(now.artist_key, held.artist_key) as artist_key, now.place
from now
full join mart.artist_place as held on held.artist_key = now.artist_key
where now.artist_key is null or held.artist_key is null or abs(now.place - held.place) > 0.05;

analyze moved_artist;

delete from mart.artist_place where artist_key in (select artist_key from moved_artist);
insert into mart.artist_place (artist_key, place) select artist_key, place from moved_artist where place is not null;
