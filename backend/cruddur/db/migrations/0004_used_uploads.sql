-- Upload addresses that were used, for as long as they would work otherwise.
CREATE TABLE used_uploads (
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    uuid uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_uuid, uuid)
);
CREATE INDEX used_uploads_expires_at_idx ON used_uploads (expires_at);
