/** Entry point of a small script that runs while the main one is still loading. */

import { requestEarly } from "./api/early";
import { loadCatalogue, preferredLanguage } from "./language/choice";
import { startTelemetry } from "./telemetry/trace";

startTelemetry(); // before the first call
requestEarly();
loadCatalogue(preferredLanguage()).catch(() => undefined); // the main script tries again
