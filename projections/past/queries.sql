-- name: logged_at
-- When the log took this record.
select log_time from live.activity where topic = %(topic)s and partition = %(partition)s and "offset" = %(offset)s

-- name: beginning
select min(log_time) from live.activity

-- name: spots
-- Every accepted record of some assets of an owner (null: of all of them) up to the moment; in the order of one
-- partition up to the position, in the others by the log's time. A broker's clock may go back when another leads:
-- then an asset's records end before the first that is too late, for nothing is folded without what came before.
select asset_id, partition, "offset" from live.activity a
where topic = %(topic)s and accepted
  and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
  and (%(asset_ids)s::uuid[] is null or asset_id = any(%(asset_ids)s))
  and case
      when partition = %(partition)s::int then "offset" <= %(offset)s
      else log_time <= %(log_time)s and not exists (
          select from live.activity e
          where e.asset_id = a.asset_id and e."offset" < a."offset" and e.log_time > %(log_time)s
      )
  end
order by partition, "offset"
limit %(limit)s

-- name: begun
-- The assets that an owner had asked for by then, newest first.
select asset_id, log_time, partition, "offset" from live.activity
where topic = %(topic)s and accepted and event_type = 'UploadRequested' and owner_id = %(owner_id)s
  and log_time <= %(log_time)s
  and (%(partition)s::int is null or partition <> %(partition)s or "offset" <= %(offset)s)
  and (%(before_time)s::timestamptz is null
       or (log_time, partition, "offset") < (%(before_time)s, %(before_partition)s, %(before_offset)s))
order by log_time desc, partition desc, "offset" desc
limit %(limit)s
