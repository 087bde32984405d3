/** Entry point: load the shared styles and render the page. */

import { createRoot } from "react-dom/client";
import { App } from "./App";
import { startLanguage } from "./language";
import "./styles/tokens.css";
import "./styles/base.css";

const root = document.getElementById("root");
if (root !== null) {
  void startLanguage().then(() => createRoot(root).render(<App />));
}
