import { Component, type ReactNode } from "react";
import { Button } from "./Button";
import { Empty } from "./List";

/**
 * Keeps a failure to draw something from taking the whole page with it.
 *
 * `quiet`: there is nothing in its place; what it drew can be done without.
 */
export class Boundary extends Component<
  { quiet?: boolean; children: ReactNode },
  { hasFailed: boolean }
> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) {
      return this.props.children;
    }
    return this.props.quiet ? null : (
      <Empty title="That could not be drawn">
        <p>What came from the server makes no sense to this page. Perhaps the page is too old.</p>
        <Button onClick={() => location.reload()}>Reload it</Button>
      </Empty>
    );
  }
}
