create view mart.user_personality as
select
    l.user_id,
    t.letters,
    n.name,
    n.description,
    -- The traits are told from different things, so that their chances multiply.
    case when t.letters is not null
        then t.exploration_sureness * t.newness_sureness * t.loyalty_sureness * t.commonality_sureness
    end as sureness,
    t.plays,
    t.dated_plays,
    t.choices,
    t.exploration,
    t.exploration_sureness,
    t.newness,
    t.newness_sureness,
    t.loyalty,
    t.loyalty_sureness,
    t.commonality,
    t.commonality_sureness,
    case
        when t.plays < 50 then 'There are too few plays outside of playlists so far (' || t.plays || '): 50 are needed.'
        when
            t.choices < 10
            then 'There are too few choices among the plays so far (' || t.choices || '): 10 are needed.'
        when t.newness is null then 'The release dates of too few choices are known: 10 are needed.'
        when t.commonality is null then 'The popularity of too few choices'' artists is known: 10 are needed.'
    end as what_is_missing
from (
    select
        *,
        -- How likely the trait lies on that side of the middle: the normal distribution, to 0.01.
        1 / (1 + exp(-1.702 * abs(exploration - 0.5) / exploration_error)) as exploration_sureness,
        1 / (1 + exp(-1.702 * abs(newness - 0.5) / newness_error)) as newness_sureness,
        1 / (1 + exp(-1.702 * abs(loyalty - 0.5) / loyalty_error)) as loyalty_sureness,
        1 / (1 + exp(-1.702 * abs(commonality - 0.5) / commonality_error)) as commonality_sureness,
        -- NULL where one of the traits is.
        case when exploration >= 0.5 then 'E' when exploration < 0.5 then 'F' end
        || case when newness >= 0.5 then 'N' when newness < 0.5 then 'T' end
        || case when loyalty >= 0.5 then 'L' when loyalty < 0.5 then 'V' end
        || case when commonality >= 0.5 then 'C' when commonality < 0.5 then 'U' end as letters
    from mart.listener_personality
) as t
inner join mart.listener as l on l.listener_key = t.listener_key
left join mart.personality as n on n.letters = t.letters;

comment on view mart.user_personality is 'The listening personality of a user, inferred from plays alone: four traits from 0 to 1, whose middle is 0.5. docs/personality.md explains it.';
comment on column mart.user_personality.user_id is 'The user.';
comment on column mart.user_personality.letters is 'E or F, N or T, L or V, C or U; NULL with too little data, see what_is_missing.';
comment on column mart.user_personality.name is 'Name of the respondentality.';
comment on column mart.user_personality.description is 'The personality''s way of listening in a sentence.';
comment on column mart.user_personality.sureness is 'How likely all four letters are right, 0 to 1; for the middle of all four traits 0.06.';
comment on column mart.user_personality.plays is 'Number of evaluated plays, which are those outside of playlists: the latest months with 2,000 together.';
comment on column mart.user_personality.dated_plays is 'Number of them with a known release date.';
comment on column mart.user_personality.choices is 'Number of them that are choices: the recording was not among the thirty plays before.';
comment on column mart.user_personality.exploration is 'From 0, always the same artists (F), to 1, always other artists (E).';
comment on column mart.user_personality.exploration_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.user_personality.newness is 'From 0, the oldest music (T), to 1, the newest of its time (N).';
comment on column mart.user_personality.newness_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.user_personality.loyalty is 'From 0, many different tracks (V), to 1, the same ones on repeat (L).';
comment on column mart.user_personality.loyalty_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.user_personality.commonality is 'From 0, artists that few play (U), to 1, artists that most play (C).';
comment on column mart.user_personality.commonality_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.user_personality.what_is_missing is 'Why there are no letters, as a text; NULL if there are.';
