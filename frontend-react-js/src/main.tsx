/** Entry point: load the shared styles and render the page. */

import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./styles/tokens.css";
import "./styles/base.css";

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(<App />);
}
