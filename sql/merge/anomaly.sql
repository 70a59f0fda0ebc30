-- Merge the rows of the temporary table finding, and leave in changed_finding what is new or different.
create temporary table changed_finding on commit drop as
with merged as (
    insert into mart.anomaly as a (
        user_id, rule, window_start, window_end, reason, score, combined_score, detected_at, source
    )
    select user_id, rule, window_start, window_end, reason, score, score, now(), source
    from finding
    order by user_id, rule, window_start
    on conflict (user_id, rule, window_start) do update
    set window_end = excluded.window_end, reason = excluded.reason, score = excluded.score, source = excluded.source
    where (a.window_end, a.reason, a.score, a.source)
        is distinct from (excluded.window_end, excluded.reason, excluded.score, excluded.source)
    returning a.user_id, a.rule, a.window_start
)

select * from merged;

-- The user's score over all rules, for everyone with a change.
with changed_user as (
    select user_id from changed_finding
    union
    select user_id from withdrawn_finding
),

rule_score as (
    select a.user_id, a.rule, max(a.score) as score
    from changed_user as u
    inner join mart.anomaly as a on a.user_id = u.user_id
    group by a.user_id, a.rule
),

combined as (
    select user_id, 1 - exp(sum(ln(1 - score) order by rule)) as combined_score
    from rule_score
    group by user_id
)

update mart.anomaly as a
set combined_score = c.combined_score
from combined as c
where a.user_id = c.user_id and a.combined_score is distinct from c.combined_score;
