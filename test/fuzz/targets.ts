/** Every reader that is fuzzed. */
import type { Target } from './hunt.js';
import { certificateTargets } from './targets/certificates.js';
import { httpTargets } from './targets/http.js';
import { settingsTargets } from './targets/settings.js';

export const targets: readonly Target[] = [...settingsTargets, ...certificateTargets, ...httpTargets];
