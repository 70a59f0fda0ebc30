-- After the marts were built again: the forecasts of continents, plans and artists that nobody else is or plays.
create temporary table remaining_segment on commit drop as
select l.level, concat_ws('/', l.continent, l.subscription_plan) as segment
from mart.daily_engagement as e
cross join lateral (
    values
    ('total', null, null),
    ('continent', e.continent, null),
    ('plan', null, e.subscription_plan),
    ('continent_plan', e.continent, e.subscription_plan)
) as l (level, continent, subscription_plan)
union
select l.level, cast(w.artist_key as text)
from mart.artist_week as w
cross join (values ('artist'), ('published_artist')) as l (level)
union
select 'listener', l.user_id
from mart.listener as l
-- The mean over all artists or listeners.
union
select l.level, ''
from (values ('artist'), ('published_artist'), ('listener')) as l (level);

delete from mart.forecast as f
where not exists (select from remaining_segment as r where r.level = f.level and r.segment = f.segment);
delete from mart.forecast_series as f
where not exists (select from remaining_segment as r where r.level = f.level and r.segment = f.segment);
delete from mart.forecast_score as f
where not exists (select from remaining_segment as r where r.level = f.level and r.segment = f.segment);
delete from mart.anomalous_day as f
where not exists (select from remaining_segment as r where r.level = f.level and r.segment = f.segment);
delete from mart.forecast_refusal as f
where not exists (select from remaining_segment as r where r.level = f.level and r.segment = f.segment);
