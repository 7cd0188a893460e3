-- name: original
-- One original, of one owner or (null) of anybody.
select asset_id, owner_id, original_key, size, data_key_id, sealed_digests, preset_set, manifest_key, kept,
       version, position_partition, position_offset
from live.assets
where asset_id = %(asset_id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
  and original_key is not null and deleted_at is null

-- name: wanted
-- Originals that a run picks and has asked nothing of, by asset id.
select asset_id, owner_id, original_key, size, data_key_id, sealed_digests, preset_set, manifest_key, kept,
       version, position_partition, position_offset

-- name: how_many
-- The same, counted.
select count(*)

-- name: picked
-- What the run picks: each condition counts where its parameter is not null.
from live.assets a
where original_key is not null and deleted_at is null
  and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
  and (%(asset_ids)s::uuid[] is null or asset_id = any(%(asset_ids)s))
  and (%(statuses)s::text[] is null or status = any(%(statuses)s))
  and (%(content_types)s::text[] is null or content_type = any(%(content_types)s))
  and (%(since)s::timestamptz is null or uploaded_at >= %(since)s)
  and (%(until)s::timestamptz is null or uploaded_at < %(until)s)
  and (%(not_of_set)s::text is null or preset_set <> %(not_of_set)s)
  and not exists (
      select 1 from live.jobs j where j.asset_id = a.asset_id and j.run_id = %(run_id)s
  )

-- name: page
  and (%(after)s::uuid is null or asset_id > %(after)s)
order by asset_id
limit %(limit)s

-- name: superseded
-- Assets with a set that another took the place of before a moment; for retirement.
select asset_id, owner_id, original_key, size, data_key_id, sealed_digests, preset_set, manifest_key, kept,
       version, position_partition, position_offset
from live.assets
where kept <> '[]'::jsonb and (%(after)s::uuid is null or asset_id > %(after)s)
order by asset_id
limit %(limit)s
