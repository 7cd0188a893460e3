-- One row a record that could be read, accepted by the fold or not; nothing personal stands here.
create table activity (
    topic          text        not null,
    partition      integer     not null,
    "offset"       bigint      not null,
    event_id       uuid        not null,
    event_type     text        not null,
    asset_id       uuid        not null,
    owner_id       uuid        not null,
    actor_id       uuid,
    job_id         uuid,
    attempt        bigint,
    worker         text,
    kind           text,
    code           text,
    accepted       boolean     not null,
    occurred_at    timestamptz not null,      -- by the clock of who appended it
    log_time       timestamptz not null,      -- by the log's own clock
    request_hash   bytea,
    correlation_id uuid,
    causation_id   uuid,
    trace_id       text,
    data           jsonb       not null,      -- the asset's status after the record, and small facts by type
    primary key (topic, partition, "offset")
);
create index activity_by_event on activity (event_id);
create index activity_of_asset on activity (asset_id, "offset");
create index activity_of_owner on activity (owner_id, partition, "offset");   -- of one topic are all

-- For the audit, in the log's time.
create index activity_in_time on activity (log_time, partition, "offset");
create index activity_of_owner_in_time on activity (owner_id, log_time, partition, "offset");
create index activity_of_others on activity (actor_id, log_time, partition, "offset") where actor_id <> owner_id;

-- What is rare is not looked for among the four that each picture brings. These cost nothing, nearly.
create index activity_rare on activity (event_type, log_time, partition, "offset")
    where event_type not in ('UploadRequested', 'UploadCompleted', 'ProcessingStarted', 'VariantsReady');
create index activity_rare_of_owner on activity (owner_id, event_type, log_time, partition, "offset")
    where event_type not in ('UploadRequested', 'UploadCompleted', 'ProcessingStarted', 'VariantsReady');
