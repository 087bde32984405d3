-- As before (migration 0022), and no case waits for an appeal that was deleted: its evidence would never end.
CREATE OR REPLACE FUNCTION delete_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
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
