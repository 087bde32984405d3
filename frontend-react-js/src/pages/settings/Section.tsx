import type { ReactNode } from "react";

/** A titled part of the settings page. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="settings-part" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
