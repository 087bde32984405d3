/** German. */

import type { Catalogue } from "..";
import { first } from "./first";
import { further } from "./further";

export const de: Catalogue = { first, further };
