-- The charts of the places and days whose counts have changed.
create temporary table changed_cell on commit drop as
select distinct kind, place_key, local_date from item_change;

analyze changed_cell;

create temporary table changed_period on commit drop as
select distinct c.kind, p.period, p.period_start::date as period_start, l.place_kind, l.place
from changed_cell as c
inner join mart.context_place as n on n.listening_context_key = c.place_key
cross join lateral (
    values
    ('day', c.local_date::timestamp),
    ('week', date_trunc('week', c.local_date::timestamp)),
    ('month', date_trunc('month', c.local_date::timestamp)),
    ('year', date_trunc('year', c.local_date::timestamp))
) as p (period, period_start)
cross join lateral (values ('continent', n.continent), ('country', n.country)) as l (place_kind, place)
where l.place <> 'unknown';

analyze changed_period;

insert into mart.chart (period_start, kind, period, place_kind, place)
select o.period_start, o.kind, o.period, o.place_kind, o.place
from changed_period as o
where not exists (
    select
    from mart.chart as c
    where (c.place, c.kind, c.period, c.period_start, c.place_kind)
        = (o.place, o.kind, o.period, o.period_start, o.place_kind)
);

analyze mart.chart;

-- A chart adds up cells: a kind at a place in a period. Charts of one cell, as of most countries, need no sums.
create temporary table changed_chart on commit drop as
select
    c.chart_key,
    c.kind,
    c.period,
    c.period_start,
    e.end_date::date as end_date,
    n.place_key,
    dense_rank() over (order by c.kind, c.period, c.period_start, n.place_key)::integer as cell_key,
    count(*) over (partition by c.chart_key) > 1 as has_many_cells
from changed_period as o
inner join mart.chart as c
    on c.place = o.place
    and c.kind = o.kind
    and c.period = o.period
    and c.period_start = o.period_start
    and c.place_kind = o.place_kind
cross join lateral (
    select
        o.period_start
        + case o.period
            when 'day' then interval '1 day'
            when 'week' then interval '1 week'
            when 'month' then interval '1 month'
            else interval '1 year'
        end as end_date
) as e
inner join (
    select distinct n.place_key, l.place_kind, l.place
    from mart.context_place as n
    cross join lateral (values ('continent', n.continent), ('country', n.country)) as l (place_kind, place)
) as n on n.place_kind = o.place_kind and n.place = o.place;

create temporary table cell_day on commit drop as
select
    c.kind,
    c.place_key,
    d.day::date as local_date,
    min(c.cell_key) filter (where c.period = 'day') as day_cell,
    min(c.cell_key) filter (where c.period = 'week') as week_cell,
    min(c.cell_key) filter (where c.period = 'month') as month_cell
from changed_chart as c
cross join lateral generate_series(c.period_start::timestamp, c.end_date - interval '1 day', '1 day') as d (day)
where c.period <> 'year'
group by c.kind, c.place_key, d.day;

analyze changed_chart;
analyze cell_day;

-- If an item in a chart has lost plays, another item may replace it: then all items are compared. Else only items that
-- were in the chart or have changed can be in it.
create temporary table chart_loss on commit drop as
select distinct r.chart_key
from item_change as i
inner join changed_chart as r
    on r.kind = i.kind
    and r.place_key = i.place_key
    and i.local_date >= r.period_start
    and i.local_date < r.end_date
inner join mart.chart_top as t on t.chart_key = r.chart_key and i.item_key = any(t.item_keys)
where i.play_millionths < 0;

analyze chart_loss;

create temporary table needed_month on commit drop as
select kind, item_key, month_start from month_change
union
select m.kind, m.item_key, m.month_start
from (
    select distinct c.kind, date_trunc('month', d.day)::date as month_start
    from chart_loss as l
    inner join changed_chart as c on c.chart_key = l.chart_key
    cross join lateral (values (c.period_start::timestamp), (c.end_date - interval '1 day')) as d (day)
    where c.period <> 'year'
) as l
inner join mart.item_month as m on m.kind = l.kind and m.month_start = l.month_start;

analyze needed_month;

-- The months beside a month, and the days of the weeks that it shares with them.
create temporary table month_beside on commit drop as
select c.month_start, n.beside_start, n.shared_days
from (select distinct month_start from needed_month) as c
cross join lateral (select (c.month_start + interval '1 month')::date as next_start) as e
cross join lateral (
    values
    (
        (c.month_start - interval '1 month')::date,
        daterange(date_trunc('week', c.month_start::timestamp)::date, c.month_start)
    ),
    (
        e.next_start,
        daterange(e.next_start, date_trunc('week', (e.next_start - 1)::timestamp)::date + 7)
    )
) as n (beside_start, shared_days)
where not isempty(n.shared_days);

create temporary table counted_month on commit drop as
select m.*, null::daterange as shared_days
from needed_month as c
inner join mart.item_month as m on m.kind = c.kind and m.item_key = c.item_key and m.month_start = c.month_start
union all
select m.*, n.shared_days
from needed_month as c
inner join month_beside as n on n.month_start = c.month_start
inner join mart.item_month as m on m.kind = c.kind and m.item_key = c.item_key and m.month_start = n.beside_start
where not exists (
    select
    from needed_month as o
    where o.kind = c.kind and o.item_key = c.item_key and o.month_start = n.beside_start
);

create temporary table counted_year on commit drop as
select y.*
from (
    select kind, item_key, year from year_place_change
    union
    select y.kind, y.item_key, y.year
    from (
        select distinct c.kind, extract(year from c.period_start)::smallint as year
        from chart_loss as l
        inner join changed_chart as c on c.chart_key = l.chart_key and c.period = 'year'
    ) as l
    inner join mart.item_year as y on y.kind = l.kind and y.year = l.year
) as c
inner join mart.item_year as y on y.kind = c.kind and y.item_key = c.item_key and y.year = c.year;

-- Statistics of the keys only: those of arrays cost more than they help.
analyze counted_month (kind, item_key, month_start);
analyze counted_year (kind, item_key, year);

create temporary table day_count on commit drop as
select
    c.day_cell, c.week_cell, c.month_cell, m.item_key, m.shared_days is not null as is_beside, d.play_millionths
from counted_month as m
cross join lateral unnest(m.place_days, m.play_millionths) as d (place_day, play_millionths)
inner join cell_day as c
    on c.kind = m.kind and c.place_key = d.place_day / 32 and c.local_date = m.month_start + d.place_day % 32 - 1
where m.shared_days is null or m.shared_days @> c.local_date;

-- "offset 0" reads the arrays of an item once, not once for each chart of its year.
create temporary table cell_count on commit drop as
select day_cell as cell_key, item_key, play_millionths
from day_count
where day_cell is not null and not is_beside
union all
select week_cell, item_key, sum(play_millionths)::bigint
from day_count
where week_cell is not null
group by week_cell, item_key
union all
select month_cell, item_key, sum(play_millionths)::bigint
from day_count
where month_cell is not null and not is_beside
group by month_cell, item_key
union all
select c.cell_key, y.item_key, y.play_millionths
from (
    select i.kind, i.item_key, i.year, p.place_key, p.play_millionths
    from counted_year as i
    cross join lateral unnest(i.place_keys, i.play_millionths) as p (place_key, play_millionths)
    offset 0
) as y
inner join (
    select distinct cell_key, kind, place_key, extract(year from period_start)::smallint as year
    from changed_chart
    where period = 'year'
) as c on c.kind = y.kind and c.place_key = y.place_key and c.year = y.year;

create temporary table chart_now on commit drop as
select c.chart_key, n.item_key, n.play_millionths
from cell_count as n
inner join changed_chart as c on c.cell_key = n.cell_key
where not c.has_many_cells
union all
select c.chart_key, n.item_key, sum(n.play_millionths)::bigint
from cell_count as n
inner join changed_chart as c on c.cell_key = n.cell_key
where c.has_many_cells
group by c.chart_key, n.item_key;

analyze chart_now;

create temporary table top_before on commit drop as
select t.*
from (select distinct chart_key from changed_chart) as c
inner join mart.chart_top as t on t.chart_key = c.chart_key;

delete from mart.chart_top as t
using top_before as b
where t.chart_key = b.chart_key;

insert into mart.chart_top (chart_key, item_keys, play_millionths)
select chart_key, array_agg(item_key), array_agg(play_millionths)
from (
    select
        chart_key,
        item_key,
        play_millionths,
        row_number() over (partition by chart_key order by play_millionths desc, item_key) as rank
    from (
        select chart_key, item_key, play_millionths from chart_now
        union all
        select b.chart_key, i.item_key, i.play_millionths
        from top_before as b
        cross join lateral unnest(b.item_keys, b.play_millionths) as i (item_key, play_millionths)
        where not exists (select from chart_loss as l where l.chart_key = b.chart_key)
            and not exists (
                select from chart_now as n where n.chart_key = b.chart_key and n.item_key = i.item_key
            )
    ) as candidate
) as ranked
where rank <= 100
group by chart_key;
