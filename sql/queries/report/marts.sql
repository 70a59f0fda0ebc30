-- The number of rows of the marts, and the time of their last build.
select
    (select max(finished_at) from audit.run where job = 'build_marts' and result = 'published') as built_at,
    (select count(*) from mart.listener_year where year > 0) as user_years,
    (select count(*) from mart.chart) as charts,
    (select count(distinct artist_key) from mart.artist_week) as artists,
    (select count(*) from mart.session) as sessions,
    (select count(*) from mart.daily_engagement) as engagement_rows,
    (select count(*) from audit.changed_day) as days_waiting
where exists (select from mart.definition)
