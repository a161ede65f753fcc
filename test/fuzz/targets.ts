/** Every reader that is fuzzed. */
import type { Target } from './hunt.js';
import { certificateTargets } from './targets/certificates.js';
import { httpTargets } from './targets/http.js';
import { settingsTargets } from './targets/settings.js';
import { tftpTargets } from './targets/tftp.js';

export const targets: readonly Target[] = [...settingsTargets, ...certificateTargets, ...httpTargets, ...tftpTargets];
