import { useEffect, useSyncExternalStore } from "react";
import { t } from "../language/further";
import { useMemberUpdates } from "../queries/member";
import { useMember } from "../queries/session";
import { Announcements } from "./Announcements";
import { OpenPersonMenu } from "./PersonMenu";
import { Shortcuts } from "./Shortcuts";
import "./Extras.css";

/**
 * What every page gets once it is idle: announcements, shortcuts, a note while offline, the menu
 * about a user, and the service worker.
 */
export function Extras() {
  useEffect(register, []);
  useMemberUpdates(useMember());
  return (
    <>
      <Announcements />
      <Shortcuts />
      <OfflineNote />
      <OpenPersonMenu />
    </>
  );
}

/** Says why there are no cruds while the device is offline. */
function OfflineNote() {
  const isOnline = useSyncExternalStore(onConnection, () => navigator.onLine);
  return (
    <div className="offline" role="status">
      {!isOnline && (
        <p>
          <b>{t.offline.title}</b> {t.offline.text}
        </p>
      )}
    </div>
  );
}

function onConnection(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}

/** Register the service worker. Only a build has one, and only https and localhost may. */
function register(): void {
  if (import.meta.env.PROD) {
    navigator.serviceWorker?.register("/worker.js").catch(() => undefined); // at the next visit
  }
}
