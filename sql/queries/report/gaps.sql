-- Periods in which plays of an account may be missing, and whether an export has covered them.
select
    user_id,
    count(*) as gaps,
    count(*) filter (where closed_at is null) as open_gaps,
    sum(extract(epoch from gap_to - gap_from)) filter (where closed_at is null) / 3600 as open_hours
from audit.gap
group by user_id
order by user_id;
