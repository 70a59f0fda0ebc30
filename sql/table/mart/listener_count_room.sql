-- A night adds to some of the counts of everybody who listened. Where no index holds what changes and the page has room,
-- the row stays on its page and no index is written; a user's few thousand counts are ranked as they are read.
drop index mart.listener_count_rank_idx;
alter table mart.listener_count set (fillfactor = 80);
