-- The schema after every migration, as pg_dump writes it: `make schema`.

CREATE FUNCTION public.bequeath_expiry() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE activities
    SET expires_at = NEW.expires_at
    WHERE reply_to_activity_uuid = NEW.uuid
      AND expires_at > NEW.expires_at;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.bump_message_group() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE message_groups
    SET
        latest_message_at = GREATEST(latest_message_at, NEW.created_at),
        low_has_accepted = low_has_accepted OR low_user_uuid = NEW.user_uuid,
        high_has_accepted = high_has_accepted OR high_user_uuid = NEW.user_uuid
    WHERE uuid = NEW.message_group_uuid;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.copy_expiry_to_tags() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE activity_tags SET expires_at = NEW.expires_at WHERE activity_uuid = NEW.uuid;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.count_follows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO follow_counts (user_uuid, followers_count, following_count)
    SELECT
        counted.user_uuid,
        sum(counted.followers),
        sum(counted.following)
    FROM (
        SELECT followee_uuid AS user_uuid, 1 AS followers, 0 AS following FROM changed
        UNION ALL
        SELECT follower_uuid AS user_uuid, 0 AS followers, 1 AS following FROM changed
    ) AS counted
    GROUP BY counted.user_uuid
    ORDER BY counted.user_uuid
    ON CONFLICT (user_uuid) DO UPDATE
    SET
        followers_count = follow_counts.followers_count + EXCLUDED.followers_count,
        following_count = follow_counts.following_count + EXCLUDED.following_count;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.count_like() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE activities SET likes_count = likes_count + 1 WHERE uuid = NEW.activity_uuid;
    ELSE
        UPDATE activities SET likes_count = likes_count - 1 WHERE uuid = OLD.activity_uuid;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.count_repost() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE activities SET reposts_count = reposts_count + 1 WHERE uuid = NEW.activity_uuid;
    ELSE
        UPDATE activities SET reposts_count = reposts_count - 1 WHERE uuid = OLD.activity_uuid;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.delete_decisions() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM moderation_actions WHERE moderation_actions.user_uuid = OLD.uuid;
    UPDATE cases SET has_appeal = false WHERE cases.user_uuid = OLD.uuid AND cases.has_appeal;
    DELETE FROM cases
    WHERE cases.user_uuid = OLD.uuid
      AND cases.closed_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM evidence WHERE evidence.case_uuid = cases.uuid);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.end_follows_of_blocked() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM lock_pair(NEW.blocker_uuid, NEW.blocked_uuid);
    DELETE FROM follows
    WHERE (follower_uuid, followee_uuid) IN (
        (NEW.blocker_uuid, NEW.blocked_uuid), (NEW.blocked_uuid, NEW.blocker_uuid)
    );
    DELETE FROM notifications
    WHERE kind = 'follow'
      AND (actor_uuid, user_uuid) IN (
          (NEW.blocker_uuid, NEW.blocked_uuid), (NEW.blocked_uuid, NEW.blocker_uuid)
      );
    RETURN NEW;
END
$$;

CREATE FUNCTION public.inherit_expiry() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.expires_at := LEAST(
        NEW.expires_at,
        (SELECT expires_at FROM activities WHERE uuid = NEW.reply_to_activity_uuid)
    );
    RETURN NEW;
END
$$;

CREATE FUNCTION public.lock_pair(one uuid, other uuid) RETURNS void
    LANGUAGE sql
    AS $$
    SELECT pg_advisory_xact_lock(
        hashtextextended(LEAST(one, other)::text || GREATEST(one, other)::text, 4567)
    )
$$;

CREATE FUNCTION public.record_activity() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    crud record;
    parent record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        crud := OLD;
        PERFORM record_event('gone', crud.uuid, crud.user_uuid, crud.reply_to_activity_uuid);
    ELSE
        crud := NEW;
        PERFORM record_event('crud', crud.uuid, crud.user_uuid, crud.reply_to_activity_uuid);
    END IF;
    IF crud.reply_to_activity_uuid IS NOT NULL THEN
        SELECT * INTO parent FROM activities WHERE uuid = crud.reply_to_activity_uuid;
        IF FOUND THEN
            PERFORM record_event(
                'counts', parent.uuid, parent.user_uuid, parent.reply_to_activity_uuid
            );
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_case() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM record_event('account', users.uuid, users.uuid)
    FROM users
    WHERE users.role <> 'member';
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM record_event(
        CASE WHEN NEW.expires_at = OLD.expires_at THEN 'counts' ELSE 'expiry' END,
        NEW.uuid, NEW.user_uuid, NEW.reply_to_activity_uuid
    );
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_decision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM record_event('account', users.uuid, users.uuid)
    FROM users
    WHERE users.uuid = NEW.user_uuid;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_event(event_kind text, subject uuid DEFAULT NULL::uuid, member uuid DEFAULT NULL::uuid, parent uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO events (kind, subject_uuid, user_uuid, parent_uuid, traceparent, snapshot)
    VALUES (
        event_kind, subject, member, parent,
        NULLIF(current_setting('cruddur.traceparent', true), ''),
        CASE WHEN event_kind = 'mark' THEN pg_current_snapshot() END
    );
END
$$;

CREATE FUNCTION public.record_follow() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := NEW;
    ELSE
        changed := OLD;
    END IF;
    IF TG_TABLE_NAME = 'followed_tags' THEN
        PERFORM record_event('follow', changed.user_uuid, changed.user_uuid)
        WHERE EXISTS (SELECT FROM users WHERE users.uuid = changed.user_uuid);
    ELSE
        PERFORM record_event('follow', changed.followee_uuid, changed.follower_uuid)
        WHERE EXISTS (SELECT FROM users WHERE users.uuid = changed.followee_uuid)
          AND EXISTS (SELECT FROM users WHERE users.uuid = changed.follower_uuid);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_hidden() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := OLD;
    ELSE
        changed := NEW;
    END IF;
    IF TG_TABLE_NAME = 'mutes' THEN
        PERFORM record_event('hidden', changed.muted_uuid, changed.muter_uuid)
        WHERE (
            SELECT count(*) FROM users WHERE users.uuid IN (changed.muted_uuid, changed.muter_uuid)
        ) = 2;
    ELSE
        PERFORM
            record_event('hidden', changed.blocked_uuid, changed.blocker_uuid),
            record_event('hidden', changed.blocker_uuid, changed.blocked_uuid)
        WHERE (
            SELECT count(*)
            FROM users
            WHERE users.uuid IN (changed.blocked_uuid, changed.blocker_uuid)
        ) = 2;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_instance_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    PERFORM record_event('instance', nobody, nobody);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_page_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM record_event('page', nobody, nobody);
    ELSIF TG_TABLE_NAME = 'users' THEN
        PERFORM record_event('page', OLD.uuid, OLD.uuid);
    ELSIF TG_TABLE_NAME = 'activities' THEN
        PERFORM record_event('page', OLD.uuid, OLD.user_uuid);
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM record_event('page', NEW.activity_uuid, NEW.user_uuid);
    ELSE
        PERFORM record_event('page', OLD.activity_uuid, OLD.user_uuid);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_preview() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.record_removed_picture() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO removed_pictures (uuid) VALUES (OLD.uuid) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_repost() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM record_event('repost', NEW.activity_uuid, NEW.user_uuid);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_role() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM record_event('account', NEW.uuid, NEW.uuid)
    WHERE EXISTS (SELECT FROM users WHERE users.uuid = NEW.uuid);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_sign_out() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_TABLE_NAME = 'sessions' THEN
        PERFORM record_event('sign_out', OLD.uuid, OLD.user_uuid);
    ELSE
        PERFORM record_event('sign_out', OLD.uuid, OLD.uuid);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.record_written() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM record_event(TG_ARGV[0], NEW.uuid, NEW.user_uuid);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION public.refuse_follow_of_blocked() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM lock_pair(NEW.follower_uuid, NEW.followee_uuid);
    IF EXISTS (
        SELECT FROM blocked_pairs
        WHERE blocked_pairs.viewer_uuid = NEW.follower_uuid
          AND blocked_pairs.other_uuid = NEW.followee_uuid
    ) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.release_preview() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO released_previews (preview_uuid) VALUES (OLD.preview_uuid);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.remember_expired() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO expired_activities (uuid, user_uuid, parent_uuid, expired_at)
    VALUES (OLD.uuid, OLD.user_uuid, OLD.reply_to_activity_uuid, OLD.expires_at);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.remember_expired_message() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO expired_messages (uuid, user_uuid, recipient_uuid, expired_at)
    SELECT
        OLD.uuid,
        OLD.user_uuid,
        CASE message_groups.low_user_uuid
            WHEN OLD.user_uuid THEN message_groups.high_user_uuid
            ELSE message_groups.low_user_uuid
        END,
        OLD.expires_at
    FROM message_groups
    WHERE message_groups.uuid = OLD.message_group_uuid;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.search_text(message text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
DECLARE
    words text COLLATE pg_unicode_fast := message;
BEGIN
    IF octet_length(words) = char_length(words) THEN -- ASCII
        RETURN regexp_replace(lower(words), '[^a-z0-9]+', ' ', 'g');
    END IF;
    words := translate(words, '™℠', '  '); -- NFKD would make letters of them
    words := normalize(casefold(words), NFKD);
    -- Latin letters that Unicode does not decompose, as in CLDR's Latin-ASCII.
    words := translate(words, 'đðħıłøŧ', 'ddhilot');
    words := replace(replace(replace(words, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    -- Accents, but not the breve of Cyrillic й and ў, which are letters; Hebrew and Arabic points.
    words := regexp_replace(
        words,
        '(?<![\u0400-\u052f])[\u0300-\u036f]+|[\u0300\u0301]|(?<=е)\u0308'
        '|[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]'
        '|[\u0610-\u061a\u0640\u064b-\u0652\u0670]',
        '', 'g'
    );
    words := normalize(words, NFC);
    -- What is ignored by default. U+200B is a space between words.
    words := regexp_replace(
        words,
        '[\u00ad\u034f\u061c\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff'
        '\U000e0000-\U000e0fff]+',
        '', 'g'
    );
    -- Punctuation, spaces and symbols.
    words := regexp_replace(
        words,
        '[[:punct:][:space:][:cntrl:]\u0020-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4'
        '\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u02c2-\u02df\u2000-\u2bff\u3000-\u3004\u3008-\u3020'
        '\u3030\u3036-\u303f\ufff0-\uffff\U0001f000-\U0001faff]+',
        ' ', 'g'
    );
    -- Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean: each letter with its marks.
    RETURN regexp_replace(
        words,
        '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff'
        '\U0001b000-\U0001b16f\U00020000-\U0003fffd]'
        '[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059'
        '\u105e-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u17b4-\u17d3\u17dd\u302a-\u302f]*)',
        ' \1 ', 'g'
    );
END
$$;

CREATE FUNCTION public.search_vector(message text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (to_tsvector('english'::regconfig, words.folded) || to_tsvector('simple'::regconfig, words.folded))
    FROM ( SELECT public.search_text(search_vector.message) AS folded
          OFFSET 0) words;
END;

CREATE TABLE public.sessions (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    user_uuid uuid NOT NULL,
    device text NOT NULL,
    address text NOT NULL,
    sealed_token bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    method text DEFAULT 'password'::text NOT NULL,
    CONSTRAINT sessions_address_check CHECK ((char_length(address) <= 64)),
    CONSTRAINT sessions_device_check CHECK ((char_length(device) <= 200)),
    CONSTRAINT sessions_method_check CHECK ((method = ANY (ARRAY['password'::text, 'password_and_code'::text, 'password_and_passkey'::text, 'passkey'::text, 'sign_up'::text, 'api_token'::text])))
);
ALTER TABLE ONLY public.sessions ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN device SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN address SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN sealed_token SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN used_at SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN expires_at SET STATISTICS 0;
ALTER TABLE ONLY public.sessions ALTER COLUMN method SET STATISTICS 0;

CREATE TABLE public.users (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    handle text NOT NULL,
    display_name text NOT NULL,
    bio text DEFAULT ''::text NOT NULL,
    email text,
    avatar_digest text,
    avatar_url text GENERATED ALWAYS AS (((('/api/avatars/'::text || subject) || '.jpg?v='::text) || avatar_digest)) STORED,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    notifications_read_at timestamp with time zone DEFAULT now() NOT NULL,
    mentions_read_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    message_policy text DEFAULT 'everyone'::text NOT NULL,
    role text DEFAULT 'member'::text NOT NULL,
    suspended_until timestamp with time zone,
    limited_until timestamp with time zone,
    terms_version integer,
    terms_accepted_at timestamp with time zone,
    CONSTRAINT users_bio_check CHECK ((char_length(bio) <= 500)),
    CONSTRAINT users_check CHECK (((terms_version IS NULL) = (terms_accepted_at IS NULL))),
    CONSTRAINT users_display_name_check CHECK (((char_length(display_name) >= 1) AND (char_length(display_name) <= 50))),
    CONSTRAINT users_email_check CHECK ((char_length(email) <= 254)),
    CONSTRAINT users_handle_check CHECK ((handle ~ '^[a-z0-9_]{2,30}$'::text)),
    CONSTRAINT users_issuer_check CHECK ((char_length(issuer) <= 255)),
    CONSTRAINT users_message_policy_check CHECK ((message_policy = ANY (ARRAY['everyone'::text, 'following'::text, 'nobody'::text]))),
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['member'::text, 'moderator'::text, 'admin'::text]))),
    CONSTRAINT users_subject_check CHECK (((char_length(subject) >= 1) AND (char_length(subject) <= 255)))
);
ALTER TABLE ONLY public.users ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN issuer SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN subject SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN handle SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN display_name SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN bio SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN email SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN avatar_digest SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN avatar_url SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN notifications_read_at SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN mentions_read_at SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN message_policy SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN role SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN suspended_until SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN limited_until SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN terms_version SET STATISTICS 0;
ALTER TABLE ONLY public.users ALTER COLUMN terms_accepted_at SET STATISTICS 0;

CREATE FUNCTION public.signed_in(viewer uuid, session uuid) RETURNS TABLE(uuid uuid, handle text, display_name text, avatar_url text, email text, notifications_read_at timestamp with time zone)
    LANGUAGE sql STABLE ROWS 1
    BEGIN ATOMIC
 SELECT users.uuid,
     users.handle,
     users.display_name,
     users.avatar_url,
     users.email,
     users.notifications_read_at
    FROM public.users
   WHERE ((users.uuid = signed_in.viewer) AND ((users.suspended_until IS NULL) OR (users.suspended_until <= now())) AND ((signed_in.session IS NULL) OR (EXISTS ( SELECT
            FROM public.sessions
           WHERE ((sessions.uuid = signed_in.session) AND (sessions.user_uuid = users.uuid) AND (sessions.expires_at > now()))))));
END;

CREATE FUNCTION public.uncount_follows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM
    FROM follow_counts
    WHERE follow_counts.user_uuid IN (
        SELECT followee_uuid FROM changed
        UNION
        SELECT follower_uuid FROM changed
    )
    ORDER BY follow_counts.user_uuid
    FOR NO KEY UPDATE;
    UPDATE follow_counts
    SET
        followers_count = follow_counts.followers_count - counted.followers,
        following_count = follow_counts.following_count - counted.following
    FROM (
        SELECT
            ends.user_uuid,
            sum(ends.followers) AS followers,
            sum(ends.following) AS following
        FROM (
            SELECT followee_uuid AS user_uuid, 1 AS followers, 0 AS following FROM changed
            UNION ALL
            SELECT follower_uuid AS user_uuid, 0 AS followers, 1 AS following FROM changed
        ) AS ends
        GROUP BY ends.user_uuid
    ) AS counted
    WHERE follow_counts.user_uuid = counted.user_uuid;
    RETURN NULL;
END
$$;

CREATE TABLE public.accounts (
    user_uuid uuid NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    CONSTRAINT accounts_email_check CHECK ((char_length(email) <= 254))
);
ALTER TABLE ONLY public.accounts ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.accounts ALTER COLUMN email SET STATISTICS 0;
ALTER TABLE ONLY public.accounts ALTER COLUMN password_hash SET STATISTICS 0;

CREATE TABLE public.activities (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    user_uuid uuid NOT NULL,
    reply_to_activity_uuid uuid,
    message text NOT NULL,
    likes_count integer DEFAULT 0 NOT NULL,
    reposts_count integer DEFAULT 0 NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    search tsvector GENERATED ALWAYS AS (public.search_vector(message)) STORED NOT NULL,
    pictures jsonb,
    CONSTRAINT activities_check CHECK (((reply_to_activity_uuid IS NOT NULL) OR (char_length(message) <= 280))),
    CONSTRAINT activities_likes_count_check CHECK ((likes_count >= 0)),
    CONSTRAINT activities_message_check CHECK (((char_length(message) >= 1) AND (char_length(message) <= 1024))),
    CONSTRAINT activities_pictures_check CHECK (((jsonb_typeof(pictures) = 'array'::text) AND ((jsonb_array_length(pictures) >= 1) AND (jsonb_array_length(pictures) <= 4)))),
    CONSTRAINT activities_reposts_count_check CHECK ((reposts_count >= 0))
)
WITH (fillfactor='90');
ALTER TABLE ONLY public.activities ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN reply_to_activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN message SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN likes_count SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN reposts_count SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN expires_at SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN search SET STATISTICS 0;
ALTER TABLE ONLY public.activities ALTER COLUMN pictures SET STATISTICS 0;

CREATE TABLE public.activity_links (
    activity_uuid uuid NOT NULL,
    url text NOT NULL,
    traceparent text,
    preview_uuid uuid,
    CONSTRAINT activity_links_url_check CHECK ((octet_length(url) <= 2000))
);
ALTER TABLE ONLY public.activity_links ALTER COLUMN activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.activity_links ALTER COLUMN url SET STATISTICS 0;
ALTER TABLE ONLY public.activity_links ALTER COLUMN traceparent SET STATISTICS 0;
ALTER TABLE ONLY public.activity_links ALTER COLUMN preview_uuid SET STATISTICS 0;

CREATE TABLE public.activity_tags (
    activity_uuid uuid NOT NULL,
    tag text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT activity_tags_tag_check CHECK (((char_length(tag) >= 1) AND (char_length(tag) <= 100)))
);
ALTER TABLE ONLY public.activity_tags ALTER COLUMN activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.activity_tags ALTER COLUMN tag SET STATISTICS 0;
ALTER TABLE ONLY public.activity_tags ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.activity_tags ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.announcements (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    message text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT announcements_message_check CHECK (((char_length(message) >= 1) AND (char_length(message) <= 500)))
);
ALTER TABLE ONLY public.announcements ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.announcements ALTER COLUMN message SET STATISTICS 0;
ALTER TABLE ONLY public.announcements ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.announcements ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.api_tokens (
    session_uuid uuid NOT NULL,
    token_hash bytea NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    CONSTRAINT api_tokens_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 50))),
    CONSTRAINT api_tokens_scopes_check CHECK (((scopes <@ ARRAY['read'::text, 'write'::text, 'message'::text]) AND (cardinality(scopes) >= 1)))
);
ALTER TABLE ONLY public.api_tokens ALTER COLUMN session_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.api_tokens ALTER COLUMN token_hash SET STATISTICS 0;
ALTER TABLE ONLY public.api_tokens ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE ONLY public.api_tokens ALTER COLUMN scopes SET STATISTICS 0;

CREATE TABLE public.audit_entries (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor_uuid uuid,
    actor_handle text,
    action text NOT NULL,
    case_uuid uuid,
    user_uuid uuid,
    user_handle text,
    why text DEFAULT ''::text NOT NULL,
    CONSTRAINT audit_entries_action_check CHECK ((char_length(action) <= 30)),
    CONSTRAINT audit_entries_check CHECK (((actor_uuid IS NULL) = (actor_handle IS NULL))),
    CONSTRAINT audit_entries_why_check CHECK ((char_length(why) <= 1000))
);
ALTER TABLE ONLY public.audit_entries ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN actor_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN actor_handle SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN action SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN case_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN user_handle SET STATISTICS 0;
ALTER TABLE ONLY public.audit_entries ALTER COLUMN why SET STATISTICS 0;

CREATE TABLE public.avatars (
    user_uuid uuid NOT NULL,
    jpeg bytea NOT NULL
);
ALTER TABLE ONLY public.avatars ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.avatars ALTER COLUMN jpeg SET STATISTICS 0;

CREATE TABLE public.blocks (
    blocker_uuid uuid NOT NULL,
    blocked_uuid uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT blocks_check CHECK ((blocker_uuid <> blocked_uuid))
);
ALTER TABLE ONLY public.blocks ALTER COLUMN blocker_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.blocks ALTER COLUMN blocked_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.blocks ALTER COLUMN created_at SET STATISTICS 0;

CREATE VIEW public.blocked_pairs AS
 SELECT blocks.blocker_uuid AS viewer_uuid,
    blocks.blocked_uuid AS other_uuid
   FROM public.blocks
UNION ALL
 SELECT blocks.blocked_uuid AS viewer_uuid,
    blocks.blocker_uuid AS other_uuid
   FROM public.blocks;

CREATE TABLE public.cases (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    kind text NOT NULL,
    subject_uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    has_appeal boolean DEFAULT false NOT NULL,
    is_open boolean GENERATED ALWAYS AS (((closed_at IS NULL) OR has_appeal)) STORED NOT NULL,
    CONSTRAINT cases_kind_check CHECK ((kind = ANY (ARRAY['crud'::text, 'profile'::text, 'message'::text])))
);
ALTER TABLE ONLY public.cases ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.cases ALTER COLUMN kind SET STATISTICS 0;
ALTER TABLE ONLY public.cases ALTER COLUMN subject_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.cases ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.cases ALTER COLUMN opened_at SET STATISTICS 0;
ALTER TABLE ONLY public.cases ALTER COLUMN closed_at SET STATISTICS 0;
ALTER TABLE ONLY public.cases ALTER COLUMN has_appeal SET STATISTICS 0;
ALTER TABLE ONLY public.cases ALTER COLUMN is_open SET STATISTICS 0;

CREATE TABLE public.message_groups (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    low_user_uuid uuid NOT NULL,
    high_user_uuid uuid NOT NULL,
    low_read_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    high_read_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    latest_message_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    low_has_accepted boolean DEFAULT false NOT NULL,
    high_has_accepted boolean DEFAULT false NOT NULL,
    low_cleared_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    high_cleared_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    lifetime interval,
    CONSTRAINT message_groups_check CHECK ((low_user_uuid < high_user_uuid)),
    CONSTRAINT message_groups_lifetime_check CHECK ((lifetime > '00:00:00'::interval))
);
ALTER TABLE ONLY public.message_groups ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN low_user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN high_user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN low_read_at SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN high_read_at SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN latest_message_at SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN low_has_accepted SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN high_has_accepted SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN low_cleared_at SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN high_cleared_at SET STATISTICS 0;
ALTER TABLE ONLY public.message_groups ALTER COLUMN lifetime SET STATISTICS 0;

CREATE VIEW public.conversations AS
 SELECT message_groups.uuid,
    message_groups.low_user_uuid AS user_uuid,
    message_groups.high_user_uuid AS other_uuid,
    message_groups.low_read_at AS read_at,
    message_groups.low_cleared_at AS cleared_at,
    message_groups.low_has_accepted AS has_accepted,
    message_groups.latest_message_at,
    message_groups.lifetime
   FROM public.message_groups
UNION ALL
 SELECT message_groups.uuid,
    message_groups.high_user_uuid AS user_uuid,
    message_groups.low_user_uuid AS other_uuid,
    message_groups.high_read_at AS read_at,
    message_groups.high_cleared_at AS cleared_at,
    message_groups.high_has_accepted AS has_accepted,
    message_groups.latest_message_at,
    message_groups.lifetime
   FROM public.message_groups;

CREATE TABLE public.deleted_activities (
    uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    digest bytea NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.deleted_activities ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.deleted_activities ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.deleted_activities ALTER COLUMN digest SET STATISTICS 0;
ALTER TABLE ONLY public.deleted_activities ALTER COLUMN sealed SET STATISTICS 0;
ALTER TABLE ONLY public.deleted_activities ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.deleted_activities ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.deleted_subjects (
    issuer text NOT NULL,
    subject text NOT NULL,
    forget_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.deleted_subjects ALTER COLUMN issuer SET STATISTICS 0;
ALTER TABLE ONLY public.deleted_subjects ALTER COLUMN subject SET STATISTICS 0;
ALTER TABLE ONLY public.deleted_subjects ALTER COLUMN forget_at SET STATISTICS 0;

CREATE TABLE public.email_changes (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    user_uuid uuid NOT NULL,
    old_email text NOT NULL,
    new_email text NOT NULL,
    code_hash bytea NOT NULL,
    stop_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    confirmed_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT email_changes_new_email_check CHECK ((char_length(new_email) <= 254)),
    CONSTRAINT email_changes_old_email_check CHECK ((char_length(old_email) <= 254))
);
ALTER TABLE ONLY public.email_changes ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN old_email SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN new_email SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN code_hash SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN stop_hash SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN confirmed_at SET STATISTICS 0;
ALTER TABLE ONLY public.email_changes ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.events (
    id bigint NOT NULL,
    kind text NOT NULL,
    subject_uuid uuid,
    user_uuid uuid,
    parent_uuid uuid,
    traceparent text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    snapshot pg_snapshot,
    CONSTRAINT events_check CHECK (((subject_uuid IS NULL) = (kind = 'mark'::text))),
    CONSTRAINT events_check1 CHECK (((user_uuid IS NULL) = (kind = 'mark'::text))),
    CONSTRAINT events_check2 CHECK (((snapshot IS NULL) = (kind <> 'mark'::text))),
    CONSTRAINT events_kind_check CHECK ((kind = ANY (ARRAY['crud'::text, 'counts'::text, 'expiry'::text, 'gone'::text, 'preview'::text, 'message'::text, 'notification'::text, 'sign_out'::text, 'mark'::text, 'page'::text, 'follow'::text, 'repost'::text, 'hidden'::text, 'instance'::text, 'account'::text])))
);
ALTER TABLE ONLY public.events ALTER COLUMN id SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN kind SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN subject_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN parent_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN traceparent SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN xid SET STATISTICS 0;
ALTER TABLE ONLY public.events ALTER COLUMN snapshot SET STATISTICS 0;

ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.evidence (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    case_uuid uuid NOT NULL,
    digest bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.evidence ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.evidence ALTER COLUMN case_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.evidence ALTER COLUMN digest SET STATISTICS 0;
ALTER TABLE ONLY public.evidence ALTER COLUMN sealed SET STATISTICS 0;
ALTER TABLE ONLY public.evidence ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.evidence ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.evidence ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.expired_activities (
    uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    parent_uuid uuid,
    expired_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.expired_activities ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.expired_activities ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.expired_activities ALTER COLUMN parent_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.expired_activities ALTER COLUMN expired_at SET STATISTICS 0;

CREATE TABLE public.expired_messages (
    uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    recipient_uuid uuid NOT NULL,
    expired_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.expired_messages ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.expired_messages ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.expired_messages ALTER COLUMN recipient_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.expired_messages ALTER COLUMN expired_at SET STATISTICS 0;

CREATE TABLE public.familiar_clients (
    user_uuid uuid NOT NULL,
    client_hash bytea NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.familiar_clients ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.familiar_clients ALTER COLUMN client_hash SET STATISTICS 0;
ALTER TABLE ONLY public.familiar_clients ALTER COLUMN seen_at SET STATISTICS 0;

CREATE TABLE public.follow_counts (
    user_uuid uuid NOT NULL,
    followers_count integer DEFAULT 0 NOT NULL,
    following_count integer DEFAULT 0 NOT NULL,
    CONSTRAINT follow_counts_followers_count_check CHECK ((followers_count >= 0)),
    CONSTRAINT follow_counts_following_count_check CHECK ((following_count >= 0))
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.follow_counts ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.follow_counts ALTER COLUMN followers_count SET STATISTICS 0;
ALTER TABLE ONLY public.follow_counts ALTER COLUMN following_count SET STATISTICS 0;

CREATE TABLE public.followed_tags (
    user_uuid uuid NOT NULL,
    tag text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT followed_tags_tag_check CHECK (((char_length(tag) >= 1) AND (char_length(tag) <= 100)))
);
ALTER TABLE ONLY public.followed_tags ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.followed_tags ALTER COLUMN tag SET STATISTICS 0;
ALTER TABLE ONLY public.followed_tags ALTER COLUMN created_at SET STATISTICS 0;

CREATE TABLE public.follows (
    follower_uuid uuid NOT NULL,
    followee_uuid uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT follows_check CHECK ((follower_uuid <> followee_uuid))
);
ALTER TABLE ONLY public.follows ALTER COLUMN follower_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.follows ALTER COLUMN followee_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.follows ALTER COLUMN created_at SET STATISTICS 0;

CREATE TABLE public.mutes (
    muter_uuid uuid NOT NULL,
    muted_uuid uuid NOT NULL,
    ends_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mutes_check CHECK ((muter_uuid <> muted_uuid))
);
ALTER TABLE ONLY public.mutes ALTER COLUMN muter_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.mutes ALTER COLUMN muted_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.mutes ALTER COLUMN ends_at SET STATISTICS 0;
ALTER TABLE ONLY public.mutes ALTER COLUMN created_at SET STATISTICS 0;

CREATE VIEW public.hidden_authors AS
 SELECT blocks.blocker_uuid AS viewer_uuid,
    blocks.blocked_uuid AS author_uuid,
    'infinity'::timestamp with time zone AS until
   FROM public.blocks
UNION ALL
 SELECT blocks.blocked_uuid AS viewer_uuid,
    blocks.blocker_uuid AS author_uuid,
    'infinity'::timestamp with time zone AS until
   FROM public.blocks
UNION ALL
 SELECT mutes.muter_uuid AS viewer_uuid,
    mutes.muted_uuid AS author_uuid,
    mutes.ends_at AS until
   FROM public.mutes
  WHERE (mutes.ends_at > now());

CREATE TABLE public.idempotency_answers (
    key_uuid uuid NOT NULL,
    activity_uuid uuid,
    message_uuid uuid,
    answer bytea NOT NULL
);
ALTER TABLE ONLY public.idempotency_answers ALTER COLUMN key_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_answers ALTER COLUMN activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_answers ALTER COLUMN message_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_answers ALTER COLUMN answer SET STATISTICS 0;

CREATE TABLE public.idempotency_keys (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    member text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_digest bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_keys_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 128)))
);
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN member SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN route SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN key SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN body_digest SET STATISTICS 0;
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN created_at SET STATISTICS 0;

CREATE TABLE public.index_rebuilds (
    index_name text NOT NULL,
    due_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.index_rebuilds ALTER COLUMN index_name SET STATISTICS 0;
ALTER TABLE ONLY public.index_rebuilds ALTER COLUMN due_at SET STATISTICS 0;

CREATE TABLE public.instance (
    is_only boolean DEFAULT true NOT NULL,
    name text DEFAULT 'Cruddur'::text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    rules text DEFAULT ''::text NOT NULL,
    terms_version integer DEFAULT 0 NOT NULL,
    sign_up_mode text DEFAULT 'open'::text NOT NULL,
    blocked_domains text[] DEFAULT '{}'::text[] NOT NULL,
    default_ttl text DEFAULT '7-days'::text NOT NULL,
    max_ttl text DEFAULT '30-days'::text NOT NULL,
    evidence_days integer DEFAULT 14 NOT NULL,
    CONSTRAINT instance_blocked_domains_check CHECK ((cardinality(blocked_domains) <= 1000)),
    CONSTRAINT instance_default_ttl_check CHECK ((default_ttl = ANY (ARRAY['30-days'::text, '7-days'::text, '3-days'::text, '1-day'::text, '12-hours'::text, '3-hours'::text, '1-hour'::text]))),
    CONSTRAINT instance_description_check CHECK ((char_length(description) <= 500)),
    CONSTRAINT instance_evidence_days_check CHECK (((evidence_days >= 1) AND (evidence_days <= 365))),
    CONSTRAINT instance_is_only_check CHECK (is_only),
    CONSTRAINT instance_max_ttl_check CHECK ((max_ttl = ANY (ARRAY['30-days'::text, '7-days'::text, '3-days'::text, '1-day'::text, '12-hours'::text, '3-hours'::text, '1-hour'::text]))),
    CONSTRAINT instance_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 50))),
    CONSTRAINT instance_rules_check CHECK ((char_length(rules) <= 5000)),
    CONSTRAINT instance_sign_up_mode_check CHECK ((sign_up_mode = ANY (ARRAY['open'::text, 'invitation'::text, 'closed'::text]))),
    CONSTRAINT instance_terms_version_check CHECK ((terms_version >= 0))
);
ALTER TABLE ONLY public.instance ALTER COLUMN is_only SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN description SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN rules SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN terms_version SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN sign_up_mode SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN blocked_domains SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN default_ttl SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN max_ttl SET STATISTICS 0;
ALTER TABLE ONLY public.instance ALTER COLUMN evidence_days SET STATISTICS 0;

CREATE TABLE public.invitations (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    code text NOT NULL,
    max_uses integer NOT NULL,
    uses integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT invitations_check CHECK (((uses >= 0) AND (uses <= max_uses))),
    CONSTRAINT invitations_code_check CHECK ((code ~ '^[a-z2-9]{16}$'::text)),
    CONSTRAINT invitations_max_uses_check CHECK (((max_uses >= 1) AND (max_uses <= 1000)))
);
ALTER TABLE ONLY public.invitations ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.invitations ALTER COLUMN code SET STATISTICS 0;
ALTER TABLE ONLY public.invitations ALTER COLUMN max_uses SET STATISTICS 0;
ALTER TABLE ONLY public.invitations ALTER COLUMN uses SET STATISTICS 0;
ALTER TABLE ONLY public.invitations ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.invitations ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.invited_addresses (
    email text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT invited_addresses_email_check CHECK ((char_length(email) <= 254))
);
ALTER TABLE ONLY public.invited_addresses ALTER COLUMN email SET STATISTICS 0;
ALTER TABLE ONLY public.invited_addresses ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.likes (
    activity_uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.likes ALTER COLUMN activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.likes ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.likes ALTER COLUMN created_at SET STATISTICS 0;

CREATE VIEW public.live_activities AS
 SELECT activities.uuid,
    activities.user_uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    activities.message,
    activities.created_at,
    activities.expires_at,
    (( SELECT count(*) AS count
           FROM public.activities replies
          WHERE ((replies.reply_to_activity_uuid = activities.uuid) AND (replies.expires_at > now()))))::integer AS replies_count,
    activities.reposts_count,
    activities.likes_count,
    activities.reply_to_activity_uuid,
    activities.search,
    activities.pictures
   FROM (public.activities
     JOIN public.users ON ((users.uuid = activities.user_uuid)))
  WHERE (activities.expires_at > now());

CREATE TABLE public.messages (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    message_group_uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    message text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    kind text DEFAULT 'text'::text NOT NULL,
    lifetime interval,
    expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT messages_check CHECK (((lifetime IS NULL) OR (kind = 'lifetime'::text))),
    CONSTRAINT messages_kind_check CHECK ((kind = ANY (ARRAY['text'::text, 'lifetime'::text]))),
    CONSTRAINT messages_message_check CHECK (((char_length(message) >= 1) AND (char_length(message) <= 1024)))
);
ALTER TABLE ONLY public.messages ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.messages ALTER COLUMN message_group_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.messages ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.messages ALTER COLUMN message SET STATISTICS 0;
ALTER TABLE ONLY public.messages ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.messages ALTER COLUMN kind SET STATISTICS 0;
ALTER TABLE ONLY public.messages ALTER COLUMN lifetime SET STATISTICS 0;
ALTER TABLE ONLY public.messages ALTER COLUMN expires_at SET STATISTICS 0;

CREATE VIEW public.live_messages AS
 SELECT uuid,
    message_group_uuid,
    user_uuid,
    message,
    created_at,
    kind,
    lifetime,
    NULLIF(expires_at, 'infinity'::timestamp with time zone) AS expires_at
   FROM public.messages
  WHERE (expires_at > now());

CREATE TABLE public.migrations (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.migrations ALTER COLUMN number SET STATISTICS 0;
ALTER TABLE ONLY public.migrations ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE ONLY public.migrations ALTER COLUMN checksum SET STATISTICS 0;
ALTER TABLE ONLY public.migrations ALTER COLUMN applied_at SET STATISTICS 0;

CREATE TABLE public.moderation_actions (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    case_uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    actor_uuid uuid NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    ends_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    read_at timestamp with time zone,
    appeal text,
    appealed_at timestamp with time zone,
    decision text,
    decision_reason text,
    decided_at timestamp with time zone,
    CONSTRAINT moderation_actions_appeal_check CHECK (((char_length(appeal) >= 1) AND (char_length(appeal) <= 1000))),
    CONSTRAINT moderation_actions_check1 CHECK (((appealed_at IS NULL) = (appeal IS NULL))),
    CONSTRAINT moderation_actions_check2 CHECK (((decision IS NULL) OR (appeal IS NOT NULL))),
    CONSTRAINT moderation_actions_check3 CHECK (((decision IS NULL) = (decision_reason IS NULL))),
    CONSTRAINT moderation_actions_check4 CHECK (((decision IS NULL) = (decided_at IS NULL))),
    CONSTRAINT moderation_actions_decision_check CHECK ((decision = ANY (ARRAY['upheld'::text, 'overturned'::text]))),
    CONSTRAINT moderation_actions_decision_reason_check CHECK (((char_length(decision_reason) >= 1) AND (char_length(decision_reason) <= 1000))),
    CONSTRAINT moderation_actions_ends_at_check CHECK (((ends_at IS NOT NULL) = (kind = ANY (ARRAY['limit'::text, 'suspend'::text, 'ban'::text])))),
    CONSTRAINT moderation_actions_kind_check CHECK ((kind = ANY (ARRAY['dismiss'::text, 'warn'::text, 'remove_crud'::text, 'limit'::text, 'suspend'::text, 'ban'::text, 'lift'::text]))),
    CONSTRAINT moderation_actions_reason_check CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 1000)))
);
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN case_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN actor_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN kind SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN ends_at SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN read_at SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN appeal SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN appealed_at SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN decision SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN decision_reason SET STATISTICS 0;
ALTER TABLE ONLY public.moderation_actions ALTER COLUMN decided_at SET STATISTICS 0;

CREATE TABLE public.notifications (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    user_uuid uuid NOT NULL,
    actor_uuid uuid NOT NULL,
    kind text NOT NULL,
    activity_uuid uuid,
    message_uuid uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT notifications_check CHECK (((kind = 'message'::text) = (message_uuid IS NOT NULL))),
    CONSTRAINT notifications_check1 CHECK (((kind = ANY (ARRAY['message'::text, 'follow'::text])) = (activity_uuid IS NULL))),
    CONSTRAINT notifications_check2 CHECK ((user_uuid <> actor_uuid)),
    CONSTRAINT notifications_kind_check CHECK ((kind = ANY (ARRAY['reply'::text, 'like'::text, 'repost'::text, 'mention'::text, 'message'::text, 'follow'::text])))
);
ALTER TABLE ONLY public.notifications ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.notifications ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.notifications ALTER COLUMN actor_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.notifications ALTER COLUMN kind SET STATISTICS 0;
ALTER TABLE ONLY public.notifications ALTER COLUMN activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.notifications ALTER COLUMN message_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.notifications ALTER COLUMN created_at SET STATISTICS 0;

CREATE TABLE public.passkey_challenges (
    attempt_hash bytea NOT NULL,
    purpose text NOT NULL,
    state text NOT NULL,
    user_uuid uuid,
    session_uuid uuid,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT passkey_challenges_purpose_check CHECK ((purpose = ANY (ARRAY['registration'::text, 'sign_in'::text, 'second_factor'::text])))
);
ALTER TABLE ONLY public.passkey_challenges ALTER COLUMN attempt_hash SET STATISTICS 0;
ALTER TABLE ONLY public.passkey_challenges ALTER COLUMN purpose SET STATISTICS 0;
ALTER TABLE ONLY public.passkey_challenges ALTER COLUMN state SET STATISTICS 0;
ALTER TABLE ONLY public.passkey_challenges ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.passkey_challenges ALTER COLUMN session_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.passkey_challenges ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.passkeys (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    user_uuid uuid NOT NULL,
    credential_id bytea NOT NULL,
    credential bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT passkeys_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 50)))
);
ALTER TABLE ONLY public.passkeys ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.passkeys ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.passkeys ALTER COLUMN credential_id SET STATISTICS 0;
ALTER TABLE ONLY public.passkeys ALTER COLUMN credential SET STATISTICS 0;
ALTER TABLE ONLY public.passkeys ALTER COLUMN sign_count SET STATISTICS 0;
ALTER TABLE ONLY public.passkeys ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE ONLY public.passkeys ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.passkeys ALTER COLUMN used_at SET STATISTICS 0;

CREATE TABLE public.password_resets (
    user_uuid uuid NOT NULL,
    code_hash bytea NOT NULL,
    tries_left smallint DEFAULT 5 NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT password_resets_tries_left_check CHECK ((tries_left >= 0))
);
ALTER TABLE ONLY public.password_resets ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.password_resets ALTER COLUMN code_hash SET STATISTICS 0;
ALTER TABLE ONLY public.password_resets ALTER COLUMN tries_left SET STATISTICS 0;
ALTER TABLE ONLY public.password_resets ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.picture_files (
    picture_uuid uuid NOT NULL,
    size text NOT NULL,
    jpeg bytea NOT NULL,
    CONSTRAINT picture_files_size_check CHECK ((size = ANY (ARRAY['full'::text, 'thumbnail'::text])))
);
ALTER TABLE ONLY public.picture_files ALTER COLUMN picture_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.picture_files ALTER COLUMN size SET STATISTICS 0;
ALTER TABLE ONLY public.picture_files ALTER COLUMN jpeg SET STATISTICS 0;
ALTER TABLE ONLY public.picture_files ALTER COLUMN jpeg SET STORAGE EXTERNAL;

CREATE TABLE public.pictures (
    uuid uuid DEFAULT gen_random_uuid() NOT NULL,
    user_uuid uuid NOT NULL,
    activity_uuid uuid,
    width integer NOT NULL,
    height integer NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pictures_check CHECK (((activity_uuid IS NULL) = (expires_at IS NOT NULL))),
    CONSTRAINT pictures_height_check CHECK ((height > 0)),
    CONSTRAINT pictures_width_check CHECK ((width > 0))
);
ALTER TABLE ONLY public.pictures ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.pictures ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.pictures ALTER COLUMN activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.pictures ALTER COLUMN width SET STATISTICS 0;
ALTER TABLE ONLY public.pictures ALTER COLUMN height SET STATISTICS 0;
ALTER TABLE ONLY public.pictures ALTER COLUMN expires_at SET STATISTICS 0;
ALTER TABLE ONLY public.pictures ALTER COLUMN created_at SET STATISTICS 0;

CREATE TABLE public.previews (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    url text NOT NULL,
    fetch_at timestamp with time zone DEFAULT now(),
    attempts smallint DEFAULT 0 NOT NULL,
    traceparent text,
    title text,
    description text DEFAULT ''::text NOT NULL,
    site text DEFAULT ''::text NOT NULL,
    picture bytea,
    CONSTRAINT previews_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT previews_description_check CHECK ((char_length(description) <= 400)),
    CONSTRAINT previews_site_check CHECK ((char_length(site) <= 255)),
    CONSTRAINT previews_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200))),
    CONSTRAINT previews_url_check CHECK ((octet_length(url) <= 2000))
);
ALTER TABLE ONLY public.previews ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN url SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN fetch_at SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN attempts SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN traceparent SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN title SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN description SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN site SET STATISTICS 0;
ALTER TABLE ONLY public.previews ALTER COLUMN picture SET STATISTICS 0;

CREATE UNLOGGED TABLE public.rates (
    bucket bytea NOT NULL,
    full_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.rates ALTER COLUMN bucket SET STATISTICS 0;
ALTER TABLE ONLY public.rates ALTER COLUMN full_at SET STATISTICS 0;

COMMENT ON COLUMN public.rates.bucket IS 'digest of the policy and the client';

COMMENT ON COLUMN public.rates.full_at IS 'when the bucket is full again, if nothing more is spent';

CREATE TABLE public.recovery_codes (
    user_uuid uuid NOT NULL,
    code_hash bytea NOT NULL
);
ALTER TABLE ONLY public.recovery_codes ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.recovery_codes ALTER COLUMN code_hash SET STATISTICS 0;

CREATE TABLE public.refresh_tokens (
    token_hash bytea NOT NULL,
    session_uuid uuid NOT NULL,
    used_at timestamp with time zone,
    successor_hash bytea
);
ALTER TABLE ONLY public.refresh_tokens ALTER COLUMN token_hash SET STATISTICS 0;
ALTER TABLE ONLY public.refresh_tokens ALTER COLUMN session_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.refresh_tokens ALTER COLUMN used_at SET STATISTICS 0;
ALTER TABLE ONLY public.refresh_tokens ALTER COLUMN successor_hash SET STATISTICS 0;

CREATE TABLE public.released_previews (
    preview_uuid uuid NOT NULL
);
ALTER TABLE ONLY public.released_previews ALTER COLUMN preview_uuid SET STATISTICS 0;

CREATE TABLE public.removed_pictures (
    uuid uuid NOT NULL,
    claimed_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.removed_pictures ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.removed_pictures ALTER COLUMN claimed_until SET STATISTICS 0;

CREATE TABLE public.reports (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    case_uuid uuid NOT NULL,
    reporter_uuid uuid NOT NULL,
    category text NOT NULL,
    sealed_words bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT reports_category_check CHECK ((char_length(category) <= 30))
);
ALTER TABLE ONLY public.reports ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.reports ALTER COLUMN case_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.reports ALTER COLUMN reporter_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.reports ALTER COLUMN category SET STATISTICS 0;
ALTER TABLE ONLY public.reports ALTER COLUMN sealed_words SET STATISTICS 0;
ALTER TABLE ONLY public.reports ALTER COLUMN created_at SET STATISTICS 0;
ALTER TABLE ONLY public.reports ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.reposts (
    activity_uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.reposts ALTER COLUMN activity_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.reposts ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.reposts ALTER COLUMN created_at SET STATISTICS 0;

CREATE TABLE public.second_factors (
    user_uuid uuid NOT NULL,
    sealed_secret bytea NOT NULL,
    key_digest bytea NOT NULL,
    confirmed_at timestamp with time zone,
    used_step bigint DEFAULT 0 NOT NULL
);
ALTER TABLE ONLY public.second_factors ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.second_factors ALTER COLUMN sealed_secret SET STATISTICS 0;
ALTER TABLE ONLY public.second_factors ALTER COLUMN key_digest SET STATISTICS 0;
ALTER TABLE ONLY public.second_factors ALTER COLUMN confirmed_at SET STATISTICS 0;
ALTER TABLE ONLY public.second_factors ALTER COLUMN used_step SET STATISTICS 0;

CREATE TABLE public.signing_keys (
    kid text NOT NULL,
    private_key text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.signing_keys ALTER COLUMN kid SET STATISTICS 0;
ALTER TABLE ONLY public.signing_keys ALTER COLUMN private_key SET STATISTICS 0;
ALTER TABLE ONLY public.signing_keys ALTER COLUMN created_at SET STATISTICS 0;

CREATE TABLE public.signup_attempts (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    signup_uuid uuid NOT NULL,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    code_hash bytea NOT NULL,
    tries_left smallint DEFAULT 5 NOT NULL,
    code_expires_at timestamp with time zone NOT NULL,
    invitation_uuid uuid,
    terms_version integer,
    terms_accepted_at timestamp with time zone,
    CONSTRAINT signup_attempts_check CHECK (((terms_version IS NULL) = (terms_accepted_at IS NULL))),
    CONSTRAINT signup_attempts_display_name_check CHECK (((char_length(display_name) >= 1) AND (char_length(display_name) <= 50))),
    CONSTRAINT signup_attempts_tries_left_check CHECK ((tries_left >= 0))
);
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN signup_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN display_name SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN password_hash SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN code_hash SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN tries_left SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN code_expires_at SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN invitation_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN terms_version SET STATISTICS 0;
ALTER TABLE ONLY public.signup_attempts ALTER COLUMN terms_accepted_at SET STATISTICS 0;

CREATE TABLE public.signups (
    uuid uuid DEFAULT uuidv7() NOT NULL,
    email text NOT NULL,
    handle text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT signups_email_check CHECK ((char_length(email) <= 254)),
    CONSTRAINT signups_handle_check CHECK ((handle ~ '^[a-z0-9_]{2,30}$'::text))
);
ALTER TABLE ONLY public.signups ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.signups ALTER COLUMN email SET STATISTICS 0;
ALTER TABLE ONLY public.signups ALTER COLUMN handle SET STATISTICS 0;
ALTER TABLE ONLY public.signups ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.stream_tickets (
    ticket_hash bytea NOT NULL,
    user_uuid uuid NOT NULL,
    session_uuid uuid,
    access_ends_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.stream_tickets ALTER COLUMN ticket_hash SET STATISTICS 0;
ALTER TABLE ONLY public.stream_tickets ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.stream_tickets ALTER COLUMN session_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.stream_tickets ALTER COLUMN access_ends_at SET STATISTICS 0;
ALTER TABLE ONLY public.stream_tickets ALTER COLUMN expires_at SET STATISTICS 0;

CREATE TABLE public.suspended_addresses (
    email_digest bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.suspended_addresses ALTER COLUMN email_digest SET STATISTICS 0;
ALTER TABLE ONLY public.suspended_addresses ALTER COLUMN expires_at SET STATISTICS 0;

CREATE UNLOGGED TABLE public.throttles (
    bucket text NOT NULL,
    attempts integer NOT NULL,
    resets_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.throttles ALTER COLUMN bucket SET STATISTICS 0;
ALTER TABLE ONLY public.throttles ALTER COLUMN attempts SET STATISTICS 0;
ALTER TABLE ONLY public.throttles ALTER COLUMN resets_at SET STATISTICS 0;

CREATE TABLE public.used_uploads (
    user_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.used_uploads ALTER COLUMN user_uuid SET STATISTICS 0;
ALTER TABLE ONLY public.used_uploads ALTER COLUMN uuid SET STATISTICS 0;
ALTER TABLE ONLY public.used_uploads ALTER COLUMN expires_at SET STATISTICS 0;

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_email_key UNIQUE (email);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (user_uuid);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.activity_links
    ADD CONSTRAINT activity_links_pkey PRIMARY KEY (activity_uuid);

ALTER TABLE ONLY public.activity_tags
    ADD CONSTRAINT activity_tags_pkey PRIMARY KEY (activity_uuid, tag);

ALTER TABLE ONLY public.announcements
    ADD CONSTRAINT announcements_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (session_uuid);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.avatars
    ADD CONSTRAINT avatars_pkey PRIMARY KEY (user_uuid);

ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_pkey PRIMARY KEY (blocker_uuid, blocked_uuid);

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.deleted_activities
    ADD CONSTRAINT deleted_activities_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.deleted_subjects
    ADD CONSTRAINT deleted_subjects_pkey PRIMARY KEY (issuer, subject);

ALTER TABLE ONLY public.email_changes
    ADD CONSTRAINT email_changes_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_digest_key UNIQUE (case_uuid, digest);

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.expired_activities
    ADD CONSTRAINT expired_activities_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.expired_messages
    ADD CONSTRAINT expired_messages_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.familiar_clients
    ADD CONSTRAINT familiar_clients_pkey PRIMARY KEY (user_uuid, client_hash);

ALTER TABLE ONLY public.follow_counts
    ADD CONSTRAINT follow_counts_pkey PRIMARY KEY (user_uuid);

ALTER TABLE ONLY public.followed_tags
    ADD CONSTRAINT followed_tags_pkey PRIMARY KEY (user_uuid, tag);

ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_pkey PRIMARY KEY (follower_uuid, followee_uuid);

ALTER TABLE ONLY public.idempotency_answers
    ADD CONSTRAINT idempotency_answers_pkey PRIMARY KEY (key_uuid);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_key UNIQUE (member, route, key);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.index_rebuilds
    ADD CONSTRAINT index_rebuilds_pkey PRIMARY KEY (index_name);

ALTER TABLE ONLY public.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_code_key UNIQUE (code);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.invited_addresses
    ADD CONSTRAINT invited_addresses_pkey PRIMARY KEY (email);

ALTER TABLE ONLY public.likes
    ADD CONSTRAINT likes_pkey PRIMARY KEY (activity_uuid, user_uuid);

ALTER TABLE ONLY public.message_groups
    ADD CONSTRAINT message_groups_pair_key UNIQUE (low_user_uuid, high_user_uuid);

ALTER TABLE ONLY public.message_groups
    ADD CONSTRAINT message_groups_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.moderation_actions
    ADD CONSTRAINT moderation_actions_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.mutes
    ADD CONSTRAINT mutes_pkey PRIMARY KEY (muter_uuid, muted_uuid);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.passkey_challenges
    ADD CONSTRAINT passkey_challenges_pkey PRIMARY KEY (attempt_hash);

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT passkeys_credential_id_key UNIQUE (credential_id);

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT passkeys_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_pkey PRIMARY KEY (user_uuid);

ALTER TABLE ONLY public.picture_files
    ADD CONSTRAINT picture_files_pkey PRIMARY KEY (picture_uuid, size);

ALTER TABLE ONLY public.pictures
    ADD CONSTRAINT pictures_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.previews
    ADD CONSTRAINT previews_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.previews
    ADD CONSTRAINT previews_url_key UNIQUE (url);

ALTER TABLE ONLY public.rates
    ADD CONSTRAINT rates_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_uuid, code_hash);

ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.removed_pictures
    ADD CONSTRAINT removed_pictures_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_reporter_key UNIQUE (case_uuid, reporter_uuid);

ALTER TABLE ONLY public.reposts
    ADD CONSTRAINT reposts_pkey PRIMARY KEY (activity_uuid, user_uuid);

ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT second_factors_pkey PRIMARY KEY (user_uuid);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY public.signup_attempts
    ADD CONSTRAINT signup_attempts_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.signups
    ADD CONSTRAINT signups_handle_key UNIQUE (handle);

ALTER TABLE ONLY public.signups
    ADD CONSTRAINT signups_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY public.stream_tickets
    ADD CONSTRAINT stream_tickets_pkey PRIMARY KEY (ticket_hash);

ALTER TABLE ONLY public.suspended_addresses
    ADD CONSTRAINT suspended_addresses_pkey PRIMARY KEY (email_digest);

ALTER TABLE ONLY public.throttles
    ADD CONSTRAINT throttles_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.used_uploads
    ADD CONSTRAINT used_uploads_pkey PRIMARY KEY (user_uuid, uuid);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_handle_key UNIQUE (handle);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_issuer_subject_key UNIQUE (issuer, subject);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (uuid);

CREATE INDEX activities_expires_at_idx ON public.activities USING btree (expires_at);

CREATE INDEX activities_home_idx ON public.activities USING btree (created_at DESC, uuid DESC, expires_at) INCLUDE (user_uuid) WHERE (reply_to_activity_uuid IS NULL);

CREATE INDEX activities_replies_idx ON public.activities USING btree (reply_to_activity_uuid, created_at, uuid, expires_at) WHERE (reply_to_activity_uuid IS NOT NULL);

CREATE INDEX activities_search_idx ON public.activities USING gin (search);

CREATE INDEX activities_user_idx ON public.activities USING btree (user_uuid, created_at DESC, uuid DESC, expires_at);

CREATE INDEX activities_user_live_idx ON public.activities USING btree (user_uuid, expires_at) INCLUDE (created_at, uuid) WHERE (reply_to_activity_uuid IS NULL);

CREATE INDEX activity_links_new_idx ON public.activity_links USING btree (activity_uuid) WHERE (preview_uuid IS NULL);

CREATE INDEX activity_links_preview_idx ON public.activity_links USING btree (preview_uuid, activity_uuid);

CREATE INDEX activity_tags_newest_idx ON public.activity_tags USING btree (tag, created_at DESC, activity_uuid DESC, expires_at);

CREATE INDEX activity_tags_tag_idx ON public.activity_tags USING btree (tag, activity_uuid);

CREATE INDEX announcements_expires_at_idx ON public.announcements USING btree (expires_at);

CREATE INDEX audit_entries_actor_uuid_idx ON public.audit_entries USING btree (actor_uuid, created_at, uuid);

CREATE INDEX audit_entries_created_at_idx ON public.audit_entries USING btree (created_at, uuid);

CREATE INDEX audit_entries_user_uuid_idx ON public.audit_entries USING btree (user_uuid, created_at, uuid);

CREATE INDEX blocks_blocked_idx ON public.blocks USING btree (blocked_uuid, blocker_uuid);

CREATE INDEX cases_queue_idx ON public.cases USING btree (is_open, opened_at, uuid);

CREATE UNIQUE INDEX cases_undecided_key ON public.cases USING btree (kind, subject_uuid) WHERE (closed_at IS NULL);

CREATE INDEX cases_user_uuid_idx ON public.cases USING btree (user_uuid);

CREATE INDEX deleted_activities_expires_at_idx ON public.deleted_activities USING btree (expires_at);

CREATE INDEX deleted_subjects_forget_at_idx ON public.deleted_subjects USING btree (forget_at);

CREATE INDEX email_changes_expires_at_idx ON public.email_changes USING btree (expires_at);

CREATE UNIQUE INDEX email_changes_stop_hash_key ON public.email_changes USING btree (stop_hash);

CREATE INDEX email_changes_user_uuid_idx ON public.email_changes USING btree (user_uuid);

CREATE UNIQUE INDEX email_changes_waiting_key ON public.email_changes USING btree (user_uuid) WHERE (confirmed_at IS NULL);

CREATE INDEX events_mark_idx ON public.events USING btree (created_at) WHERE (kind = 'mark'::text);

CREATE INDEX events_xid_idx ON public.events USING btree (xid);

CREATE INDEX evidence_expires_at_idx ON public.evidence USING btree (expires_at);

CREATE INDEX expired_activities_expired_at_idx ON public.expired_activities USING btree (expired_at);

CREATE INDEX expired_messages_expired_at_idx ON public.expired_messages USING btree (expired_at);

CREATE INDEX familiar_clients_seen_at_idx ON public.familiar_clients USING btree (seen_at);

CREATE INDEX follows_followee_idx ON public.follows USING btree (followee_uuid, created_at DESC, follower_uuid DESC);

CREATE INDEX follows_follower_idx ON public.follows USING btree (follower_uuid, created_at DESC, followee_uuid DESC);

CREATE INDEX idempotency_answers_activity_uuid_idx ON public.idempotency_answers USING btree (activity_uuid);

CREATE INDEX idempotency_answers_message_uuid_idx ON public.idempotency_answers USING btree (message_uuid);

CREATE INDEX idempotency_keys_created_at_idx ON public.idempotency_keys USING btree (created_at);

CREATE INDEX invitations_expires_at_idx ON public.invitations USING btree (expires_at);

CREATE INDEX invited_addresses_expires_at_idx ON public.invited_addresses USING btree (expires_at);

CREATE INDEX likes_user_uuid_idx ON public.likes USING btree (user_uuid);

CREATE INDEX message_groups_high_user_uuid_idx ON public.message_groups USING btree (high_user_uuid);

CREATE INDEX messages_expires_at_idx ON public.messages USING btree (expires_at) WHERE (expires_at < 'infinity'::timestamp with time zone);

CREATE INDEX messages_group_idx ON public.messages USING btree (message_group_uuid, created_at DESC, uuid DESC);

CREATE INDEX messages_user_uuid_idx ON public.messages USING btree (user_uuid);

CREATE INDEX moderation_actions_case_uuid_idx ON public.moderation_actions USING btree (case_uuid);

CREATE INDEX moderation_actions_user_uuid_idx ON public.moderation_actions USING btree (user_uuid, created_at, uuid);

CREATE INDEX mutes_ends_at_idx ON public.mutes USING btree (ends_at);

CREATE INDEX mutes_muted_uuid_idx ON public.mutes USING btree (muted_uuid);

CREATE UNIQUE INDEX notifications_activity_key ON public.notifications USING btree (activity_uuid, user_uuid, actor_uuid, kind);

CREATE INDEX notifications_actor_uuid_idx ON public.notifications USING btree (actor_uuid);

CREATE INDEX notifications_follow_idx ON public.notifications USING btree (user_uuid, created_at DESC, uuid DESC) INCLUDE (actor_uuid) WHERE (kind = 'follow'::text);

CREATE UNIQUE INDEX notifications_follow_key ON public.notifications USING btree (actor_uuid, user_uuid) WHERE (kind = 'follow'::text);

CREATE INDEX notifications_group_idx ON public.notifications USING btree (activity_uuid, user_uuid, kind, created_at DESC, uuid DESC) INCLUDE (actor_uuid) WHERE (activity_uuid IS NOT NULL);

CREATE INDEX notifications_message_uuid_idx ON public.notifications USING btree (message_uuid);

CREATE INDEX notifications_user_idx ON public.notifications USING btree (user_uuid, created_at DESC, uuid DESC);

CREATE INDEX passkey_challenges_expires_at_idx ON public.passkey_challenges USING btree (expires_at);

CREATE INDEX passkey_challenges_session_uuid_idx ON public.passkey_challenges USING btree (session_uuid);

CREATE INDEX passkey_challenges_user_uuid_idx ON public.passkey_challenges USING btree (user_uuid);

CREATE INDEX passkeys_user_uuid_idx ON public.passkeys USING btree (user_uuid);

CREATE INDEX password_resets_expires_at_idx ON public.password_resets USING btree (expires_at);

CREATE INDEX pictures_activity_uuid_idx ON public.pictures USING btree (activity_uuid);

CREATE INDEX pictures_expires_at_idx ON public.pictures USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX pictures_user_uuid_idx ON public.pictures USING btree (user_uuid);

CREATE INDEX previews_fetch_at_idx ON public.previews USING btree (fetch_at) WHERE (fetch_at IS NOT NULL);

CREATE INDEX refresh_tokens_session_uuid_idx ON public.refresh_tokens USING btree (session_uuid);

CREATE INDEX refresh_tokens_used_at_idx ON public.refresh_tokens USING btree (used_at) WHERE (used_at IS NOT NULL);

CREATE INDEX reports_expires_at_idx ON public.reports USING btree (expires_at);

CREATE INDEX reports_reporter_uuid_idx ON public.reports USING btree (reporter_uuid, created_at);

CREATE INDEX reposts_newest_idx ON public.reposts USING btree (created_at DESC, activity_uuid DESC) INCLUDE (user_uuid);

CREATE INDEX reposts_user_idx ON public.reposts USING btree (user_uuid, created_at DESC, activity_uuid DESC);

CREATE INDEX sessions_expires_at_idx ON public.sessions USING btree (expires_at);

CREATE INDEX sessions_user_uuid_idx ON public.sessions USING btree (user_uuid);

CREATE INDEX signup_attempts_signup_uuid_idx ON public.signup_attempts USING btree (signup_uuid);

CREATE INDEX signups_email_idx ON public.signups USING btree (email);

CREATE INDEX signups_expires_at_idx ON public.signups USING btree (expires_at);

CREATE INDEX stream_tickets_expires_at_idx ON public.stream_tickets USING btree (expires_at);

CREATE INDEX stream_tickets_session_uuid_idx ON public.stream_tickets USING btree (session_uuid);

CREATE INDEX stream_tickets_user_uuid_idx ON public.stream_tickets USING btree (user_uuid);

CREATE INDEX suspended_addresses_expires_at_idx ON public.suspended_addresses USING btree (expires_at);

CREATE INDEX throttles_resets_at_idx ON public.throttles USING btree (resets_at);

CREATE INDEX used_uploads_expires_at_idx ON public.used_uploads USING btree (expires_at);

CREATE INDEX users_email_idx ON public.users USING btree (lower(email));
ALTER INDEX public.users_email_idx ALTER COLUMN 1 SET STATISTICS 0;

CREATE INDEX users_handle_prefix_idx ON public.users USING btree (handle COLLATE "C");

CREATE INDEX users_limited_until_idx ON public.users USING btree (limited_until) WHERE (limited_until IS NOT NULL);

CREATE INDEX users_name_prefix_idx ON public.users USING btree (replace(public.search_text(display_name), ' '::text, ''::text) COLLATE "C");
ALTER INDEX public.users_name_prefix_idx ALTER COLUMN 1 SET STATISTICS 0;

CREATE INDEX users_role_idx ON public.users USING btree (role) WHERE (role <> 'member'::text);

CREATE INDEX users_suspended_until_idx ON public.users USING btree (suspended_until) WHERE (suspended_until IS NOT NULL);

CREATE INDEX users_words_idx ON public.users USING gin (to_tsvector('simple'::regconfig, ((public.search_text(display_name) || ' '::text) || replace(handle, '_'::text, ' '::text))));
ALTER INDEX public.users_words_idx ALTER COLUMN 1 SET STATISTICS 0;

CREATE TRIGGER activities_bequeath_expiry AFTER UPDATE OF expires_at ON public.activities FOR EACH ROW WHEN ((new.expires_at < old.expires_at)) EXECUTE FUNCTION public.bequeath_expiry();

CREATE TRIGGER activities_copy_expiry_to_tags AFTER UPDATE OF expires_at ON public.activities FOR EACH ROW WHEN ((new.expires_at <> old.expires_at)) EXECUTE FUNCTION public.copy_expiry_to_tags();

CREATE TRIGGER activities_inherit_expiry BEFORE INSERT OR UPDATE OF expires_at ON public.activities FOR EACH ROW WHEN ((new.reply_to_activity_uuid IS NOT NULL)) EXECUTE FUNCTION public.inherit_expiry();

CREATE CONSTRAINT TRIGGER activities_record_change AFTER UPDATE OF likes_count, reposts_count, expires_at ON public.activities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.likes_count <> new.likes_count) OR (old.reposts_count <> new.reposts_count) OR (old.expires_at <> new.expires_at))) EXECUTE FUNCTION public.record_change();

CREATE CONSTRAINT TRIGGER activities_record_created AFTER INSERT ON public.activities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_activity();

CREATE CONSTRAINT TRIGGER activities_record_deleted AFTER DELETE ON public.activities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.expires_at > now())) EXECUTE FUNCTION public.record_activity();

CREATE CONSTRAINT TRIGGER activities_record_page_change AFTER UPDATE OF uuid, user_uuid, reply_to_activity_uuid, message, created_at, pictures ON public.activities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_page_change();

CREATE TRIGGER activities_record_truncation AFTER TRUNCATE ON public.activities FOR EACH STATEMENT EXECUTE FUNCTION public.record_page_change();

CREATE TRIGGER activities_remember_expired AFTER DELETE ON public.activities FOR EACH ROW WHEN ((old.expires_at <= now())) EXECUTE FUNCTION public.remember_expired();

CREATE CONSTRAINT TRIGGER activity_links_record_preview AFTER UPDATE OF preview_uuid ON public.activity_links DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.preview_uuid IS DISTINCT FROM new.preview_uuid)) EXECUTE FUNCTION public.record_preview();

CREATE TRIGGER activity_links_release_preview AFTER DELETE ON public.activity_links FOR EACH ROW WHEN ((old.preview_uuid IS NOT NULL)) EXECUTE FUNCTION public.release_preview();

CREATE CONSTRAINT TRIGGER announcements_record_change AFTER INSERT OR DELETE OR UPDATE ON public.announcements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_instance_change();

CREATE TRIGGER audit_entries_append_only BEFORE DELETE OR UPDATE ON public.audit_entries FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER audit_entries_keep BEFORE TRUNCATE ON public.audit_entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER blocks_end_follows BEFORE INSERT ON public.blocks FOR EACH ROW EXECUTE FUNCTION public.end_follows_of_blocked();

CREATE CONSTRAINT TRIGGER blocks_record AFTER INSERT OR DELETE ON public.blocks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_hidden();

CREATE CONSTRAINT TRIGGER cases_record AFTER INSERT ON public.cases DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_case();

CREATE CONSTRAINT TRIGGER cases_record_change AFTER UPDATE ON public.cases DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.is_open <> old.is_open)) EXECUTE FUNCTION public.record_case();

CREATE CONSTRAINT TRIGGER followed_tags_record AFTER INSERT OR DELETE ON public.followed_tags DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_follow();

CREATE TRIGGER follows_count AFTER INSERT ON public.follows REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_follows();

CREATE CONSTRAINT TRIGGER follows_record AFTER INSERT OR DELETE ON public.follows DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_follow();

CREATE TRIGGER follows_refuse_blocked BEFORE INSERT ON public.follows FOR EACH ROW EXECUTE FUNCTION public.refuse_follow_of_blocked();

CREATE TRIGGER follows_uncount AFTER DELETE ON public.follows REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.uncount_follows();

CREATE CONSTRAINT TRIGGER instance_record_change AFTER UPDATE ON public.instance DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_instance_change();

CREATE TRIGGER likes_count AFTER INSERT OR DELETE ON public.likes FOR EACH ROW EXECUTE FUNCTION public.count_like();

CREATE TRIGGER messages_bump_group AFTER INSERT ON public.messages FOR EACH ROW EXECUTE FUNCTION public.bump_message_group();

CREATE CONSTRAINT TRIGGER messages_record AFTER INSERT ON public.messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_written('message');

CREATE TRIGGER messages_remember_expired AFTER DELETE ON public.messages FOR EACH ROW WHEN ((old.expires_at <= now())) EXECUTE FUNCTION public.remember_expired_message();

CREATE CONSTRAINT TRIGGER moderation_actions_record AFTER INSERT ON public.moderation_actions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.kind <> 'dismiss'::text)) EXECUTE FUNCTION public.record_decision();

CREATE CONSTRAINT TRIGGER moderation_actions_record_appeal AFTER UPDATE OF decision ON public.moderation_actions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.decision IS DISTINCT FROM old.decision)) EXECUTE FUNCTION public.record_decision();

CREATE CONSTRAINT TRIGGER mutes_record AFTER INSERT OR DELETE OR UPDATE ON public.mutes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_hidden();

CREATE CONSTRAINT TRIGGER notifications_record AFTER INSERT ON public.notifications DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_written('notification');

CREATE TRIGGER pictures_record_removed AFTER DELETE ON public.pictures FOR EACH ROW EXECUTE FUNCTION public.record_removed_picture();

CREATE CONSTRAINT TRIGGER previews_record_change AFTER UPDATE OF title, description, site, picture ON public.previews DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_preview();

CREATE TRIGGER reposts_count AFTER INSERT OR DELETE ON public.reposts FOR EACH ROW EXECUTE FUNCTION public.count_repost();

CREATE CONSTRAINT TRIGGER reposts_record AFTER INSERT ON public.reposts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_repost();

CREATE CONSTRAINT TRIGGER reposts_record_page_change AFTER INSERT OR DELETE OR UPDATE ON public.reposts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_page_change();

CREATE TRIGGER reposts_record_truncation AFTER TRUNCATE ON public.reposts FOR EACH STATEMENT EXECUTE FUNCTION public.record_page_change();

CREATE CONSTRAINT TRIGGER sessions_record_sign_out AFTER DELETE ON public.sessions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_sign_out();

CREATE TRIGGER users_delete_decisions AFTER DELETE ON public.users FOR EACH ROW EXECUTE FUNCTION public.delete_decisions();

CREATE CONSTRAINT TRIGGER users_record_limit AFTER UPDATE OF limited_until ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.limited_until IS DISTINCT FROM new.limited_until)) EXECUTE FUNCTION public.record_page_change();

CREATE CONSTRAINT TRIGGER users_record_page_change AFTER DELETE OR UPDATE OF uuid, subject, handle, display_name, bio, avatar_digest ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_page_change();

CREATE CONSTRAINT TRIGGER users_record_role AFTER UPDATE OF role ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.role <> old.role)) EXECUTE FUNCTION public.record_role();

CREATE CONSTRAINT TRIGGER users_record_sign_out AFTER DELETE ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.record_sign_out();

CREATE CONSTRAINT TRIGGER users_record_suspension AFTER UPDATE OF suspended_until ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.suspended_until > now())) EXECUTE FUNCTION public.record_sign_out();

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_reply_to_activity_uuid_fkey FOREIGN KEY (reply_to_activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.activity_links
    ADD CONSTRAINT activity_links_activity_uuid_fkey FOREIGN KEY (activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.activity_links
    ADD CONSTRAINT activity_links_preview_uuid_fkey FOREIGN KEY (preview_uuid) REFERENCES public.previews(uuid) ON DELETE SET NULL;

ALTER TABLE ONLY public.activity_tags
    ADD CONSTRAINT activity_tags_activity_uuid_fkey FOREIGN KEY (activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_session_uuid_fkey FOREIGN KEY (session_uuid) REFERENCES public.sessions(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.avatars
    ADD CONSTRAINT avatars_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_blocked_uuid_fkey FOREIGN KEY (blocked_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_blocker_uuid_fkey FOREIGN KEY (blocker_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.email_changes
    ADD CONSTRAINT email_changes_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.accounts(user_uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_case_uuid_fkey FOREIGN KEY (case_uuid) REFERENCES public.cases(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.familiar_clients
    ADD CONSTRAINT familiar_clients_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.follow_counts
    ADD CONSTRAINT follow_counts_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.followed_tags
    ADD CONSTRAINT followed_tags_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_followee_uuid_fkey FOREIGN KEY (followee_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_follower_uuid_fkey FOREIGN KEY (follower_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_answers
    ADD CONSTRAINT idempotency_answers_activity_uuid_fkey FOREIGN KEY (activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_answers
    ADD CONSTRAINT idempotency_answers_key_uuid_fkey FOREIGN KEY (key_uuid) REFERENCES public.idempotency_keys(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_answers
    ADD CONSTRAINT idempotency_answers_message_uuid_fkey FOREIGN KEY (message_uuid) REFERENCES public.messages(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.likes
    ADD CONSTRAINT likes_activity_uuid_fkey FOREIGN KEY (activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.likes
    ADD CONSTRAINT likes_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.message_groups
    ADD CONSTRAINT message_groups_high_user_uuid_fkey FOREIGN KEY (high_user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.message_groups
    ADD CONSTRAINT message_groups_low_user_uuid_fkey FOREIGN KEY (low_user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_message_group_uuid_fkey FOREIGN KEY (message_group_uuid) REFERENCES public.message_groups(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.moderation_actions
    ADD CONSTRAINT moderation_actions_case_uuid_fkey FOREIGN KEY (case_uuid) REFERENCES public.cases(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.mutes
    ADD CONSTRAINT mutes_muted_uuid_fkey FOREIGN KEY (muted_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.mutes
    ADD CONSTRAINT mutes_muter_uuid_fkey FOREIGN KEY (muter_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_activity_uuid_fkey FOREIGN KEY (activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_actor_uuid_fkey FOREIGN KEY (actor_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_message_uuid_fkey FOREIGN KEY (message_uuid) REFERENCES public.messages(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.passkey_challenges
    ADD CONSTRAINT passkey_challenges_session_uuid_fkey FOREIGN KEY (session_uuid) REFERENCES public.sessions(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.passkey_challenges
    ADD CONSTRAINT passkey_challenges_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT passkeys_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.accounts(user_uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.picture_files
    ADD CONSTRAINT picture_files_picture_uuid_fkey FOREIGN KEY (picture_uuid) REFERENCES public.pictures(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.pictures
    ADD CONSTRAINT pictures_activity_uuid_fkey FOREIGN KEY (activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.pictures
    ADD CONSTRAINT pictures_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.accounts(user_uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_uuid_fkey FOREIGN KEY (session_uuid) REFERENCES public.sessions(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_case_uuid_fkey FOREIGN KEY (case_uuid) REFERENCES public.cases(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_reporter_uuid_fkey FOREIGN KEY (reporter_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.reposts
    ADD CONSTRAINT reposts_activity_uuid_fkey FOREIGN KEY (activity_uuid) REFERENCES public.activities(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.reposts
    ADD CONSTRAINT reposts_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT second_factors_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.accounts(user_uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.signup_attempts
    ADD CONSTRAINT signup_attempts_signup_uuid_fkey FOREIGN KEY (signup_uuid) REFERENCES public.signups(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.stream_tickets
    ADD CONSTRAINT stream_tickets_session_uuid_fkey FOREIGN KEY (session_uuid) REFERENCES public.sessions(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.stream_tickets
    ADD CONSTRAINT stream_tickets_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;

ALTER TABLE ONLY public.used_uploads
    ADD CONSTRAINT used_uploads_user_uuid_fkey FOREIGN KEY (user_uuid) REFERENCES public.users(uuid) ON DELETE CASCADE;
