import { useSyncExternalStore } from "react";
import { Link } from "react-router";
import { t } from "../language";
import { dismiss, getNotices, onNotices } from "../notices";
import { IconButton } from "./Button";
import "./Notices.css";
import "./Problem.css";

/** The current notices. Screen readers read out each new one. */
export function Notices() {
  const notices = useSyncExternalStore(onNotices, getNotices);
  return (
    <div className="notices" role="status" aria-label={t.layout.notices}>
      {notices.map(({ id, text, kind, traceId, link }) => (
        <div key={id} className={`notice notice-${kind}`}>
          <div>
            <p>{text}</p>
            {traceId !== null && (
              <p className="problem-trace">
                {t.problem.trace} <code>{traceId}</code>
              </p>
            )}
          </div>
          {link && (
            <Link className="notice-link" to={link.to} onClick={() => dismiss(id)}>
              {link.text}
            </Link>
          )}
          <IconButton label={t.layout.dismiss} icon="close" onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
