import { useEffect, useState } from "react";
import { t } from "../language";
import { describeProblem, type FieldName, hasCode, isAbout } from "../text/errors";
import { Button } from "./Button";
import "./Problem.css";

/**
 * An error in sentences, with the trace id if the server is at fault. Sentences about the fields
 * `except` are left out. It does not claim that the network is down after it has come back.
 */
export function ProblemNote({
  error,
  retry,
  except = [],
}: {
  error: unknown;
  retry?: () => void;
  except?: readonly FieldName[];
}) {
  const isBack = useIsBack(error);
  const { sentences, codes, traceId } = isBack
    ? { sentences: [t.problem.online], codes: [], traceId: null }
    : describeProblem(error);
  return (
    <div className="problem" role="alert">
      {sentences
        .filter((_, index) => !isAbout(codes[index], except))
        .map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      {traceId !== null && (
        <p className="problem-trace">
          {t.problem.trace} <code>{traceId}</code>
        </p>
      )}
      {retry && (
        <Button look="outlined" onClick={retry}>
          {t.problem.again}
        </Button>
      )}
    </div>
  );
}

/** Whether the browser has come online since a call failed without a response. */
function useIsBack(error: unknown): boolean {
  const [recovered, setRecovered] = useState<unknown>();
  useEffect(() => {
    const onOnline = () => setRecovered(error);
    addEventListener("online", onOnline);
    return () => removeEventListener("online", onOnline);
  }, [error]);
  return recovered === error && hasCode(error, "unreachable");
}
