import { describeProblem, type FieldName } from "../text/errors";
import { Button } from "./Button";
import "./Problem.css";

/**
 * An error in sentences, with the trace id if the server is at fault. Sentences about the fields
 * `except` are left out.
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
  const { sentences, fields, traceId } = describeProblem(error);
  return (
    <div className="problem" role="alert">
      {sentences
        .filter((_, index) => !except.some((field) => field === fields[index]))
        .map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      {traceId !== null && (
        <p className="problem-trace">
          Trace <code>{traceId}</code>
        </p>
      )}
      {retry && (
        <Button look="outlined" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
