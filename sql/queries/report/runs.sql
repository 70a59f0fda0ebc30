-- How runs ended, as the audit says it.
select run_id, result, message
from audit.run
where run_id = any(:run_ids)
