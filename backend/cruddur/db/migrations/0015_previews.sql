-- The first link of a crud, and what the linked page says about itself (docs/decisions/0018).
CREATE TABLE previews (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    -- The address without its fragment. Cruds with the same address share the preview.
    url text NOT NULL CONSTRAINT previews_url_key UNIQUE CHECK (octet_length(url) <= 2000),
    -- When to fetch the page; while it is fetched, when to fetch it again if the process that fetches
    -- it dies. NULL if there is nothing left to do.
    fetch_at timestamptz DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- W3C Trace Context of the first request that posted the address.
    traceparent text,
    -- NULL if there is no preview, or not yet.
    title text CHECK (char_length(title) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 400),
    site text NOT NULL DEFAULT '' CHECK (char_length(site) <= 255),
    picture bytea
);
CREATE INDEX previews_fetch_at_idx ON previews (fetch_at) WHERE fetch_at IS NOT NULL;

-- A crud with a link. A new row has no preview: it is the queue of the process that assigns previews.
-- So writers of cruds with the same address do not wait for each other.
CREATE TABLE activity_links (
    activity_uuid uuid PRIMARY KEY REFERENCES activities (uuid) ON DELETE CASCADE,
    url text NOT NULL CHECK (octet_length(url) <= 2000),
    traceparent text,
    -- If a preview is deleted just when it gets another crud, the link is new again.
    preview_uuid uuid REFERENCES previews (uuid) ON DELETE SET NULL
);
CREATE INDEX activity_links_preview_idx ON activity_links (preview_uuid, activity_uuid);
CREATE INDEX activity_links_new_idx ON activity_links (activity_uuid) WHERE preview_uuid IS NULL;

-- Previews that lost a crud, which the sweeper deletes if it was their last one.
CREATE TABLE released_previews (
    preview_uuid uuid NOT NULL
);

DO $$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT pg_class.relname AS table_name, pg_attribute.attname AS name
        FROM unnest(
            ARRAY['previews', 'activity_links', 'released_previews']::regclass[]
        ) AS ours (oid)
        JOIN pg_class ON pg_class.oid = ours.oid
        JOIN pg_attribute ON pg_attribute.attrelid = ours.oid
        WHERE pg_attribute.attnum > 0
    LOOP
        EXECUTE format(
            'ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', col.table_name, col.name
        );
    END LOOP;
END
$$;

CREATE FUNCTION release_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO released_previews (preview_uuid) VALUES (OLD.preview_uuid);
    RETURN NULL;
END
$$;
CREATE TRIGGER activity_links_release_preview AFTER DELETE ON activity_links
    FOR EACH ROW WHEN (OLD.preview_uuid IS NOT NULL)
    EXECUTE FUNCTION release_preview();

-- Streams deliver a preview when it is there, and cached pages change.
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (
    kind IN (
        'crud', 'counts', 'expiry', 'gone', 'preview', 'message', 'notification', 'sign_out', 'mark',
        'page'
    )
);

CREATE FUNCTION record_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'previews' THEN
        PERFORM record_event(
            'preview', activities.uuid, activities.user_uuid, activities.reply_to_activity_uuid
        )
        FROM activity_links
        JOIN activities ON activities.uuid = activity_links.activity_uuid
        WHERE activity_links.preview_uuid = NEW.uuid;
    ELSE
        PERFORM record_event(
            'preview', activities.uuid, activities.user_uuid, activities.reply_to_activity_uuid
        )
        FROM activities
        LEFT JOIN previews ON previews.uuid = NEW.preview_uuid
        WHERE activities.uuid = NEW.activity_uuid
          AND (OLD.preview_uuid IS NOT NULL OR previews.title IS NOT NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER previews_record_change
    AFTER UPDATE OF title, description, site, picture ON previews
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_preview();
CREATE CONSTRAINT TRIGGER activity_links_record_preview
    AFTER UPDATE OF preview_uuid ON activity_links
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.preview_uuid IS DISTINCT FROM NEW.preview_uuid)
    EXECUTE FUNCTION record_preview();
