-- name: link
-- One link by its id, whoever's it is.
select * from live.links where link_id = %(link_id)s

-- name: links_of
-- The links of one asset that can still be revoked, the newest first; an asset has a hundred at most.
select * from live.links
where asset_id = %(asset_id)s and owner_id = %(owner_id)s and revoked_at is null
order by issued_at desc, link_id desc
limit 200
