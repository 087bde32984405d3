import type { Session } from "../../api/wire";
import { Button } from "../../components/Button";
import { Ago } from "../../components/Clock";
import { Icon } from "../../components/Icon";
import { Skeleton } from "../../components/List";
import { ProblemNote } from "../../components/Problem";
import { notify } from "../../notices";
import { useRevoke, useSessions } from "../../queries/accounts";
import { describeDevice } from "../../text/device";
import { Section } from "./Section";

/** List the devices that are signed in, and sign out one of them. */
export function DevicesSection() {
  const sessions = useSessions();
  return (
    <Section title="Devices">
      {sessions.data ? (
        <ul className="devices">
          {sessions.data.map((session) => (
            <Device key={session.uuid} session={session} />
          ))}
        </ul>
      ) : sessions.isError ? (
        <ProblemNote error={sessions.error} retry={() => void sessions.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
    </Section>
  );
}

function Device({ session }: { session: Session }) {
  const revoke = useRevoke();
  const name = describeDevice(session.device);
  return (
    <li className="device">
      <Icon name="device" />
      <div>
        <p title={session.device}>
          <b>{name}</b> {session.current && <span className="device-this">This device</span>}
        </p>
        <p className="field-hint">
          {session.address} · Active <Ago time={session.used_at} /> · Signed in{" "}
          <Ago time={session.created_at} />
        </p>
      </div>
      {!session.current && (
        <Button
          look="outlined"
          busy={revoke.isPending}
          aria-label={`Sign out ${name}`}
          onClick={() => revoke.mutate(session, { onSuccess: () => notify(`Signed out ${name}.`) })}
        >
          Sign out
        </Button>
      )}
      {revoke.isError && <ProblemNote error={revoke.error} />}
    </li>
  );
}
