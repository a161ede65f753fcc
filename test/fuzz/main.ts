/**
 * The long run: `npm run fuzz -- --executions 10000000`, shared among all readers, or `--target NAME`. `--seed N` for other inputs, and
 * `--target NAME --seed N --run M` to do one run again, as a failure names it. Ends with 1 where a reader failed.
 */
import { parseArgs } from 'node:util';
import { Found, GROWTH_MAX, hunt, inputOf, told } from './hunt.js';
import { targets } from './targets.js';

const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '2' },
    target: { type: 'string' },
    run: { type: 'string' },
  },
});
const seed = Number(values.seed);
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0) throw new Error(`no such reader; there are: ${targets.map(({ name }) => name).join(', ')}`);

const share = values.run === undefined ? Math.ceil(Number(values.executions) / chosen.length) : 1;
const from = Number(values.run ?? 0);
let failures = 0;
let executions = 0;
for (const target of chosen) {
  try {
    if (values.run !== undefined) console.log(Buffer.from(inputOf(target, seed, from).input).toString('hex'));
    const figures = hunt(target, { executions: share, seed, from });
    executions += figures.executions;
    if (figures.growth > GROWTH_MAX) failures++;
    console.log(told(figures));
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    failures++;
    console.log(error.message, error.cause);
  }
}
const { maxRSS, userCPUTime } = process.resourceUsage();
console.log(
  `${executions} executions of ${chosen.length} readers, seed ${seed}: ${failures} failures, ` +
    `${(userCPUTime / 1e6).toFixed(0)} s of processor time, at most ${(maxRSS / 1024).toFixed(0)} MiB resident`,
);
process.exitCode = failures === 0 ? 0 : 1;
