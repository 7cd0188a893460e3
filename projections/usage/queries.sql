-- name: usage
-- Sums over all partitions; `by_*` say which columns make a group, the others are null.
select
    case when %(by_owner)s then owner_id end as owner_id,
    case when %(by_asset)s then asset_id end as asset_id,
    case when %(by_preset_set)s then preset_set end as preset_set,
    case when %(by_day)s then day end as day,
    count(*) as jobs,
    sum(cpu_ms)::bigint as cpu_ms,
    sum(wall_ms)::bigint as wall_ms,
    sum(bytes_read)::bigint as bytes_read,
    sum(bytes_written)::bigint as bytes_written
from live.usage
where (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
  and (%(asset_id)s::uuid is null or asset_id = %(asset_id)s)
  and (%(since)s::date is null or day >= %(since)s)
  and (%(until)s::date is null or day <= %(until)s)
group by 1, 2, 3, 4
order by sum(cpu_ms) desc, 4, 1, 2, 3
limit %(limit)s
