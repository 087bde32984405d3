-- Live cruds and replies as evidence.
{evidence_of_cruds}
WHERE activities.uuid = ANY(:uuids::uuid[])
  AND activities.expires_at > now()
