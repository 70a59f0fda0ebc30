-- A chart without plays would still reveal where and when the erased user listened.
delete from mart.chart as t
where not exists (select from mart.chart_top as c where c.chart_key = t.chart_key);
