-- name: page
-- As many rows as are wanted of each log, newest first by an index, become one order; ties go by log and place.
-- Without an action, of the assets' log only what somebody did is told. Of its four scans those that can't find
-- anything under these parameters are not begun, and no two find the same row. What the housekeeping does when a
-- time is over names the owner in its event, and is nobody's act.
select *
from (
    (
        select 'identity' as log, topic, partition, "offset", log_time, event_id, event_type, accepted,
            actor_id, user_id as subject_id, user_id as owner_id, session_id, key_id, null::uuid as job_id,
            code, data, correlation_id
        from live.account_activity
        where (%(actor_id)s::uuid is null or actor_id = %(actor_id)s)
          and (%(subject_id)s::uuid is null or user_id = %(subject_id)s)
          and (%(action)s::text is null or event_type = %(action)s)
          and log_time >= %(since)s
          and (log_time, partition, "offset") < (%(identity_time)s, %(identity_partition)s, %(identity_offset)s)
        order by log_time desc, partition desc, "offset" desc
        limit %(limit)s
    )
    union all
    select 'assets', topic, partition, "offset", log_time, event_id, event_type, accepted,
        actor_id, asset_id, owner_id, null, null, job_id,
        code, data || jsonb_strip_nulls(jsonb_build_object('kind', kind, 'attempt', attempt)), correlation_id
    from (
        (
            -- everybody's
            select * from live.activity
            where %(actor_id)s::uuid is null and %(subject_id)s::uuid is null
              and (%(action)s::text is null and actor_id is not null or event_type = %(action)s)
              and log_time >= %(since)s
              and (log_time, partition, "offset") < (%(assets_time)s, %(assets_partition)s, %(assets_offset)s)
            order by log_time desc, partition desc, "offset" desc
            limit %(limit)s
        )
        union all
        (
            -- of a person's assets; and what an actor did to their own
            select * from live.activity
            where (%(actor_id)s::uuid is null or coalesce(%(subject_id)s::uuid, %(actor_id)s) = %(actor_id)s)
              and owner_id = coalesce(%(subject_id)s::uuid, %(actor_id)s)
              and (%(actor_id)s::uuid is null or actor_id = %(actor_id)s and code is distinct from 'expired')
              and (%(action)s::text is null and actor_id is not null or event_type = %(action)s)
              and log_time >= %(since)s
              and (log_time, partition, "offset") < (%(assets_time)s, %(assets_partition)s, %(assets_offset)s)
            order by log_time desc, partition desc, "offset" desc
            limit %(limit)s
        )
        union all
        (
            -- what an actor did to others' assets
            select * from live.activity
            where actor_id = %(actor_id)s::uuid and actor_id <> owner_id and code is distinct from 'expired'
              and (%(subject_id)s::uuid is null or owner_id = %(subject_id)s)
              and (%(action)s::text is null or event_type = %(action)s)
              and log_time >= %(since)s
              and (log_time, partition, "offset") < (%(assets_time)s, %(assets_partition)s, %(assets_offset)s)
            order by log_time desc, partition desc, "offset" desc
            limit %(limit)s
        )
        union all
        (
            -- of one asset, which has few
            select * from live.activity
            where asset_id = %(subject_id)s::uuid and owner_id <> %(subject_id)s
              and (%(actor_id)s::uuid is null or actor_id = %(actor_id)s and code is distinct from 'expired')
              and (%(action)s::text is null and actor_id is not null or event_type = %(action)s)
              and log_time >= %(since)s
              and (log_time, partition, "offset") < (%(assets_time)s, %(assets_partition)s, %(assets_offset)s)
            order by log_time desc, partition desc, "offset" desc
            limit %(limit)s
        )
    ) found
) entry
order by log_time desc, log desc, partition desc, "offset" desc
limit %(limit)s
