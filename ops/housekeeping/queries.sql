-- name: overdue
-- Uploads whose time was over before the moment given, the longest overdue first.
select asset_id, owner_id, upload_id from live.assets
where status = 'requested' and expires_at < %(before)s
order by expires_at
limit %(limit)s

-- name: standing
-- What the log has said of these assets, as far as it is applied; of others there is no row.
select asset_id,
    case when uploaded_at is not null then 'arrived' when status = 'expired' then 'expired' else 'awaited' end
from live.assets where asset_id = any(%(asset_ids)s)
union all
select distinct asset_id, 'purged' from live.activity
where asset_id = any(%(asset_ids)s) and event_type = 'AssetPurged' and accepted

-- name: purged
-- The assets that were purged since the moment given, and when.
select asset_id, max(log_time) from live.activity
where event_type = 'AssetPurged' and accepted and log_time > %(since)s
group by asset_id

-- name: trashed
-- Assets that were deleted before the moment given, and those that nothing brings back any more.
select asset_id, owner_id, version, doomed, incoming_key from live.assets
where deleted_at is not null and (deleted_at < %(before)s or doomed)
order by deleted_at
limit %(limit)s
