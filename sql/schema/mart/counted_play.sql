create table mart.counted_play (
    event_time timestamptz not null,
    listener_key integer not null,
    local_date date not null,
    listening_context_key integer not null,
    track_key integer not null,
    artist_key integer not null,
    ms_played integer not null,
    local_hour smallint not null,
    is_excluded boolean not null,
    is_from_playlist boolean not null
);

create index counted_play_listener_key_idx on mart.counted_play (listener_key, local_date)
include (track_key, artist_key, ms_played, local_hour, is_excluded);
create index counted_play_track_key_idx on mart.counted_play (track_key, listener_key);
create index counted_play_artist_key_idx on mart.counted_play (artist_key, listener_key);

comment on table mart.counted_play is 'A play as the marts have counted it: so much is taken back when its day is built again.';
comment on column mart.counted_play.event_time is 'When it began, UTC.';
comment on column mart.counted_play.listener_key is 'The user, as mart.listener has it.';
comment on column mart.counted_play.local_date is 'The user''s own day.';
comment on column mart.counted_play.listening_context_key is 'Location, device and plan.';
comment on column mart.counted_play.track_key is 'The track.';
comment on column mart.counted_play.artist_key is 'The artist that the event names, else the track''s first.';
comment on column mart.counted_play.ms_played is 'Time for which sound was heard, ms; 0 if the source does not give it.';
comment on column mart.counted_play.local_hour is 'Hour on the user''s clock.';
comment on column mart.counted_play.is_excluded is 'Whether artist or track are excluded: then no count has it.';
comment on column mart.counted_play.is_from_playlist is 'Whether it was played from a playlist: then it does not count for a personality.';
