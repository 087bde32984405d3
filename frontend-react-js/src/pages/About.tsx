import { Link } from "react-router";
import { Prose } from "../components/Prose";
import { t } from "../language/further";

/** What Cruddur is. */
export function About() {
  return (
    <Prose title={t.about.title}>
      <p>
        {t.about.what((words) => (
          <b>{words}</b>
        ))}
      </p>
      <h2>{t.about.goneTitle}</h2>
      <p>{t.about.gone}</p>
      <h2>{t.about.howTitle}</h2>
      <p>
        {t.about.how((words) => (
          <a href="/docs">{words}</a>
        ))}
      </p>
      <h2>{t.about.moreTitle}</h2>
      <p>
        {t.about.more(
          (words) => (
            <Link to="/terms">{words}</Link>
          ),
          (words) => (
            <Link to="/privacy">{words}</Link>
          ),
        )}
      </p>
    </Prose>
  );
}
