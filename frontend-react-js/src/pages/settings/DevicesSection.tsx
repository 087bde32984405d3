import { useId } from "react";
import type { Session } from "../../api/wire";
import { Button } from "../../components/Button";
import { Ago, useIsPast } from "../../components/Clock";
import { Icon } from "../../components/Icon";
import { Skeleton } from "../../components/List";
import { ProblemNote } from "../../components/Problem";
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
    <Section title="Devices">
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
            () => notify(count === 1 ? "Signed out 1 device" : `Signed out ${count} devices`),
            () => undefined, // shown as a notice
          )
        }
      >
        Sign out all other devices
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
          <b>{name}</b> {session.current && <span className="device-this">This device</span>}
        </p>
        <p className="field-hint" id={id}>
          {session.current || !isIdle ? (
            "Active now"
          ) : (
            <>
              Active <Ago time={session.used_at} />
            </>
          )}{" "}
          · signed in <Ago time={session.created_at} /> · {session.address}
        </p>
      </div>
      {!session.current && (
        <Button
          look="outlined"
          busy={revoke.isPending}
          aria-label={`Sign out ${name}`}
          aria-describedby={id}
          onClick={() => revoke.mutate(session, { onSuccess: () => notify(`Signed out ${name}`) })}
        >
          Sign out
        </Button>
      )}
      {revoke.isError && <ProblemNote error={revoke.error} />}
    </li>
  );
}
