import { useSyncExternalStore } from "react";
import { dismiss, getNotices, onNotices } from "../notices";
import { IconButton } from "./Button";
import "./Notices.css";
import "./Problem.css";

/** The current notices. Screen readers read out each new one. */
export function Notices() {
  const notices = useSyncExternalStore(onNotices, getNotices);
  return (
    <div className="notices" role="status" aria-label="Notices">
      {notices.map(({ id, text, kind, traceId }) => (
        <div key={id} className={`notice notice-${kind}`}>
          <div>
            <p>{text}</p>
            {traceId !== null && (
              <p className="problem-trace">
                Trace <code>{traceId}</code>
              </p>
            )}
          </div>
          <IconButton label="Dismiss" icon="close" onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
