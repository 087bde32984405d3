/** What a member turns on and off: shown at once, undone if the server rejects it. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { NOTIFY_ON_ERROR } from "./client";

/**
 * Turn something on or off. Several presses reach the server in order.
 * @param key names what is switched
 * @param how.send asks the server
 * @param how.show shows it as on or off
 * @param how.prepare runs before it is shown
 * @param how.onSuccess gets the response, and whether it is that to the last press
 */
export function useSwitch<T>(
  key: readonly string[],
  how: {
    send: (on: boolean) => Promise<T>;
    show: (on: boolean) => unknown;
    prepare?: () => Promise<unknown>;
    onSuccess: (found: T, isLatest: boolean) => unknown;
  },
) {
  const client = useQueryClient();
  // Show the last press until the server has answered that one.
  const isLatest = () => client.isMutating({ mutationKey: key }) === 1;
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationKey: key,
    scope: { id: key.join(" ") },
    mutationFn: how.send,
    onMutate: async (on) => {
      await how.prepare?.();
      how.show(on);
    },
    onError: (_, on) => {
      if (isLatest()) {
        how.show(!on);
      }
    },
    onSuccess: (found) => how.onSuccess(found, isLatest()),
  });
}
