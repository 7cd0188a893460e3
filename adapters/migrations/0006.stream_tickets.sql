-- Tickets that open one live stream each: soft state, gone when used. What is sealed opens with the ticket
-- itself, which is kept nowhere.
create table api.stream_tickets (
    digest bytea primary key,
    sealed bytea not null,
    expires_at timestamptz not null
);

create index stream_tickets_by_end on api.stream_tickets (expires_at);
