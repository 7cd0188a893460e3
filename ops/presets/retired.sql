-- name: asked
-- Sets of which the log was asked whether they may go.
select manifest_key, asset_id, event_id, partition, "offset" from api.retired_sets

-- name: ask
-- One more; nothing where it was asked already.
insert into api.retired_sets (manifest_key, asset_id, event_id) values (%(key)s, %(asset_id)s, %(event_id)s)
on conflict (manifest_key) do nothing

-- name: acknowledged
-- Where the question stands in the log.
update api.retired_sets set partition = %(partition)s, "offset" = %(offset)s where event_id = %(event_id)s

-- name: done
-- It was answered, and what the answer asked for is done.
delete from api.retired_sets where event_id = %(event_id)s
