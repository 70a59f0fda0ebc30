-- Calls of one refresh, by endpoint.
select asked.key as endpoint, sum(cast(asked.value as bigint)) as calls
from audit."fetch" as made
cross join jsonb_each_text(made.calls) as asked
where made.run_id = :run_id
group by asked.key
order by calls desc, endpoint;
