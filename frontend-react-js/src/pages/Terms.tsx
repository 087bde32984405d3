import { Link } from "react-router";
import { Prose } from "../components/Prose";
import { Rules } from "../components/Rules";
import { t } from "../language/further";

/** The terms of use. */
export function Terms() {
  return (
    <Prose title={t.terms.title}>
      <Rules />
      <h2>{t.terms.decentTitle}</h2>
      <p>{t.terms.decent}</p>
      <h2>{t.terms.relyTitle}</h2>
      <p>{t.terms.rely}</p>
      <h2>{t.terms.notRelyTitle}</h2>
      <p>{t.terms.notRely}</p>
      <h2>{t.terms.deletingTitle}</h2>
      <p>
        {t.terms.deleting((words) => (
          <Link to="/settings">{words}</Link>
        ))}
      </p>
      <p>{t.terms.suspended}</p>
    </Prose>
  );
}
