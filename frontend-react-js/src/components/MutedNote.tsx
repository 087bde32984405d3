import { t } from "../language/further";
import { notify } from "../notices";
import { useShow } from "../queries/safety";
import { Button } from "./Button";
import "./PersonMenu.css";

/** Says on a profile that its user is muted, with a way to end that. */
export function MutedNote({ handle }: { handle: string }) {
  const show = useShow("mutes");
  return (
    <div className="muted-note">
      <p>{t.safety.mutedNote(handle.toLowerCase())}</p>
      <Button
        look="outlined"
        busy={show.isPending}
        onClick={() =>
          show.mutate({ handle }, { onSuccess: () => notify(t.safety.unmuted(handle)) })
        }
      >
        {t.safety.unmute}
      </Button>
    </div>
  );
}
