import type { ReactNode } from "react";
import { PageHead } from "./PageHead";
import "./Prose.css";

/** A page of text. */
export function Prose({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <PageHead title={title} back="/" />
      <div className="prose">{children}</div>
    </>
  );
}
