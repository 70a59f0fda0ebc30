-- Rejected rows without a row number are numbered within their input by content.
update staging.rejected_row as s
set row_number = n.row_number
from (
    select ctid, row_number() over (partition by input_id order by "row" collate "C", reason collate "C") as row_number
    from staging.rejected_row
    where row_number is null
) as n
where n.ctid = s.ctid;
