create function mart.audio_position(
    totals bigint[], entries bigint, means double precision[], deviations double precision[]
)
returns double precision[]
language sql
immutable parallel safe
as $$
    select array[
        coalesce((totals[1]::double precision / entries / 1000000 - means[1]) / nullif(deviations[1], 0), 0),
        coalesce((totals[2]::double precision / entries / 1000000 - means[2]) / nullif(deviations[2], 0), 0),
        coalesce((totals[3]::double precision / entries / 1000 - means[3]) / nullif(deviations[3], 0), 0),
        coalesce((totals[4]::double precision / entries / 1000000 - means[4]) / nullif(deviations[4], 0), 0),
        coalesce((totals[5]::double precision / entries / 1000000 - means[5]) / nullif(deviations[5], 0), 0),
        coalesce((totals[6]::double precision / entries / 1000000 - means[6]) / nullif(deviations[6], 0), 0),
        coalesce((totals[7]::double precision / entries / 1000000 - means[7]) / nullif(deviations[7], 0), 0),
        coalesce((totals[8]::double precision / entries / 1000000 - means[8]) / nullif(deviations[8], 0), 0),
        coalesce((totals[9]::double precision / entries / 1000 - means[9]) / nullif(deviations[9], 0), 0)
    ]
$$;

comment on function mart.audio_position is 'The mean of a number of entries with the given totals of audio features (in steps), in standard deviations from the catalogue''s mean; 0 if the catalogue does not vary.';
