create view mart.profile_bin as
select
    'playlist' as scope, playlist_key as subject_key, attribute_number, bin, tracks::bigint as entries, total,
    square_total::numeric
from mart.playlist_bin
union all
select 'plays', listener_key, attribute_number, bin, plays, total, square_total from mart.listener_bin
union all
select
    'playlists',
    o.listener_key,
    b.attribute_number,
    b.bin,
    sum(b.tracks)::bigint,
    sum(b.total)::bigint,
    sum(b.square_total)
from mart.playlist_owner as o
inner join mart.playlist_bin as b on b.playlist_key = o.playlist_key
group by o.listener_key, b.attribute_number, b.bin;

comment on view mart.profile_bin is 'The same by the value of an audio feature.';
comment on column mart.profile_bin.scope is 'playlist, plays or playlists.';
comment on column mart.profile_bin.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_bin.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.profile_bin.bin is 'From 1 to 20, between the bounds of mart.attribute.';
comment on column mart.profile_bin.entries is 'Recordings or plays in the bin.';
comment on column mart.profile_bin.total is 'Sum of their values, in steps.';
comment on column mart.profile_bin.square_total is 'Sum of the squares of these.';
