-- name: asset
-- One asset of one owner.
select * from live.assets where asset_id = %(asset_id)s and owner_id = %(owner_id)s

-- name: assets_by_id
-- Several, whoever owns them.
select * from live.assets where asset_id = any(%(asset_ids)s)

-- name: page
-- An owner's assets. What a page asks for beyond that is put together of the pieces below.
select * from live.assets where owner_id = %(owner_id)s

-- name: kept
-- What was called off, by its owner or in favour of a twin, is nobody's picture.
  and deleted_at is null and error_code is distinct from 'aborted'

-- name: trashed
  and deleted_at is not null

-- name: status
  and status = %(status)s

-- name: found
  and array_to_tsvector(search || owner_id::text) @@ %(query)s::tsquery

-- name: since
  and listed_at >= %(since)s

-- name: until
  and listed_at < %(until)s

-- name: content_type
  and content_type = %(content_type)s

-- name: by_uploaded
listed_at

-- name: by_taken
coalesce(taken_at, '')

-- name: by_title
left(lower(coalesce(title, file_name, '')), 64)

-- name: by_size
coalesce(size, 0)
