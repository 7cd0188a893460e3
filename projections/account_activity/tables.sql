-- One row a record that could be read, accepted by the fold or not; nothing personal stands here.
create table account_activity (
    topic          text        not null,
    partition      integer     not null,
    "offset"       bigint      not null,
    event_id       uuid        not null,
    event_type     text        not null,
    account_key    text        not null,
    user_id        uuid        not null,
    actor_id       uuid,                     -- null where an operator is not known
    accepted       boolean     not null,
    occurred_at    timestamptz not null,     -- by the clock of who appended it
    log_time       timestamptz not null,     -- by the log's own clock
    version        bigint,                   -- the account's after the record, while that user has it
    session_id     uuid,
    key_id         uuid,
    code           text,
    revokes        boolean     not null,     -- whether something that opened a door no longer does
    data           jsonb       not null,     -- small facts by type
    request_hash   bytea,
    correlation_id uuid,                     -- the request's id
    causation_id   uuid,
    trace_id       text,
    primary key (topic, partition, "offset")
);
create index account_activity_by_event on account_activity (event_id);
create index account_activity_in_time on account_activity (log_time, partition, "offset");
create index account_activity_of_user on account_activity (user_id, log_time, partition, "offset");
create index account_activity_by_actor on account_activity (actor_id, log_time, partition, "offset");
create index account_activity_of_type on account_activity (event_type, log_time, partition, "offset");
create index account_revocations on account_activity (topic, partition, "offset") where revokes;
create index account_revocations_in_time on account_activity (log_time) where revokes;
