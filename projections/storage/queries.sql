-- name: storage
-- All partitions together; of everybody where no owner is named.
select kind, status, trashed, format, sum(files)::bigint as files, sum(bytes)::bigint as bytes
from live.storage
where %(owner_id)s::uuid is null or owner_id = %(owner_id)s
group by kind, status, trashed, format
order by kind, status, trashed, format
