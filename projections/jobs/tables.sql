-- One row a job. The key begins with the asset, so that no row is ever fed by two partitions.
create table jobs (
    asset_id    uuid        not null,
    job_id      uuid        not null,
    owner_id    uuid        not null,
    kind        text        not null,
    lane        text        not null,
    state       text        not null,
    attempts    bigint      not null,
    error_kind  text,
    error_code  text,
    queued_at   timestamptz not null,
    started_at  timestamptz,
    finished_at timestamptz,
    worker      text,
    cost        jsonb,                        -- {cpu_ms, wall_ms, peak_rss_kib, bytes_read, bytes_written}
    primary key (asset_id, job_id)
);
create index jobs_by_id on jobs (job_id);
create index jobs_of_owner on jobs (owner_id, queued_at desc, job_id desc);
