import { describe } from 'vitest';
import { testConformance } from './report.js';
import { simRig } from './sim-rig.js';

describe('a simulated board', () => {
  const rig = simRig();
  testConformance(() => rig);
});
