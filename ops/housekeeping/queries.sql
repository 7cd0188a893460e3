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
