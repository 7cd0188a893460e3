-- name: history
-- All that was said of one asset, which lies in one partition; steps are timed by the log's clock. Of records
-- that say the same the first one has the cause.
select told.*,
    coalesce(
        told.causation_id,
        case when told.actor_id is null then (
            select asked.event_id from live.activity asked
            where asked.asset_id = told.asset_id and asked.job_id = told.job_id and asked.accepted
              and asked.event_type in ('UploadCompleted', 'VariantsRequested')
            order by asked."offset"
            limit 1
        ) end
    ) as caused_by
from (
    select a.*, a.log_time - lag(a.log_time) over (order by a."offset") as since_before
    from live.activity a
    where a.asset_id = %(asset_id)s
) told
where told."offset" > %(after)s
  and exists (
    select 1 from live.activity mine where mine.asset_id = %(asset_id)s and mine.owner_id = %(owner_id)s
  )
order by told."offset"
limit %(limit)s
