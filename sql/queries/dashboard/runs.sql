-- The latest runs of each job.
select job, started_at, finished_at, result, message, extract(epoch from finished_at - started_at) as seconds
from (
    select *, row_number() over (partition by job order by started_at desc) as place
    from audit.run
) as r
where place <= 10
order by started_at desc;
