-- Publish a run of the forecasts. The caller has filled new_series, new_forecast, new_score, new_champion,
-- new_anomaly and new_refusal, has one row in new_run, and commits.
insert into audit.forecast_run (
    made_at, processor_seconds, as_of_date, seed, series_count, refused_count, horizon_days, horizon_weeks, is_training,
    run_id, data_hash, code_version, model_path, levels, versions, settings, seconds
)
select
    made_at, processor_seconds, as_of_date, seed, series_count, refused_count, horizon_days, horizon_weeks, is_training,
    run_id, data_hash, code_version, model_path, levels, versions, settings, seconds
from new_run;

-- Levels that no run of a later day has: an older run that is loaded late leaves the newer rows of the others.
create temporary table current_level on commit drop as
select l.level
from new_run as r
cross join unnest(r.levels) as l (level)
where not exists (
    select from audit.forecast_run as n where n.as_of_date > r.as_of_date and l.level = any(n.levels)
);

-- Values change by late events; those of series that the run left out of its levels are no longer known.
delete from mart.forecast_series as s
using current_level as l
where s.level = l.level
    and not exists (
        select
        from new_series as n
        where n.metric = s.metric
            and n.grain = s.grain
            and n.level = s.level
            and n.segment = s.segment
            and n.target_date = s.target_date
    );

insert into mart.forecast_series as s (value, target_date, metric, grain, level, segment)
select n.value, n.target_date, n.metric, n.grain, n.level, n.segment
from new_series as n
inner join current_level as l on l.level = n.level
on conflict (metric, grain, level, segment, target_date) do update
set value = excluded.value
where s.value <> excluded.value;

insert into mart.forecast (
    made_at, naive, q025, q10, q50, q90, q975, as_of_date, target_date, horizon, metric, grain, level, segment, model,
    run_id
)
select
    r.made_at, f.naive, f.q025, f.q10, f.q50, f.q90, f.q975, f.as_of_date, f.target_date, f.horizon, f.metric, f.grain,
    f.level, f.segment, f.model, r.run_id
from new_forecast as f
cross join new_run as r;

insert into mart.forecast_score (
    made_at, mase, naive_mase, wql, coverage_80, coverage_95, origin_date, metric, grain, level, segment, model, run_id
)
select
    r.made_at, s.mase, s.naive_mase, s.wql, s.coverage_80, s.coverage_95, s.origin_date, s.metric, s.grain, s.level,
    s.segment, s.model, r.run_id
from new_score as s
cross join new_run as r;

insert into mart.forecast_champion (
    made_at, relative_to_naive, mase, coverage_80, coverage_95, origin_count, better_origin_count, metric, grain, level,
    model, previous_model, reason, run_id
)
select
    r.made_at, c.relative_to_naive, c.mase, c.coverage_80, c.coverage_95, c.origin_count, c.better_origin_count,
    c.metric, c.grain, c.level, c.model, c.previous_model, c.reason, r.run_id
from new_champion as c
cross join new_run as r;

-- Findings about single users are in mart.anomaly, for operators only.
delete from mart.anomalous_day as a using current_level as l where a.level = l.level;

insert into mart.anomalous_day (value, expected, score, target_date, metric, grain, level, segment, reason, run_id)
select a.value, a.expected, a.score, a.target_date, a.metric, a.grain, a.level, a.segment, a.reason, r.run_id
from new_anomaly as a
inner join current_level as l on l.level = a.level
cross join new_run as r
where a.level <> 'listener';

delete from mart.forecast_refusal as f using current_level as l where f.level = l.level;

insert into mart.forecast_refusal (as_of_date, metric, grain, level, segment, reason)
select r.as_of_date, n.metric, n.grain, n.level, n.segment, n.reason
from new_refusal as n
inner join current_level as l on l.level = n.level
cross join new_run as r;

-- Levels that the run left out, and earlier runs, have rows about users and artists that were excluded since.
create temporary table excluded_segment on commit drop as
select 'listener' as level, x.id as segment
from warehouse.exclusion as x
where x.kind = 'user'
union all
select l.level, cast(a.artist_key as text)
from warehouse.exclusion as x
inner join warehouse.dim_artist as a on a.artist_id = x.id
cross join (values ('artist'), ('published_artist')) as l (level)
where x.kind = 'artist';

delete from mart.forecast as f using excluded_segment as x where f.level = x.level and f.segment = x.segment;
delete from mart.forecast_series as f using excluded_segment as x where f.level = x.level and f.segment = x.segment;
delete from mart.anomalous_day as f using excluded_segment as x where f.level = x.level and f.segment = x.segment;
delete from mart.forecast_refusal as f using excluded_segment as x where f.level = x.level and f.segment = x.segment;
