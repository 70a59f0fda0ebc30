create view mart.taste_profile_attribute as
select
    l.user_id,
    p.scope,
    p.attribute,
    p.entries,
    p.mean,
    p.deviation,
    p.distance,
    p.lower_quartile,
    p.median,
    p.upper_quartile,
    p.entries_by_bin
from mart.profile_attribute as p
inner join mart.listener as l on l.listener_key = p.subject_key
where p.scope in ('plays', 'playlists');

comment on view mart.taste_profile_attribute is 'An audio feature of a user''s plays and playlists: mean, spread and distribution.';
comment on column mart.taste_profile_attribute.user_id is 'The user.';
comment on column mart.taste_profile_attribute.scope is 'plays, or playlists: all that the user owns, a recording counting once a playlist.';
comment on column mart.taste_profile_attribute.attribute is 'The audio feature, a column of warehouse.dim_track.';
comment on column mart.taste_profile_attribute.entries is 'Plays, or recordings of playlists, with a known value.';
comment on column mart.taste_profile_attribute.mean is 'Mean, in the audio feature''s own unit: loudness in dB, tempo in beats a minute, else 0 to 1.';
comment on column mart.taste_profile_attribute.deviation is 'Standard deviation, in the same unit.';
comment on column mart.taste_profile_attribute.distance is 'Of the mean from the catalogue''s mean, in the catalogue''s standard deviations; NULL before the first fit of the clusters.';
comment on column mart.taste_profile_attribute.lower_quartile is 'A quarter lies below, to within a bin.';
comment on column mart.taste_profile_attribute.median is 'Half lies below, to within a bin.';
comment on column mart.taste_profile_attribute.upper_quartile is 'Three quarters lie below, to within a bin.';
comment on column mart.taste_profile_attribute.entries_by_bin is 'Number of entries in each of the 20 bins between the bounds of mart.attribute.';
