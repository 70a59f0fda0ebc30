-- Forecasts of single artists and users that were made before a time, and scores of trainings that others replaced.
-- Forecasts of totals and segments stay, and so do the champions of all trainings.
create temporary table deleted_forecast (row_count bigint not null) on commit drop;

with deleted as (
    delete from mart.forecast
    where level in ('artist', 'published_artist', 'listener') and made_at < :made_before
    returning 1
)

insert into deleted_forecast
select count(*) from deleted;

with current_champion as (
    select distinct on (metric, grain, level) run_id
    from mart.forecast_champion
    order by metric, grain, level, made_at desc
),

recent_training as (
    select run_id
    from audit.forecast_run
    where is_training
    order by made_at desc
    limit :trainings
),

deleted as (
    delete from mart.forecast_score as s
    where s.run_id not in (select r.run_id from recent_training as r)
        and s.run_id not in (select c.run_id from current_champion as c)
    returning 1
)

insert into deleted_forecast
select count(*) from deleted;

select cast(sum(row_count) as bigint) as row_count from deleted_forecast;
