-- Minutes that are closed now need no listeners any more.
delete from live.active_listener as a
using live.progress as p
where a.partition = p.partition
    and a.minute_start <= p.watermark - interval '1 minute';
