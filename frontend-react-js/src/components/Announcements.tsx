import { useState } from "react";
import { Link } from "react-router";
import type { Announcement } from "../api/wire";
import { t } from "../language/further";
import { useInstance } from "../queries/instance";
import { useAcceptTerms } from "../queries/member";
import { useMember } from "../queries/session";
import { load, store } from "../storage";
import { Button, IconButton } from "./Button";
import { useIsPast } from "./Clock";
import { RichText } from "./RichText";
import "./Announcements.css";

const DISMISSED = "cruddur.dismissed";

/** What admins announce, until it expires or is dismissed, and terms that are to be accepted. */
export function Announcements() {
  const instance = useInstance().data;
  const [dismissed, setDismissed] = useState(() => load(DISMISSED)?.split(" ") ?? []);
  if (instance === undefined) {
    return null;
  }
  const dismiss = (uuid: string) => {
    // Announcements that are gone need not be remembered.
    const known = instance.announcements.map((one) => one.uuid);
    const next = [...dismissed.filter((one) => known.includes(one)), uuid];
    store(DISMISSED, next.join(" "));
    setDismissed(next);
  };
  const shown = instance.announcements.filter(({ uuid }) => !dismissed.includes(uuid));
  return (
    <div className="announcements">
      <div role="status">
        {shown.map((one) => (
          <AnnouncementNote key={one.uuid} announcement={one} onDismiss={() => dismiss(one.uuid)} />
        ))}
      </div>
      <TermsNote version={instance.terms_version} />
    </div>
  );
}

function AnnouncementNote({
  announcement: { message, expires_at },
  onDismiss,
}: {
  announcement: Announcement;
  onDismiss: () => void;
}) {
  return useIsPast(expires_at) ? null : (
    <div className="announcement">
      <div>
        <span className="unseen">{t.announcements.label} </span>
        <RichText text={message} />
      </div>
      <IconButton label={t.announcements.dismiss} icon="close" onClick={onDismiss} />
    </div>
  );
}

/** Asks a member to accept the terms, if they have not accepted this version. */
function TermsNote({ version }: { version: number }) {
  const member = useMember();
  const accept = useAcceptTerms();
  if (member === null || version === 0 || member.terms_version === version) {
    return null;
  }
  return (
    <section className="announcement" aria-label={t.terms.title}>
      <p>
        {t.announcements.terms((words) => (
          <Link to="/terms">{words}</Link>
        ))}
      </p>
      <Button busy={accept.isPending} onClick={() => accept.mutate(version)}>
        {t.announcements.accept}
      </Button>
    </section>
  );
}
