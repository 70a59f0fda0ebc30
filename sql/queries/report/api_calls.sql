-- Calls of the Spotify API in one refresh, by endpoint.
select asked.key as endpoint, sum(cast(asked.value as bigint)) as calls
from audit."fetch" as made
cross join jsonb_each_text(made.calls) as asked
where made.run_id = :run_id and made.part not in ('reccobeats', 'mock_reccobeats')
group by asked.key
order by calls desc, endpoint;
