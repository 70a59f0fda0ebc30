create temporary table chart_day on commit drop as
select
    c.local_date,
    k.country,
    k.continent,
    'recording'::mart.counted_kind as kind,
    c.recording_key as item_key,
    sum(c.plays)::bigint * 1000000 as play_millionths
from play_change as c
inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
where c.recording_key > 0
group by 1, 2, 3, 5
union all
select c.local_date, k.country, k.continent, 'artist', c.artist_key, sum(c.plays)::bigint * 1000000
from play_change as c
inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
where c.artist_key > 0
group by 1, 2, 3, 5
union all
select c.local_date, k.country, k.continent, 'genre', c.genre_key, sum(c.play_millionths)::bigint
from genre_change as c
inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
group by 1, 2, 3, 5;

analyze chart_day;

create temporary table chart_of_day on commit drop as
select d.local_date, d.country, d.continent, d.kind, p.period, p.period_start::date, l.place_kind, l.place
from (select distinct local_date, country, continent, kind from chart_day where play_millionths <> 0) as d
cross join lateral (
    values
    ('day', d.local_date::timestamp),
    ('week', date_trunc('week', d.local_date::timestamp)),
    ('month', date_trunc('month', d.local_date::timestamp)),
    ('year', date_trunc('year', d.local_date::timestamp))
) as p (period, period_start)
cross join lateral (values ('continent', d.continent), ('country', d.country)) as l (place_kind, place)
where l.place <> 'unknown';

insert into mart.chart (period_start, kind, period, place_kind, place)
select distinct o.period_start, o.kind, o.period, o.place_kind, o.place
from chart_of_day as o
where not exists (
    select
    from mart.chart as c
    where (c.place, c.kind, c.period, c.period_start, c.place_kind)
        = (o.place, o.kind, o.period, o.period_start, o.place_kind)
);

analyze mart.chart;

create temporary table chart_change on commit drop as
select k.chart_key, d.item_key, sum(d.play_millionths)::bigint as play_millionths
from (
    select o.local_date, o.country, o.continent, o.kind, c.chart_key
    from chart_of_day as o
    inner join mart.chart as c
        on c.place = o.place
        and c.kind = o.kind
        and c.period = o.period
        and c.period_start = o.period_start
        and c.place_kind = o.place_kind
) as k
inner join chart_day as d
    on d.local_date = k.local_date and d.country = k.country and d.continent = k.continent and d.kind = k.kind
group by k.chart_key, d.item_key
having sum(d.play_millionths) <> 0;

analyze chart_change;

create temporary table chart_now (like mart.chart_count) on commit drop;

with counted as (
    insert into mart.chart_count as c (chart_key, item_key, play_millionths)
    select chart_key, item_key, play_millionths from chart_change order by chart_key, item_key
    on conflict (chart_key, item_key) do update set play_millionths = c.play_millionths + excluded.play_millionths
    returning c.*
)

insert into chart_now select * from counted;

analyze chart_now;

delete from mart.chart_count as c
using chart_now as n
where n.play_millionths = 0 and c.chart_key = n.chart_key and c.item_key = n.item_key;
