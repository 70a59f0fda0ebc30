create type mart.counted_kind as enum ('recording', 'artist', 'genre', 'audio_cluster', 'hour');

comment on type mart.counted_kind is 'What plays are counted by.';
