insert into live.batch (
    query_id, batch_id, events, committed_at, next_offsets, rejected_messages, id_turn, id_turn_date
)
select
    :query_id,
    :batch_id,
    :events,
    now(),
    array_agg(coalesce(last_offset + 1, 0) order by partition),
    array_agg(rejected_messages order by partition),
    :id_turn,
    :id_turn_date
from live.progress;
