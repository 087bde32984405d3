import { Component, type ReactNode } from "react";
import { t } from "../language";
import { observe } from "../telemetry/trace";
import { Button } from "./Button";
import { Empty } from "./List";

/**
 * Show a message, or with `quiet` nothing, if rendering `children` fails. The rest of the page
 * stays.
 */
export class Boundary extends Component<
  { quiet?: boolean; children: ReactNode },
  { hasFailed: boolean }
> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override componentDidCatch(error: unknown) {
    observe((to) => to.fail(error));
  }

  override render() {
    if (!this.state.hasFailed) {
      return this.props.children;
    }
    return this.props.quiet ? null : (
      <Empty title={t.problem.pageTitle}>
        <p>{t.problem.page}</p>
        <Button onClick={() => location.reload()}>{t.problem.reload}</Button>
      </Empty>
    );
  }
}
