create function mart.audio_values(all_steps integer[])
returns table (attribute_number smallint, steps bigint, bin smallint)
language sql
immutable parallel safe
as $$
    select
        a.attribute_number,
        s.steps::bigint,
        least(greatest(
            (s.steps - a.first_bound::bigint * a.steps_per_one) * 20
            / ((a.last_bound - a.first_bound)::bigint * a.steps_per_one) + 1,
            1
        ), 20)::smallint
    from unnest(all_steps) with ordinality as s (steps, attribute_number)
    inner join mart.attribute as a on a.attribute_number = s.attribute_number
    where s.steps is not null
$$;

comment on function mart.audio_values is 'The audio features of mart.audio_point one by one, each with the bin that it falls into.';
