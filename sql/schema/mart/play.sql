create view mart.play as
select
    e.event_id,
    e.event_time,
    e.listener_key,
    e.user_id,
    e.local_time,
    e.local_date,
    e.local_hour,
    e.country,
    e.continent,
    e.device_type,
    e.subscription_plan,
    e.track_key,
    t.recording_key,
    e.artist_key,
    e.playlist_key,
    e.ms_played,
    e.is_skipped,
    e.source
from mart.listening_event as e
inner join warehouse.dim_track as t on t.track_key = e.track_key
where e.is_play and not e.is_excluded;

comment on view mart.play is 'What counts as a play, in all marts. Empty until the marts are built.';
comment on column mart.play.event_id is 'The event.';
comment on column mart.play.event_time is 'When it began, UTC.';
comment on column mart.play.listener_key is 'The user, as mart.listener has it.';
comment on column mart.play.user_id is 'The user.';
comment on column mart.play.local_time is 'event_time on the user''s clock.';
comment on column mart.play.local_date is 'The user''s own day.';
comment on column mart.play.local_hour is 'Hour of local_time, 0 to 23.';
comment on column mart.play.country is 'Country where the user was; the user''s home at that time if the event does not give it.';
comment on column mart.play.continent is 'Continent of that country.';
comment on column mart.play.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL if it is another kind or not known.';
comment on column mart.play.subscription_plan is 'The plan that the event names, else the user''s at that time.';
comment on column mart.play.track_key is 'The track; -1 if unknown.';
comment on column mart.play.recording_key is 'Its recording: count these to count tracks. Genres: warehouse.bridge_track_genre, by their weights.';
comment on column mart.play.artist_key is 'The artist that the event names, else the track''s first.';
comment on column mart.play.playlist_key is 'The playlist that was played from; 0 if none is named.';
comment on column mart.play.ms_played is 'Time for which sound was heard, ms; 0 if the source does not give it.';
comment on column mart.play.is_skipped is 'Whether the play ended by a skip.';
comment on column mart.play.source is 'Where the event comes from.';
