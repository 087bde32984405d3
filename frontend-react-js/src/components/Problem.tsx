import { describeProblem } from "../text/errors";
import { Button } from "./Button";
import "./Problem.css";

/** What went wrong, in sentences; beneath a server's fault, the trace to look for. */
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
