-- Findings about windows that ended before a time. The scores over all rules of their users follow.
lock table mart.anomaly in share row exclusive mode;

create temporary table deleted_finding on commit drop as
with deleted as (
    delete from mart.anomaly where window_end < :before returning user_id
)

select user_id from deleted;

with rule_score as (
    select a.user_id, a.rule, max(a.score) as score
    from mart.anomaly as a
    where a.user_id in (select d.user_id from deleted_finding as d)
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

select count(*) as findings from deleted_finding;
