-- When issued API keys were last used: soft state, written in blocks. Erasing a person deletes their rows.
create table api.key_uses (
    key_id uuid primary key,
    user_id uuid not null,
    last_used_at timestamptz not null
);

create index key_uses_of_user on api.key_uses (user_id);
