-- name: last_change
-- The change of presets that was begun last.
select run_id, preset_set, status from live.runs where kind = 'presets' order by started_at desc, run_id desc limit 1

-- name: stragglers
-- Assets that serve another set than the active one, though nothing is under way for them and no change to this set
-- has asked for them since it became active. (An hour for the clocks of those who say so.)
select asset_id from live.assets asset
where status = 'ready' and original_key is not null and deleted_at is null and preset_set <> %(active)s
    and not exists (
        select from live.jobs job where job.asset_id = asset.asset_id and job.state in ('queued', 'active')
    )
    and not exists (
        select from live.jobs job join live.runs run using (run_id)
        where job.asset_id = asset.asset_id and run.preset_set = %(active)s
            and run.started_at > %(activated_at)s::timestamptz - interval '1 hour'
    )
order by asset_id
limit %(limit)s
