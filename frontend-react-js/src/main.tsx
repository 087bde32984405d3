/** Entry point: load the shared styles and render the page. */

import { createRoot } from "react-dom/client";
import { App } from "./App";
import { loadFurther } from "./components/Further";
import { startLanguage } from "./language";
import "./styles/tokens.css";
import "./styles/base.css";

const root = document.getElementById("root");
if (root !== null) {
  void startLanguage().then(() => createRoot(root).render(<App />));
}

// Before they are needed, but not before this page has loaded. A failure shows when they are needed.
const prepare = () => void loadFurther().catch(() => undefined);
addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(prepare)); // none in Safari
