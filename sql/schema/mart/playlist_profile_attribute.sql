create view mart.playlist_profile_attribute as
select
    l.playlist_key,
    l.playlist_id,
    l.name as playlist,
    l.owner_id,
    p.attribute,
    p.entries as tracks,
    p.mean,
    p.deviation,
    p.distance,
    p.lower_quartile,
    p.median,
    p.upper_quartile,
    p.entries_by_bin as tracks_by_bin
from mart.profile_attribute as p
inner join warehouse.dim_playlist as l on l.playlist_key = p.subject_key
where p.scope = 'playlist'
    and not exists (select from warehouse.exclusion as x where x.kind = 'user' and x.id = l.owner_id);

comment on view mart.playlist_profile_attribute is 'An audio feature of a playlist: mean, spread and distribution.';
comment on column mart.playlist_profile_attribute.playlist_key is 'The playlist.';
comment on column mart.playlist_profile_attribute.playlist_id is 'Its id.';
comment on column mart.playlist_profile_attribute.playlist is 'Its name.';
comment on column mart.playlist_profile_attribute.owner_id is 'The user who owns it; NULL if no API gave it.';
comment on column mart.playlist_profile_attribute.attribute is 'The audio feature, a column of warehouse.dim_track.';
comment on column mart.playlist_profile_attribute.tracks is 'Recordings with a known value.';
comment on column mart.playlist_profile_attribute.mean is 'Mean, in the audio feature''s own unit: loudness in dB, tempo in beats a minute, else 0 to 1.';
comment on column mart.playlist_profile_attribute.deviation is 'Standard deviation, in the same unit.';
comment on column mart.playlist_profile_attribute.distance is 'Of the mean from the catalogue''s mean, in the catalogue''s standard deviations; NULL before the first fit of the clusters.';
comment on column mart.playlist_profile_attribute.lower_quartile is 'A quarter lies below, to within a bin.';
comment on column mart.playlist_profile_attribute.median is 'Half lies below, to within a bin.';
comment on column mart.playlist_profile_attribute.upper_quartile is 'Three quarters lie below, to within a bin.';
comment on column mart.playlist_profile_attribute.tracks_by_bin is 'Number of entries in each of the 20 bins between the bounds of mart.attribute.';
