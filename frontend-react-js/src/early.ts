/** Entry point of a small script that runs while the main one is still loading. */

import { requestEarly } from "./api/early";
import { startTelemetry } from "./telemetry/trace";

startTelemetry(); // before the first call
requestEarly();
