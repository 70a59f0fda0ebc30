-- The results of runs, from the audit.
select run_id, result, message
from audit.run
where run_id = any(:run_ids)
