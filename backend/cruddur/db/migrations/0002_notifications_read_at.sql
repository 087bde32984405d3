-- How far a person has read their notifications. Who was there before this was counted
-- begins with none unread.
ALTER TABLE users ADD COLUMN notifications_read_at timestamptz NOT NULL DEFAULT now();
