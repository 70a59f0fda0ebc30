-- Rows and ids that were matched to existing tracks: by source and method, with the mean score.
select source, method, count(*) as matches, avg(score) as score
from audit.reconciliation
group by source, method
order by source, count(*) desc, method;
