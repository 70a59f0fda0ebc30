create function mart.sound_in_words(
    noun text,
    entries bigint,
    featured_entries bigint,
    distances double precision[],
    mean_tempo double precision,
    newness_distance double precision
)
returns text
language sql
immutable parallel safe
as $$
    with trait as (
        select
            abs(d.distance) as strength,
            a.attribute_number,
            d.distance < 0 and a.low_word is null as is_rarely,
            case when d.distance < 0 then coalesce(a.low_word, a.high_word) else a.high_word end as word
        from unnest(distances) with ordinality as d (distance, attribute_number)
        inner join mart.attribute as a on a.attribute_number = d.attribute_number
        where a.high_word is not null and abs(d.distance) >= 0.3
    ),

    -- "Mostly" takes the three strongest, "rarely" the two strongest.
    telling as (
        select
            *,
            row_number() over (partition by is_rarely order by strength desc, attribute_number) as trait_rank,
            case when strength >= 1 and not is_rarely then 'very ' else '' end || word as words
        from trait
    ),

    phrase as (
        select
            mart.listed(
                array_agg(words order by trait_rank) filter (where not is_rarely and trait_rank <= 3), 'and'
            ) as mostly,
            mart.listed(array_agg(words order by trait_rank) filter (where is_rarely and trait_rank <= 2), 'or') as rarely
        from telling
    ),

    told as (
        select concat_ws(
            '; ',
            coalesce(
                nullif(concat_ws(', ', 'mostly ' || mostly, 'rarely ' || rarely), ''), 'near the middle of the catalogue'
            ),
            case when distances[9] >= 0.3 then 'fast' when distances[9] <= -0.3 then 'slow' else 'of medium tempo' end
            || ' (mean ' || round(mean_tempo) || ' BPM)',
            case
                when newness_distance >= 0.3 then 'newer than the catalogue''s average'
                when newness_distance <= -0.3 then 'older than the catalogue''s average'
            end
        ) as text
        from phrase
    )

    select case
        when entries = 0 then 'There is no ' || noun || ' to describe.'
        when featured_entries = 0 and entries = 1 then 'Not known: the only ' || noun || ' has no audio features.'
        when featured_entries = 0 then 'Not known: none of the ' || entries || ' ' || noun || 's has audio features.'
        when num_nonnulls(variadic distances) = 0 then 'Not known yet: the audio clusters have not been fitted.'
        else
            case
                when featured_entries = 1 then 'By one ' || noun || ' only: ' || told.text
                when featured_entries < 5 then 'By ' || featured_entries || ' ' || noun || 's only: ' || told.text
                else upper(left(told.text, 1)) || substr(told.text, 2)
            end
            || '.'
            || case
                when featured_entries < entries
                    then ' Of ' || entries || ' ' || noun || 's ' || entries - featured_entries
                        || case when entries - featured_entries = 1 then ' has' else ' have' end || ' no audio features.'
                else ''
            end
    end
    from told
$$;

comment on function mart.sound_in_words is 'A sentence on how music sounds, from the distances of its mean to the catalogue''s mean, in standard deviations by attribute_number; docs/marts.md has the rule.';
