-- A build writes the current month of every user who listened, whatever else the user has ever heard. A year is added
-- up and ranked when it is read: mart.listener_year_count.
create table mart.listener_count (
    listener_key integer not null,
    month_start date not null,
    kind mart.counted_kind not null,
    item_keys integer[] not null,
    play_millionths bigint[] not null,
    ms_millionths bigint[] not null,
    constraint listener_count_pkey primary key (listener_key, kind, month_start)
);

comment on table mart.listener_count is 'What a user played in a month, by kind, and how often: arrays in the order of the items'' keys.';
comment on column mart.listener_count.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_count.month_start is 'First day of the month, on the user''s calendar.';
comment on column mart.listener_count.kind is 'recording, artist, genre, audio_cluster or hour.';
comment on column mart.listener_count.item_keys is 'recording_key, artist_key, genre_key, audio_features_type or the hour on the user''s clock.';
comment on column mart.listener_count.play_millionths is 'Plays of each item in millionths: a play counts for a genre by its weight.';
comment on column mart.listener_count.ms_millionths is 'How long each was heard, ms, in millionths.';
