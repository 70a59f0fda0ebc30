-- Which events of the batch were in earlier batches. Each id is looked up by itself: "limit" keeps PostgreSQL from
-- making it a join, which would read all ids of two days.
set local enable_seqscan = off;

insert into batch_known_event (position)
select b.position
from batch_event_id as b
where (select true from live.event_id_even as e where e.event_id = b.event_id limit 1)
    or (select true from live.event_id_odd as o where o.event_id = b.event_id limit 1);

set local enable_seqscan = on;

insert into live.event_id_even (event_id)
select b.event_id
from batch_event_id as b
where :is_even_turn and not exists (select from batch_known_event as k where k.position = b.position)
order by b.event_id;

insert into live.event_id_odd (event_id)
select b.event_id
from batch_event_id as b
where not :is_even_turn and not exists (select from batch_known_event as k where k.position = b.position)
order by b.event_id;

select position from batch_known_event;
