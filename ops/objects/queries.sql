-- name: uploaded
-- The next assets, by id, that have an original.
select asset_id from live.assets
where uploaded_at is not null and (%(after)s::uuid is null or asset_id > %(after)s)
order by asset_id
limit %(limit)s

-- name: set_aside
-- How many records of the topic wait in quarantine, in the active read models.
select count(*) from infra.quarantine q
join infra.read_models m on m.name = q.read_model and m.version = q.version and m.active
where q.topic = %(topic)s
