-- If an item in a chart has lost plays, another item may replace it: then all counts are compared. Else only items that
-- were in the chart or gained plays can be in it.
create temporary table changed_chart on commit drop as
select
    c.chart_key,
    bool_or(c.play_millionths < 0 and exists (
        select from mart.chart_top as t where t.chart_key = c.chart_key and t.item_key = c.item_key
    )) as is_lost
from chart_change as c
group by c.chart_key;

analyze changed_chart;

create temporary table top_now on commit drop as
with candidate as (
    select chart_key, item_key, play_millionths from chart_now where play_millionths > 0
    union all
    select t.chart_key, t.item_key, t.play_millionths
    from changed_chart as c
    inner join mart.chart_top as t on t.chart_key = c.chart_key
    where not c.is_lost
        and not exists (select from chart_now as n where n.chart_key = t.chart_key and n.item_key = t.item_key)
    union all
    select t.chart_key, t.item_key, t.play_millionths
    from changed_chart as c
    inner join mart.chart_count as t on t.chart_key = c.chart_key
    where c.is_lost
        and not exists (select from chart_now as n where n.chart_key = t.chart_key and n.item_key = t.item_key)
)

select chart_key, item_key, play_millionths, rank
from (
    select *, row_number() over (partition by chart_key order by play_millionths desc, item_key) as rank from candidate
) as ranked
where rank <= 100;

delete from mart.chart_top as t
using changed_chart as c
where t.chart_key = c.chart_key;

insert into mart.chart_top (chart_key, item_key, play_millionths, rank)
select chart_key, item_key, play_millionths, rank from top_now order by chart_key, rank;
