-- Places in numbers: pairs of country and continent.
create unlogged table chart_pair as
select circumstance_key, country, continent, dense_rank() over (order by country, continent)::integer as pair
from mart.circumstance;

analyze chart_pair;

create unlogged table chart_day as
select c.local_date, k.pair, 'recording'::mart.counted_kind as kind, c.recording_key as item_key, count(*) * 1000000 as play_millionths
from play_change as c
inner join chart_pair as k on k.circumstance_key = c.circumstance_key
where c.recording_key > 0
group by c.local_date, k.pair, c.recording_key
union all
select c.local_date, k.pair, 'artist', c.artist_key, count(*) * 1000000
from play_change as c
inner join chart_pair as k on k.circumstance_key = c.circumstance_key
where c.artist_key > 0
group by c.local_date, k.pair, c.artist_key
union all
select c.local_date, k.pair, 'genre', g.genre_key, sum(g.weight_millionths)
from play_change as c
inner join chart_pair as k on k.circumstance_key = c.circumstance_key
inner join mart.counted_track_genre as g on g.track_key = c.track_key
where g.weight_millionths <> 0
group by c.local_date, k.pair, g.genre_key;

analyze chart_day;

create unlogged table chart_calendar as
select
    local_date,
    date_trunc('week', local_date::timestamp)::date as week_start,
    date_trunc('month', local_date::timestamp)::date as month_start,
    date_trunc('year', local_date::timestamp)::date as year_start
from (select distinct local_date from chart_day) as d;

analyze chart_calendar;

-- Each period from the one within it: a year from its months, these and weeks from their days.
create unlogged table chart_month as
select c.month_start, d.pair, d.kind, d.item_key, sum(d.play_millionths)::bigint as play_millionths
from chart_day as d
inner join chart_calendar as c on c.local_date = d.local_date
group by c.month_start, d.pair, d.kind, d.item_key;

create unlogged table chart_period as
select 'week' as period, c.week_start as period_start, d.pair, d.kind, d.item_key,
    sum(d.play_millionths)::bigint as play_millionths
from chart_day as d
inner join chart_calendar as c on c.local_date = d.local_date
group by c.week_start, d.pair, d.kind, d.item_key
union all
select 'month', month_start, pair, kind, item_key, play_millionths
from chart_month
union all
select 'year', c.year_start, m.pair, m.kind, m.item_key, sum(m.play_millionths)::bigint
from chart_month as m
inner join (select distinct month_start, year_start from chart_calendar) as c on c.month_start = m.month_start
group by c.year_start, m.pair, m.kind, m.item_key;

analyze chart_period;

create unlogged table chart_of_pair as
select t.period, t.period_start, t.pair, t.kind, l.place_kind, l.place
from (
    select distinct 'day' as period, local_date as period_start, pair, kind from chart_day
    union all
    select distinct period, period_start, pair, kind from chart_period
) as t
inner join (select distinct pair, country, continent from chart_pair) as p on p.pair = t.pair
cross join lateral (values ('continent', p.continent), ('country', p.country)) as l (place_kind, place)
where l.place <> 'unknown';

insert into mart.chart (period_start, kind, period, place_kind, place)
select distinct o.period_start, o.kind, o.period, o.place_kind, o.place
from chart_of_pair as o
where not exists (
    select
    from mart.chart as c
    where (c.place, c.kind, c.period, c.period_start, c.place_kind)
        = (o.place, o.kind, o.period, o.period_start, o.place_kind)
);

analyze mart.chart;

-- Charts of one pair, as most countries' are, need no sums.
create unlogged table chart_key_of_pair as
select
    o.period, o.period_start, o.pair, o.kind, c.chart_key, count(*) over (partition by c.chart_key) > 1 as is_shared
from chart_of_pair as o
inner join mart.chart as c
    on c.place = o.place
    and c.kind = o.kind
    and c.period = o.period
    and c.period_start = o.period_start
    and c.place_kind = o.place_kind;

analyze chart_key_of_pair;

insert into mart.chart_count (chart_key, item_key, play_millionths)
select k.chart_key, d.item_key, d.play_millionths
from chart_day as d
inner join chart_key_of_pair as k on k.period_start = d.local_date and k.pair = d.pair and k.kind = d.kind
where k.period = 'day' and not k.is_shared
union all
select k.chart_key, d.item_key, sum(d.play_millionths)
from chart_day as d
inner join chart_key_of_pair as k on k.period_start = d.local_date and k.pair = d.pair and k.kind = d.kind
where k.period = 'day' and k.is_shared
group by k.chart_key, d.item_key;

insert into mart.chart_count (chart_key, item_key, play_millionths)
select k.chart_key, p.item_key, p.play_millionths
from chart_period as p
inner join chart_key_of_pair as k
    on k.period = p.period and k.period_start = p.period_start and k.pair = p.pair and k.kind = p.kind
where not k.is_shared
union all
select k.chart_key, p.item_key, sum(p.play_millionths)
from chart_period as p
inner join chart_key_of_pair as k
    on k.period = p.period and k.period_start = p.period_start and k.pair = p.pair and k.kind = p.kind
where k.is_shared
group by k.chart_key, p.item_key;

insert into mart.chart_top (chart_key, item_key, play_millionths, rank)
select chart_key, item_key, play_millionths, rank
from (
    select *, row_number() over (partition by chart_key order by play_millionths desc, item_key) as rank
    from mart.chart_count
) as ranked
where rank <= 100;
