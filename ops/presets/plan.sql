-- name: sizes
-- Upright sizes of the originals that a set would be made of, and how many there are of each; of these so many
-- have it standing, kept from earlier. Nobody knows the size of what was never rendered.
select coalesce(width, 0), coalesce(height, 0), count(*),
       count(*) filter (where kept @> jsonb_build_array(jsonb_build_object('preset_set', %(preset_set)s::text)))
from live.assets
where original_key is not null and deleted_at is null and preset_set <> %(preset_set)s
group by 1, 2

-- name: sets
-- How many assets are served with each set.
select preset_set, count(*) from live.assets where preset_set is not null group by preset_set

-- name: kept
-- How many assets keep each set that is not served any more.
select one ->> 'preset_set', count(*)
from live.assets, jsonb_array_elements(kept) one
where kept <> '[]'::jsonb
group by 1

-- name: measured
-- What the last renders took: milliseconds of processor time for each, by how many.
select coalesce(avg((cost ->> 'cpu_ms')::float), 0), count(*) from (
    select cost from live.jobs
    where state = 'completed' and (cost ->> 'cpu_ms')::bigint > 0
    order by finished_at desc
    limit 1000
) last

-- name: bytes
-- Bytes and pixels of variants that are served, over the newest assets.
select coalesce(sum((one ->> 'size')::bigint), 0),
       coalesce(sum((one ->> 'width')::bigint * (one ->> 'height')::bigint), 0)
from (
    select variants from live.assets where preset_set is not null order by processed_at desc limit 1000
) last, jsonb_array_elements(variants) one
