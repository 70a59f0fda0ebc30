-- A chart without plays would still tell where and when somebody listened.
delete from mart.chart as t
where not exists (select from mart.chart_count as c where c.chart_key = t.chart_key);
