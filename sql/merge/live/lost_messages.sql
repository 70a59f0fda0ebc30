update live.progress as p
set lost_messages = p.lost_messages + :oldest_offset - p.next_offset,
    next_offset = :oldest_offset,
    complete_from = now()
from live.progress as before
where p.partition = :partition
    and before.partition = p.partition
    and p.generation = :generation
    and p.next_offset < :oldest_offset
returning :oldest_offset - before.next_offset as lost_messages;
