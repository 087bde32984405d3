-- Pictures of cruds. The uuid is random, because it is the name of the picture in its address, and
-- must not be guessed. A picture that no crud shows expires by itself; the others go with their crud.
CREATE TABLE pictures (
    uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    activity_uuid uuid REFERENCES activities (uuid) ON DELETE CASCADE,
    width integer NOT NULL CHECK (width > 0),
    height integer NOT NULL CHECK (height > 0),
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((activity_uuid IS NULL) = (expires_at IS NOT NULL))
);
ALTER TABLE pictures
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN activity_uuid SET STATISTICS 0,
    ALTER COLUMN width SET STATISTICS 0,
    ALTER COLUMN height SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0;
CREATE INDEX pictures_user_uuid_idx ON pictures (user_uuid);
CREATE INDEX pictures_activity_uuid_idx ON pictures (activity_uuid);
CREATE INDEX pictures_expires_at_idx ON pictures (expires_at) WHERE expires_at IS NOT NULL;

-- The JPEGs of a picture, unless they are stored outside of the database. They do not compress.
CREATE TABLE picture_files (
    picture_uuid uuid NOT NULL REFERENCES pictures (uuid) ON DELETE CASCADE,
    size text NOT NULL CHECK (size IN ('full', 'thumbnail')),
    jpeg bytea NOT NULL,
    PRIMARY KEY (picture_uuid, size)
);
ALTER TABLE picture_files
    ALTER COLUMN picture_uuid SET STATISTICS 0,
    ALTER COLUMN size SET STATISTICS 0,
    ALTER COLUMN jpeg SET STATISTICS 0,
    ALTER COLUMN jpeg SET STORAGE EXTERNAL;

-- Pictures that were deleted, and whose files the sweeper still has to delete. A process that deletes
-- them claims the row for a while; another one repeats it if that process stops.
CREATE TABLE removed_pictures (
    uuid uuid PRIMARY KEY,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity'
);
ALTER TABLE removed_pictures
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN claimed_until SET STATISTICS 0;

CREATE FUNCTION record_removed_picture() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removed_pictures (uuid) VALUES (OLD.uuid) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER pictures_record_removed AFTER DELETE ON pictures
    FOR EACH ROW EXECUTE FUNCTION record_removed_picture();

-- What a crud shows of its pictures, in their order: `[{"uuid", "alt", "width", "height"}]`. So a list
-- of cruds reads no further table. NULL for a crud without pictures.
ALTER TABLE activities
    ADD COLUMN pictures jsonb
    CHECK (jsonb_typeof(pictures) = 'array' AND jsonb_array_length(pictures) BETWEEN 1 AND 4);
ALTER TABLE activities ALTER COLUMN pictures SET STATISTICS 0;

CREATE OR REPLACE VIEW live_activities AS
SELECT
    activities.uuid,
    activities.user_uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    activities.message,
    activities.created_at,
    activities.expires_at,
    (
        SELECT count(*)
        FROM activities AS replies
        WHERE replies.reply_to_activity_uuid = activities.uuid
          AND replies.expires_at > now()
    )::integer AS replies_count,
    activities.reposts_count,
    activities.likes_count,
    activities.reply_to_activity_uuid,
    activities.search,
    activities.pictures
FROM activities
JOIN users ON users.uuid = activities.user_uuid
WHERE activities.expires_at > now();

DROP TRIGGER activities_record_page_change ON activities;
CREATE CONSTRAINT TRIGGER activities_record_page_change
    AFTER UPDATE OF uuid, user_uuid, reply_to_activity_uuid, message, created_at, pictures
    ON activities
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_page_change();
