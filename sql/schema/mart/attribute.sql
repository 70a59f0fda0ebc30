-- The nine audio features in the order of audit.cluster_fit: bounds of the bins, and words.
create view mart.attribute as
select *
from (
    values
    (1::smallint, 'danceability', 0.0, 1.0, 1000000, 'danceable', null),
    (2::smallint, 'energy', 0.0, 1.0, 1000000, 'energetic', 'calm'),
    (3::smallint, 'loudness', -60.0, 0.0, 1000, 'loud', 'quiet'),
    (4::smallint, 'speechiness', 0.0, 1.0, 1000000, 'spoken', null),
    (5::smallint, 'acousticness', 0.0, 1.0, 1000000, 'acoustic', null),
    (6::smallint, 'instrumentalness', 0.0, 1.0, 1000000, 'instrumental', null),
    (7::smallint, 'liveness', 0.0, 1.0, 1000000, 'live', null),
    (8::smallint, 'valence', 0.0, 1.0, 1000000, 'cheerful', 'sombre'),
    (9::smallint, 'tempo', 40.0, 240.0, 1000, null, null)
) as a (attribute_number, attribute, first_bound, last_bound, steps_per_one, high_word, low_word);

comment on view mart.attribute is 'The audio features that profiles describe.';
comment on column mart.attribute.attribute_number is 'Its index in arrays of audio features, here as in audit.cluster_fit.';
comment on column mart.attribute.attribute is 'The column of warehouse.dim_track.';
comment on column mart.attribute.first_bound is 'Lower bound of the first of 20 equally wide bins; smaller values count in it.';
comment on column mart.attribute.last_bound is 'Upper bound of the last bin; greater values count in it.';
comment on column mart.attribute.steps_per_one is 'Sums are whole numbers of this many steps to one, so that they are the same in every order.';
comment on column mart.attribute.high_word is 'What music far above the catalogue''s mean is called; tempo has words of its own.';
comment on column mart.attribute.low_word is 'The word for music far below the mean; NULL if there is none, then high_word is used with "rarely".';
