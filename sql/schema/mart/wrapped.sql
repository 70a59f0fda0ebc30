create view mart.wrapped as
select
    l.user_id,
    y.year,
    y.ms_played / 60000 as minutes_played,
    y.plays,
    y.tracks,
    y.artists,
    y.first_play_at,
    y.longest_streak_days,
    y.longest_streak_from,
    y.longest_session_ms,
    y.longest_session_at,
    h.item_key as favourite_hour,
    case when y.year > 0 and y.artists > 0 then y.new_artists::double precision / y.artists end as new_artist_share,
    c.item_key as top_audio_features_type,
    k.name as top_audio_cluster_name,
    lower(
        case
            when y.year = 0 then d.days
            else d.days * datemultirange(daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1)))
        end
    ) as first_play_on,
    s.local_date as longest_session_on
from mart.listener_year as y
inner join mart.listener as l on l.listener_key = y.listener_key
left join mart.listened_days as d on d.listener_key = y.listener_key
left join mart.session as s on s.listener_key = y.listener_key and s.started_at = y.longest_session_at
left join lateral (
    select t.item_key
    from mart.listener_year_count as t
    where t.listener_key = y.listener_key and t.kind = 'hour' and t.year = y.year
    order by t.play_millionths desc, t.item_key
    limit 1
) as h on true
left join lateral (
    select t.item_key
    from mart.listener_year_count as t
    where t.listener_key = y.listener_key and t.kind = 'audio_cluster' and t.year = y.year
    order by t.play_millionths desc, t.item_key
    limit 1
) as c on true
left join warehouse.dim_audio_cluster as k on k.audio_features_type = c.item_key;

comment on view mart.wrapped is 'A user''s year, and all time as year 0.';
comment on column mart.wrapped.user_id is 'The user.';
comment on column mart.wrapped.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.wrapped.minutes_played is 'How long plays were heard, in whole minutes.';
comment on column mart.wrapped.plays is 'Number of plays.';
comment on column mart.wrapped.tracks is 'Number of recordings played.';
comment on column mart.wrapped.artists is 'Number of artists played.';
comment on column mart.wrapped.first_play_at is 'When the first play began, UTC.';
comment on column mart.wrapped.longest_streak_days is 'Most days in a row with a play, within the year.';
comment on column mart.wrapped.longest_streak_from is 'First day of that streak; the earliest of equals.';
comment on column mart.wrapped.longest_session_ms is 'Length of the longest session that began in the year, ms.';
comment on column mart.wrapped.longest_session_at is 'When it began, UTC.';
comment on column mart.wrapped.favourite_hour is 'The hour with most plays, on the user''s clock.';
comment on column mart.wrapped.new_artist_share is 'Fraction of the artists that the user had not played in an earlier year; NULL for all time.';
comment on column mart.wrapped.top_audio_features_type is 'The audio cluster with most plays.';
comment on column mart.wrapped.top_audio_cluster_name is 'Its name.';
comment on column mart.wrapped.first_play_on is 'The day of the first play, on the user''s calendar.';
comment on column mart.wrapped.longest_session_on is 'The day on which the longest session began, on the user''s calendar.';
