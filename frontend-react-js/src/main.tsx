/** Entry point: load the shared styles and render the page. */

import { createRoot } from "react-dom/client";
import { App } from "./App";
import { startTelemetry } from "./telemetry/trace";
import "./styles/tokens.css";
import "./styles/base.css";

startTelemetry(); // before the first call

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(<App />);
}
