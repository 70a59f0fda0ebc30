-- What plays add to the counts of recordings, artists and genres by place and day, and subtract from them.
create temporary table item_change on commit drop as
select
    'recording'::mart.counted_kind as kind,
    c.recording_key as item_key,
    c.local_date,
    p.place_key,
    sum(c.plays)::bigint * 1000000 as play_millionths
from play_change as c
inner join mart.context_place as p on p.listening_context_key = c.listening_context_key
where c.recording_key > 0
group by c.recording_key, c.local_date, p.place_key
having sum(c.plays) <> 0
union all
select 'artist', c.artist_key, c.local_date, p.place_key, sum(c.plays)::bigint * 1000000
from play_change as c
inner join mart.context_place as p on p.listening_context_key = c.listening_context_key
where c.artist_key > 0
group by c.artist_key, c.local_date, p.place_key
having sum(c.plays) <> 0
union all
select 'genre', c.genre_key, c.local_date, p.place_key, sum(c.play_millionths)::bigint
from genre_change as c
inner join mart.context_place as p on p.listening_context_key = c.listening_context_key
group by c.genre_key, c.local_date, p.place_key
having sum(c.play_millionths) <> 0;

analyze item_change;

create temporary table month_change on commit drop as
select
    kind,
    item_key,
    date_trunc('month', local_date::timestamp)::date as month_start,
    place_key * 32 + extract(day from local_date)::integer as place_day,
    play_millionths
from item_change;

create temporary table month_before on commit drop as
select b.*
from (select distinct kind, item_key, month_start from month_change) as c
inner join mart.item_month as b on b.kind = c.kind and b.item_key = c.item_key and b.month_start = c.month_start;

analyze month_change;
analyze month_before (kind, item_key, month_start);

delete from mart.item_month as m
using month_before as b
where m.kind = b.kind and m.item_key = b.item_key and m.month_start = b.month_start;

insert into mart.item_month (item_key, month_start, kind, place_days, play_millionths)
select item_key, month_start, kind, array_agg(place_day), array_agg(play_millionths)
from (
    select kind, item_key, month_start, place_day, sum(play_millionths)::bigint as play_millionths
    from (
        select kind, item_key, month_start, place_day, play_millionths from month_change
        union all
        select b.kind, b.item_key, b.month_start, d.place_day, d.play_millionths
        from month_before as b
        cross join lateral unnest(b.place_days, b.play_millionths) as d (place_day, play_millionths)
    ) as counted
    group by kind, item_key, month_start, place_day
    having sum(play_millionths) <> 0
    order by kind, item_key, month_start, place_day
) as c
group by kind, item_key, month_start;

create temporary table year_place_change on commit drop as
select
    kind,
    item_key,
    extract(year from local_date)::smallint as year,
    place_key,
    sum(play_millionths)::bigint as play_millionths
from item_change
group by kind, item_key, extract(year from local_date), place_key;

create temporary table year_before on commit drop as
select b.*
from (select distinct kind, item_key, year from year_place_change) as c
inner join mart.item_year as b on b.kind = c.kind and b.item_key = c.item_key and b.year = c.year;

analyze year_place_change;
analyze year_before (kind, item_key, year);

delete from mart.item_year as y
using year_before as b
where y.kind = b.kind and y.item_key = b.item_key and y.year = b.year;

insert into mart.item_year (item_key, kind, year, place_keys, play_millionths)
select item_key, kind, year, array_agg(place_key), array_agg(play_millionths)
from (
    select kind, item_key, year, place_key, sum(play_millionths)::bigint as play_millionths
    from (
        select kind, item_key, year, place_key, play_millionths from year_place_change
        union all
        select b.kind, b.item_key, b.year, p.place_key, p.play_millionths
        from year_before as b
        cross join lateral unnest(b.place_keys, b.play_millionths) as p (place_key, play_millionths)
    ) as counted
    group by kind, item_key, year, place_key
    having sum(play_millionths) <> 0
    order by kind, item_key, year, place_key
) as c
group by kind, item_key, year;
