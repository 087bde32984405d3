-- What decides whether an account may be opened, for an address with these domains, and the invitation with
-- a code if it has uses left. `is_suspended`: a suspended account with this address was deleted.
SELECT
    instance.sign_up_mode,
    instance.terms_version,
    instance.blocked_domains && :domains::text[] AS is_blocked,
    EXISTS (
        SELECT FROM suspended_addresses
        WHERE suspended_addresses.email_digest = sha256(convert_to(lower(:email), 'UTF8'))
          AND suspended_addresses.expires_at > now()
    ) AS is_suspended,
    (
        SELECT invitations.uuid
        FROM invitations
        WHERE invitations.code = :code
          AND invitations.uses < invitations.max_uses
          AND invitations.expires_at > now()
    ) AS invitation_uuid
FROM instance
