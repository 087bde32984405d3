import { Link } from "react-router";
import { Prose } from "../components/Prose";
import { t } from "../language/further";

/** Which personal data is stored, and for how long. */
export function Privacy() {
  return (
    <Prose title={t.privacy.title}>
      <h2>{t.privacy.storedTitle}</h2>
      <ul>
        <li>{t.privacy.account}</li>
        <li>{t.privacy.cruds}</li>
        <li>{t.privacy.messages}</li>
        <li>{t.privacy.relations}</li>
        <li>
          {t.privacy.devices((words) => (
            <Link to="/settings">{words}</Link>
          ))}
        </li>
      </ul>
      <h2>{t.privacy.howLongTitle}</h2>
      <p>{t.privacy.howLong}</p>
      <p>{t.privacy.reports}</p>
      <p>
        {t.privacy.download((words) => (
          <Link to="/settings">{words}</Link>
        ))}
      </p>
      <h2>{t.privacy.browserTitle}</h2>
      <p>{t.privacy.browser}</p>
      <h2>{t.privacy.logsTitle}</h2>
      <p>{t.privacy.logs}</p>
      <h2>{t.privacy.othersTitle}</h2>
      <p>{t.privacy.others}</p>
    </Prose>
  );
}
