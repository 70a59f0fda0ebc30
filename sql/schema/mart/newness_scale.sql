create view mart.newness_scale as
select
    newness_total::double precision / nullif(dated_recordings, 0) / 1000000 as mean,
    sqrt(dated_recordings * newness_square_total - newness_total::numeric * newness_total)::double precision
    / nullif(dated_recordings, 0) / 1000000 as deviation
from mart.counted_catalogue;

comment on view mart.newness_scale is 'Mean and deviation of the catalogue''s newness scores.';
comment on column mart.newness_scale.mean is 'The mean.';
comment on column mart.newness_scale.deviation is 'The standard deviation.';
