create view mart.spoken_play as
select
    e.event_id,
    e.event_time,
    l.listener_key,
    l.user_id,
    e.local_time,
    e.local_time::date as local_date,
    e.local_hour,
    e.spoken_id,
    e.spoken_name,
    e.show_name,
    case
        when e.spoken_id like 'spotify:chapter:%' or e.spoken_id like 'spotify:audiobook:%' then 'audiobook'
        when e.spoken_id like 'spotify:episode:%' or e.spoken_id like 'spotify:show:%' then 'podcast'
        else 'unknown'
    end as spoken_kind,
    e.ms_played,
    e.is_skipped,
    e.source
from mart.definition as d
cross join mart.listener as l
inner join warehouse.dim_user as u on u.user_id = l.user_id
inner join warehouse.fact_spoken_event as e on e.user_key = u.user_key
where e.activity_type = 'PLAY'
    and e.ms_played >= d.play_min_ms
    and l.user_id not in (select id from warehouse.exclusion where kind = 'user');

comment on view mart.spoken_play is 'Plays of podcasts and audiobooks that were heard for PLAY_MIN_MS. They do not count as music: no other mart has them. Empty until the marts are built.';
comment on column mart.spoken_play.event_id is 'The event.';
comment on column mart.spoken_play.event_time is 'When it began, UTC.';
comment on column mart.spoken_play.listener_key is 'The user, as mart.listener has it.';
comment on column mart.spoken_play.user_id is 'The user.';
comment on column mart.spoken_play.local_time is 'event_time on the user''s clock.';
comment on column mart.spoken_play.local_date is 'The user''s own day.';
comment on column mart.spoken_play.local_hour is 'Hour of local_time, 0 to 23.';
comment on column mart.spoken_play.spoken_id is 'The episode or chapter, by its Spotify URI or a name-derived id.';
comment on column mart.spoken_play.spoken_name is 'Its name.';
comment on column mart.spoken_play.show_name is 'The podcast or audiobook; NULL if the source does not give it.';
comment on column mart.spoken_play.spoken_kind is 'podcast or audiobook, by the type of the Spotify URI; unknown if the source gives names only.';
comment on column mart.spoken_play.ms_played is 'Time for which sound was heard, ms.';
comment on column mart.spoken_play.is_skipped is 'Whether the play ended by a skip.';
comment on column mart.spoken_play.source is 'Where the event comes from.';
