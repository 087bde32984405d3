import { describeProblem } from "../text/errors";
import { Button } from "./Button";
import "./Problem.css";

/** An error in sentences, with the trace id if the server is at fault. */
export function ProblemNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const { sentences, traceId } = describeProblem(error);
  return (
    <div className="problem" role="alert">
      {sentences.map((sentence) => (
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
