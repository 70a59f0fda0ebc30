insert into live.progress as t (
    partition, continent, generation, next_offset, accepted_events, duplicate_events, late_events, rejected_messages,
    lost_messages, last_offset, watermark, complete_from, updated_at
) values (
    :partition, :continent, :generation, :next_offset, :accepted_events, :duplicate_events,
    :late_events, :rejected_messages, 0, :last_offset, :watermark,
    case when :is_complete then '-infinity' else now() end, now()
)
on conflict (partition) do update
set continent = excluded.continent,
    generation = excluded.generation,
    -- Lost messages may be counted before a batch passes them.
    next_offset = greatest(t.next_offset, excluded.next_offset),
    accepted_events = t.accepted_events + excluded.accepted_events,
    duplicate_events = t.duplicate_events + excluded.duplicate_events,
    late_events = t.late_events + excluded.late_events,
    rejected_messages = t.rejected_messages + excluded.rejected_messages,
    last_offset = coalesce(excluded.last_offset, t.last_offset),
    -- greatest ignores NULL: a watermark never moves back.
    watermark = greatest(t.watermark, excluded.watermark),
    updated_at = excluded.updated_at;
