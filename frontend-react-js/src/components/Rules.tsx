import { t } from "../language/further";
import { useInstance } from "../queries/instance";

/** The rules of the instance, if it has any. */
export function Rules() {
  const { rules = "" } = useInstance().data ?? {};
  return rules === "" ? null : (
    <>
      <h2>{t.instance.rules}</h2>
      <p className="as-written" dir="auto">
        {rules}
      </p>
    </>
  );
}
