import { useId } from "react";
import type { Session } from "../../api/wire";
import { Button } from "../../components/Button";
import { Ago, useIsPast } from "../../components/Clock";
import { Icon } from "../../components/Icon";
import { Skeleton } from "../../components/List";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import { useRevoke, useRevokeOthers, useSessions } from "../../queries/accounts";
import { describeDevice } from "../../text/device";
import { Section } from "./Section";

/** List the devices that are signed in, and sign out one of them or all others. */
export function DevicesSection() {
  const sessions = useSessions();
  const current = sessions.data?.filter((session) => session.current) ?? [];
  const others = sessions.data?.filter((session) => !session.current) ?? [];
  return (
    <Section title={t.devices.title}>
      {sessions.data ? (
        <>
          <ul className="devices">
            {[...current, ...others].map((session) => (
              <Device key={session.uuid} session={session} />
            ))}
          </ul>
          {others.length > 0 && <SignOutOthers count={others.length} />}
        </>
      ) : sessions.isError ? (
        <ProblemNote error={sessions.error} retry={() => void sessions.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
    </Section>
  );
}

function SignOutOthers({ count }: { count: number }) {
  const revoke = useRevokeOthers();
  return (
    <div className="account-row">
      <Button
        look="outlined"
        busy={revoke.isPending}
        onClick={() =>
          void revoke.mutateAsync().then(
            () => notify(t.devices.signedOutOthers(count)),
            () => undefined, // shown as a notice
          )
        }
      >
        {t.devices.signOutOthers}
      </Button>
    </div>
  );
}

/** Milliseconds after its last request for a new token in which a device counts as active. */
const ACTIVE = 15 * 60_000;

function Device({ session }: { session: Session }) {
  const revoke = useRevoke();
  const name = describeDevice(session.device);
  const id = useId();
  const isIdle = useIsPast(new Date(Date.parse(session.used_at) + ACTIVE).toISOString());
  return (
    <li className="device">
      <Icon name="device" />
      <div>
        <p title={session.device}>
          <b>{name}</b> {session.current && <span className="chip">{t.devices.this}</span>}
        </p>
        <p className="field-hint" id={id}>
          {session.current || !isIdle
            ? t.devices.activeNow
            : t.devices.active(<Ago time={session.used_at} />)}{" "}
          · {t.devices.signedIn(<Ago time={session.created_at} />)}{" "}
          {t.devices.methods[session.method]} ·&nbsp;{session.address}
        </p>
      </div>
      {!session.current && (
        <Button
          look="outlined"
          busy={revoke.isPending}
          aria-label={t.devices.signOut(name)}
          aria-describedby={id}
          onClick={() =>
            revoke.mutate(session, { onSuccess: () => notify(t.devices.signedOut(name)) })
          }
        >
          {t.settings.signOut}
        </Button>
      )}
      {revoke.isError && <ProblemNote error={revoke.error} />}
    </li>
  );
}
