import type { ReactNode } from "react";
import { PageHead } from "./PageHead";
import "./Prose.css";

/** A page that is only there to be read. */
export function Prose({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <PageHead title={title} back="/" />
      <div className="prose">{children}</div>
    </>
  );
}
