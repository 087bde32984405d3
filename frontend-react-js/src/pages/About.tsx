import { Link } from "react-router";
import { Prose } from "../components/Prose";
import { Rules } from "../components/Rules";
import { t } from "../language/further";
import { useInstance } from "../queries/instance";
import { MAX_TTL } from "../text/lifetimes";

/** What Cruddur is. */
export function About() {
  const instance = useInstance().data;
  return (
    <Prose title={t.about.title}>
      {instance && (instance.description !== "" || instance.name !== "Cruddur") && (
        <>
          <h2>{instance.name}</h2>
          <p className="as-written" dir="auto">
            {instance.description}
          </p>
        </>
      )}
      <p>
        {t.about.what(
          (words) => (
            <b>{words}</b>
          ),
          t.lifetimes[instance?.max_ttl ?? MAX_TTL],
        )}
      </p>
      <p>{t.about.signUp[instance?.sign_up_mode ?? "open"]}</p>
      <Rules />
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
