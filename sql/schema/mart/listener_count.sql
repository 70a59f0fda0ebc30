-- A refresh adds to some of the counts of every user who listened. No index contains the changing columns and the pages
-- have free space, so the row stays on its page and no index is written; a user's few thousand counts are ranked when
-- they are read.
create table mart.listener_count (
    listener_key integer not null,
    item_key integer not null,
    kind mart.counted_kind not null,
    year smallint not null,
    play_millionths bigint not null,
    ms_millionths bigint not null,
    constraint listener_count_pkey primary key (listener_key, kind, item_key, year)
) with (fillfactor = 80);

comment on table mart.listener_count is 'How often a user played something in a year.';
comment on column mart.listener_count.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_count.item_key is 'recording_key, artist_key or genre_key; the number of the cluster; the hour.';
comment on column mart.listener_count.kind is 'recording, artist, genre, audio_cluster or hour.';
comment on column mart.listener_count.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.listener_count.play_millionths is 'Plays in millionths: a play counts for a genre by its weight. Whole numbers, whose sum is the same in every order.';
comment on column mart.listener_count.ms_millionths is 'How long the plays were heard, in millionths of a ms; of a genre by its weight.';
