-- Numbers for the pairs of country and continent.
create unlogged table chart_pair as
select listening_context_key, country, continent, dense_rank() over (order by country, continent)::integer as pair
from mart.listening_context;

analyze chart_pair;

-- A cell is a kind in a pair on a day, and also in a week, a month and a year. Every cell has a number: rows are
-- grouped and joined by that number only.
create unlogged table chart_cell as
select
    d.local_date,
    d.pair,
    k.kind,
    row_number() over ()::integer as day_cell,
    -dense_rank() over (order by d.week_start, d.pair, k.kind)::integer * 3 as week_cell,
    -dense_rank() over (order by d.month_start, d.pair, k.kind)::integer * 3 - 1 as month_cell,
    -dense_rank() over (order by d.year_start, d.pair, k.kind)::integer * 3 - 2 as year_cell,
    d.week_start,
    d.month_start,
    d.year_start
from (
    select
        local_date,
        pair,
        date_trunc('week', local_date::timestamp)::date as week_start,
        date_trunc('month', local_date::timestamp)::date as month_start,
        date_trunc('year', local_date::timestamp)::date as year_start
    from (
        select distinct c.local_date, p.pair
        from (select distinct local_date, listening_context_key from play_change) as c
        inner join chart_pair as p on p.listening_context_key = c.listening_context_key
    ) as heard
) as d
cross join (select unnest(enum_range(null::mart.counted_kind)) as kind) as k
where k.kind in ('recording', 'artist', 'genre');

analyze chart_cell;

create unlogged table chart_place as
select
    c.local_date,
    c.listening_context_key,
    r.day_cell as recording_cell,
    a.day_cell as artist_cell,
    g.day_cell as genre_cell
from (select distinct local_date, listening_context_key from play_change) as c
inner join chart_pair as p on p.listening_context_key = c.listening_context_key
inner join chart_cell as r on r.local_date = c.local_date and r.pair = p.pair and r.kind = 'recording'
inner join chart_cell as a on a.local_date = c.local_date and a.pair = p.pair and a.kind = 'artist'
inner join chart_cell as g on g.local_date = c.local_date and g.pair = p.pair and g.kind = 'genre';

analyze chart_place;

create unlogged table chart_day as
with heard as materialized (
    select p.recording_cell, p.artist_cell, p.genre_cell, c.recording_key, c.artist_key, c.track_key
    from play_change as c
    inner join chart_place as p on p.local_date = c.local_date and p.listening_context_key = c.listening_context_key
)

select recording_cell as cell, recording_key as item_key, count(*) * 1000000 as play_millionths
from heard
where recording_key > 0
group by recording_cell, recording_key
union all
select artist_cell, artist_key, count(*) * 1000000
from heard
where artist_key > 0
group by artist_cell, artist_key
union all
select h.genre_cell, g.genre_key, sum(g.weight_millionths)
from heard as h
inner join mart.counted_track_genre as g on g.track_key = h.track_key
where g.weight_millionths <> 0
group by h.genre_cell, g.genre_key;

analyze chart_day;

-- Each period is computed from the next smaller one: a year from its months, months and weeks from their days.
create unlogged table chart_month as
select c.month_cell as cell, d.item_key, sum(d.play_millionths)::bigint as play_millionths
from chart_day as d
inner join chart_cell as c on c.day_cell = d.cell
group by c.month_cell, d.item_key;

create unlogged table chart_sum as
select cell, item_key, play_millionths from chart_day
union all
select c.week_cell, d.item_key, sum(d.play_millionths)::bigint
from chart_day as d
inner join chart_cell as c on c.day_cell = d.cell
group by c.week_cell, d.item_key
union all
select cell, item_key, play_millionths from chart_month
union all
select c.year_cell, m.item_key, sum(m.play_millionths)::bigint
from chart_month as m
inner join (select distinct month_cell, year_cell from chart_cell) as c on c.month_cell = m.cell
group by c.year_cell, m.item_key;

drop table chart_day;
drop table chart_month;

analyze chart_sum;

create unlogged table chart_of_cell as
select t.cell, t.period, t.period_start, t.kind, l.place_kind, l.place
from (
    select day_cell as cell, 'day' as period, local_date as period_start, pair, kind from chart_cell
    union
    select week_cell, 'week', week_start, pair, kind from chart_cell
    union
    select month_cell, 'month', month_start, pair, kind from chart_cell
    union
    select year_cell, 'year', year_start, pair, kind from chart_cell
) as t
inner join (select distinct cell from chart_sum) as s on s.cell = t.cell
inner join (select distinct pair, country, continent from chart_pair) as p on p.pair = t.pair
cross join lateral (values ('continent', p.continent), ('country', p.country)) as l (place_kind, place)
where l.place <> 'unknown';

insert into mart.chart (period_start, kind, period, place_kind, place)
select distinct o.period_start, o.kind, o.period, o.place_kind, o.place
from chart_of_cell as o
where not exists (
    select
    from mart.chart as c
    where (c.place, c.kind, c.period, c.period_start, c.place_kind)
        = (o.place, o.kind, o.period, o.period_start, o.place_kind)
);

analyze mart.chart;

-- Charts of one cell, as for most countries, need no sums.
create unlogged table chart_key_of_cell as
select o.cell, c.chart_key, count(*) over (partition by c.chart_key) > 1 as is_shared
from chart_of_cell as o
inner join mart.chart as c
    on c.place = o.place
    and c.kind = o.kind
    and c.period = o.period
    and c.period_start = o.period_start
    and c.place_kind = o.place_kind;

analyze chart_key_of_cell;

-- Chart by chart, so that the rows of a chart are stored together.
insert into mart.chart_count (chart_key, item_key, play_millionths)
select k.chart_key, s.item_key, s.play_millionths
from chart_sum as s
inner join chart_key_of_cell as k on k.cell = s.cell
where not k.is_shared
order by k.chart_key, s.item_key;

insert into mart.chart_count (chart_key, item_key, play_millionths)
select k.chart_key, s.item_key, sum(s.play_millionths)
from chart_sum as s
inner join chart_key_of_cell as k on k.cell = s.cell
where k.is_shared
group by k.chart_key, s.item_key
order by k.chart_key, s.item_key;
