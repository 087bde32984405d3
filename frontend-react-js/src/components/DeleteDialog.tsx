import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { t } from "../language/further";
import { useDelete } from "../queries/activities";
import { FEEDS, isLive } from "../queries/feedCache";
import { change, type Feed, type ListedCrud } from "../queries/feeds";
import { Button } from "./Button";
import { useIsPast } from "./Clock";
import { Dialog } from "./Dialog";

/** Ask for confirmation, then delete. Say so if the crud is gone before that. */
export function DeleteDialog({
  crud,
  row,
  onClose,
}: {
  crud: ListedCrud;
  /** The row of the feed that the crud is in, or null. */
  row: Element | null;
  onClose: () => void;
}) {
  const remove = useDelete();
  const client = useQueryClient();
  const isPast = useIsPast(crud.expires_at);
  const isListed = useSyncExternalStore(
    (listener) => client.getQueryCache().subscribe(listener),
    () => isListedLive(client, crud.uuid),
  );
  const confirm = () => {
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    remove.mutate(crud);
    onClose();
    // Move the keyboard focus to the crud that takes its place.
    requestAnimationFrame(() => {
      const place = next?.querySelector<HTMLElement>(".crud-time");
      (place?.isConnected ? place : document.getElementById("main"))?.focus();
    });
  };
  if (isPast || !isListed) {
    return (
      <Dialog title={t.deleting.title} onClose={onClose}>
        <p role="alert">{t.deleting.gone}</p>
        <div className="dialog-actions">
          <Button onClick={onClose}>{t.layout.close}</Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t.deleting.title} onClose={onClose}>
      <p>{t.deleting.warning}</p>
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button look="danger" onClick={confirm}>
          {t.crud.delete}
        </Button>
      </div>
    </Dialog>
  );
}

/** Whether any feed lists a crud that has neither expired nor been deleted. */
function isListedLive(client: QueryClient, uuid: string): boolean {
  let found = false;
  for (const [, feed] of client.getQueriesData<Feed>({ queryKey: FEEDS })) {
    if (feed !== undefined) {
      change(feed, uuid, (crud) => {
        found ||= isLive(crud);
        return crud;
      });
    }
  }
  return found;
}
