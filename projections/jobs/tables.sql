-- One row a job. The key begins with the asset, so that no row is ever fed by two partitions.
create table jobs (
    asset_id    uuid        not null,
    job_id      uuid        not null,
    owner_id    uuid        not null,
    nth         bigint      not null,         -- its place among the asset's jobs, from 1
    kind        text        not null,         -- upload, retry, regenerate, redrive, presets
    lane        text        not null,
    state       text        not null,         -- queued, active, completed, failed, deleted
    attempts    bigint      not null,
    error_kind  text,
    error_code  text,
    queued_at   timestamptz not null,
    started_at  timestamptz,
    finished_at timestamptz,
    worker      text,
    cost        jsonb,                        -- {cpu_ms, wall_ms, peak_rss_kib, bytes_read, bytes_written}
    run_id      uuid,                         -- the run that asked for it
    primary key (asset_id, job_id)
);
create index jobs_by_id on jobs (job_id);
create index jobs_of_owner on jobs (owner_id, queued_at desc, job_id desc);
create index jobs_in_time on jobs (queued_at desc, job_id desc);
create index jobs_of_run on jobs (run_id, state) where run_id is not null;
create index jobs_under_way on jobs (owner_id) where state in ('queued', 'active');
create index jobs_ended on jobs (finished_at) where finished_at is not null;
