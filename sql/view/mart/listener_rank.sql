-- Read by user, kind and year, it stops at the rank that is asked for.
create view mart.listener_rank as
select
    listener_key,
    kind,
    year,
    row_number() over (
        partition by listener_key, kind, year order by play_millionths desc, item_key
    ) as rank,
    item_key,
    play_millionths,
    ms_millionths
from mart.listener_count;

comment on view mart.listener_rank is 'What a user played most in a year, in order.';
comment on column mart.listener_rank.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_rank.kind is 'recording, artist, genre, audio_cluster or hour.';
comment on column mart.listener_rank.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.listener_rank.rank is '1 for the most played; of equals the smallest key comes first.';
comment on column mart.listener_rank.item_key is 'recording_key, artist_key or genre_key; the number of the cluster; the hour.';
comment on column mart.listener_rank.play_millionths is 'Plays in millionths: a play counts for a genre by its weight.';
comment on column mart.listener_rank.ms_millionths is 'How long they were heard, in millionths of a ms; of a genre by its weight.';
