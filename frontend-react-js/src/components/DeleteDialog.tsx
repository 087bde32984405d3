import type { MouseEvent } from "react";
import { t } from "../language/further";
import { useDelete } from "../queries/activities";
import type { ListedCrud } from "../queries/feeds";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

/** Ask for confirmation, then delete. */
export function DeleteDialog({ crud, onClose }: { crud: ListedCrud; onClose: () => void }) {
  const remove = useDelete();
  const confirm = (event: MouseEvent) => {
    const row = event.currentTarget.closest(".row");
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    remove.mutate(crud);
    onClose();
    // Move the keyboard focus to the crud that takes its place.
    requestAnimationFrame(() => {
      const place = next?.querySelector<HTMLElement>(".crud-time");
      (place?.isConnected ? place : document.getElementById("main"))?.focus();
    });
  };
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
