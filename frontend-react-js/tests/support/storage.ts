import { vi } from "vitest";

/** Refuse every access to local storage, as a browser does whose user disabled it. */
export function disableStorage(): void {
  const refused = () => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refused, setItem: refused, removeItem: refused });
}
