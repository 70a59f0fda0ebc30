-- Reasons for rejected rows, most frequent first.
select reason, count(*) as rows
from audit.rejected_row
group by reason
order by count(*) desc, reason
limit 12;
