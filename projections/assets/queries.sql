-- name: asset
-- One asset of one owner.
select * from live.assets where asset_id = %(asset_id)s and owner_id = %(owner_id)s

-- name: assets_by_id
-- Several, whoever owns them.
select * from live.assets where asset_id = any(%(asset_ids)s)

-- name: page
-- The next page of an owner's assets, newest first; what lies in the trash is left out.
select * from live.assets
where owner_id = %(owner_id)s
  and deleted_at is null
  and (%(status)s::text is null or status = %(status)s)
  and (%(listed_at)s::timestamptz is null or (listed_at, asset_id) < (%(listed_at)s, %(asset_id)s::uuid))
order by listed_at desc, asset_id desc
limit %(limit)s
