import { t } from "../language/further";
import { ButtonLink } from "./Button";
import { Empty } from "./List";

/** What moderators see who have no second factor, where the service requires one. */
export function NeedsSecondFactor() {
  return (
    <Empty title={t.moderation.needsSecondFactor}>
      <p>{t.moderation.needsSecondFactorHint}</p>
      <ButtonLink to="/settings">{t.moderation.toSettings}</ButtonLink>
    </Empty>
  );
}
