/** `belfry sim`: runs a scenario in virtual time, prints what came of it, and leaves its artefacts in a folder. */

import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROVISIONED_SETTINGS } from '../../core/device/device-storage.js';
import { fromUtf8 } from '../../hal/base/bytes.js';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import { nodePlatform } from '../../hal/node/index.js';
import { createLadder } from '../../sim/artefacts/ladder.js';
import { ladderText } from '../../sim/artefacts/ladder-text.js';
import { soundReport } from '../../sim/artefacts/sound.js';
import { timelineLine } from '../../sim/artefacts/timeline.js';
import { encodeWav } from '../../sim/artefacts/wav.codec.js';
import { didYouMean } from '../../sim/scenario/near-miss.js';
import { type RunOptions, runScenario, type ScenarioResult } from '../../sim/scenario/runner.js';
import { decodeScenario, problemText } from '../../sim/scenario/scenario.codec.js';
import type { Scenario } from '../../sim/scenario/scenario.js';
import { summarize, troubles } from '../../sim/scenario/summary.js';
import { durationText } from '../../sim/scenario/units.js';
import { type Arguments, CannotRun, type Command, type ExitStatus, type Io } from '../command.js';
import { readInput, writeOutput } from '../files.js';

export const simCommand: Command = {
  name: 'sim',
  summary: 'a simulation: boards, servers and a network in virtual time, from one seed',
  usage: '[SCENARIO] [--seed N] [--out DIR] [--set PATH=VALUE]…',
  options: {
    seed: { type: 'string', value: 'N', help: 'the whole run follows from it (default: 1)' },
    out: { type: 'string', value: 'DIR', help: 'where timeline, ladder, report, capture and sound go (default: belfry-out/SCENARIO)' },
    set: { type: 'string', value: 'PATH=VALUE', multiple: true, help: 'a value in place of one of the scenario: lan.loss=5%' },
    'cut-power': {
      type: 'string',
      value: 'N',
      help: 'power fails in the middle of the N-th flash operation, and comes back a second later',
    },
    speed: { type: 'string', value: 'max|1', help: 'as fast as it goes, or in real time (default: max)' },
    'no-secrets': { type: 'boolean', help: 'leaves the keys of the TLS connections out of the capture' },
    ascii: { type: 'boolean', help: 'draws the ladder without box characters' },
  },
  examples: [
    ['belfry sim', 'the scenarios that come with Belfry'],
    ['belfry sim secure-page --seed 7 --out A', 'one secure page; the same seed gives the same run'],
    ['belfry sim secure-page --set lan.loss=5% --set lan.jitter=30ms', 'over a bad network'],
    ['belfry sim fleet-return --set devices.unit.count=50', 'fifty devices whose server comes back after half an hour'],
    ['belfry sim my-scenario.yaml', 'a scenario of your own'],
  ],
  run: async (args, io) => {
    const [name] = args.positionals;
    if (name === undefined) return listScenarios(io);
    const file = scenarioFile(name);
    const scenario = readScenario(file, args.all('set'));
    const seed = wholeNumber(args, 'seed') ?? 1;
    const out = args.text('out') ?? join('belfry-out', scenarioName(file));
    const options = runOptions(args, io, { seed, end: scenario.end });
    if (!io.json) io.say(`${scenario.name}, seed ${seed}: ${scenario.about ?? file}`);
    const result = await runScenario(scenario, options);
    const files = writeArtefacts(result, out, args);
    if (io.json) io.record({ event: 'run.ended', ok: result.ok, seed, verdicts: result.verdicts, out: resolve(out), files });
    else tell(scenario, result, { out, files, ascii: args.flag('ascii') }, io);
    if (!io.json && result.ok && isAsItComes(args)) for (const line of thingsToBreak(result)) io.say(line);
    return result.ok ? 0 : 1;
  },
};

/** Beside the sources, and beside the bundle in `dist`. */
const FOLDER =
  ['../../sim/scenarios/', '../sim/scenarios/'].map((path) => fileURLToPath(new URL(path, import.meta.url))).find(existsSync) ?? '';

const included = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml'))
    .map(scenarioName)
    .sort();

const scenarioName = (file: string): string => basename(file).replace(/\.ya?ml$/, '');

function listScenarios(io: Io): ExitStatus {
  const width = Math.max(...included().map(({ length }) => length)) + 2;
  for (const name of included()) {
    const { about = '' } = readScenario(join(FOLDER, `${name}.yaml`), []);
    if (io.json) io.record({ scenario: name, about });
    else io.say(`${name.padEnd(width)}${about}`);
  }
  if (!io.json) io.say('\nbelfry sim NAME runs one; a path to a .yaml file runs your own');
  return 0;
}

/** A name of ours works from any folder; anything with a dot or a slash is a path. */
function scenarioFile(name: string): string {
  if (/[./\\]/.test(name)) return name;
  if (included().includes(name)) return join(FOLDER, `${name}.yaml`);
  throw new CannotRun(`sim: there is no scenario '${name}'${didYouMean(name, included())}; belfry sim lists them`);
}

function readScenario(file: string, sets: readonly string[]): Scenario {
  const overrides = sets.map((set) => {
    const [, path, value] = /^([^=]+)=(.*)$/s.exec(set) ?? [];
    if (path === undefined || value === undefined) throw new CannotRun(`sim: --set ${set} is not PATH=VALUE, such as lan.loss=5%`);
    return { path, value };
  });
  const read = decodeScenario(fromUtf8(readInput(file)), overrides);
  if (read.ok) return read.value;
  throw new CannotRun(read.error.map((problem) => problemText(file, problem)).join('\nbelfry: '));
}

function wholeNumber(args: Arguments, name: string): number | undefined {
  const text = args.text(name);
  if (text !== undefined && !/^\d{1,15}$/.test(text)) throw new CannotRun(`sim: --${name} ${text} is no whole number`);
  return text === undefined ? undefined : Number(text);
}

function runOptions(args: Arguments, io: Io, { seed, end }: { seed: number; end: Micros }): RunOptions {
  const cutPower = wholeNumber(args, 'cut-power');
  if (cutPower === 0) throw new CannotRun('sim: --cut-power counts flash operations from 1');
  const speed = args.text('speed') ?? 'max';
  if (speed !== 'max' && speed !== '1') throw new CannotRun(`sim: --speed ${speed} is neither max nor 1`);
  return {
    seed,
    platform: nodePlatform(),
    ...(cutPower === undefined ? {} : { cutPower }),
    ...(speed === '1' ? { pace: pacer() } : { onProgress: progress(end) }),
    ...(io.json ? { onEvent: (event) => io.record(JSON.parse(timelineLine(event)) as object) } : {}),
  };
}

/** Holds the run to this machine's clock, from the first call on. */
function pacer(): NonNullable<RunOptions['pace']> {
  let began: number | undefined;
  return (t) => {
    began ??= performance.now() - t / MILLISECOND;
    const wait = began + t / MILLISECOND - performance.now();
    return new Promise((done) => setTimeout(done, Math.max(0, wait)));
  };
}

/** A run that takes longer than this says how far it has come, and again after as long. */
const SILENCE_MS = 3_000;

/** On standard error, so that what a script reads stays as it is. */
function progress(end: Micros): NonNullable<RunOptions['onProgress']> {
  let said = performance.now();
  return (t) => {
    if (performance.now() - said < SILENCE_MS) return;
    said = performance.now();
    console.error(`belfry: ${durationText(t)} of ${durationText(end)}`);
  };
}

const WIDE = 160;

function writeArtefacts(result: ScenarioResult, out: string, args: Arguments): string[] {
  const withKeys = !args.flag('no-secrets');
  const several = result.speakers.size > 1;
  // A fleet has as many loudspeakers; those that were silent all the time have nothing to tell.
  const speakers = [...result.speakers].filter(([, sound]) => !several || soundReport(sound).seconds > 0);
  const files: [name: string, content: Uint8Array | string, secret: boolean][] = [
    ['timeline.jsonl', result.timeline.jsonLines(), false],
    ['ladder.txt', `${ladderText(result.ladder, { width: WIDE, ascii: args.flag('ascii') })}${drawn(result)}`, false],
    ['report.html', result.report({ file: 'capture.pcapng', withKeys }), false],
    ['capture.pcapng', result.capture(withKeys), true],
    ...result.plots.map((svg, i): [string, string, boolean] => [i === 0 ? 'rate.svg' : `rate-${i + 1}.svg`, svg, false]),
    ...speakers.map(([name, { samples, rate }]): [string, Uint8Array, boolean] => [
      several ? `speaker-${name}.wav` : 'speaker.wav',
      encodeWav(samples, rate),
      false,
    ]),
  ];
  for (const [name, content, secret] of files) writeOutput(join(out, name), content, { secret });
  return files.map(([name]) => name);
}

interface Telling {
  out: string;
  files: readonly string[];
  ascii: boolean;
}

function tell(scenario: Scenario, result: ScenarioResult, { out, files, ascii }: Telling, io: Io): void {
  io.say(`\n${ladderText(forTerminal(result), { width: Math.max(60, process.stdout.columns ?? 120), ascii })}${drawn(result)}`);
  const lines = summarize(scenario, result);
  const width = Math.max(...lines.map(([label]) => label.length)) + 2;
  for (const [label, text] of lines) io.say(label.padEnd(width) + text);
  for (const [event, fields] of troubles(result.timeline.events)) {
    io.say(`\n! ${event}`);
    for (const [label, text] of fields) io.say(`    ${label.padEnd(10)}${text}`);
  }
  io.say('');
  for (const { ok, expected, seen } of result.verdicts) io.say(`${ok ? '✓' : '✗'} ${expected}: ${seen}`);
  if (result.framesDropped > 0) io.say(`the capture is full: ${result.framesDropped} frames are not in it`);
  io.say(`\n${result.ok ? 'passed' : 'FAILED'}; ${resolve(out)} holds ${files.join(', ')}`);
  const plays = result.pages.length > 0 ? ': it plays the page, and the same packets without the key' : '';
  io.say(`open ${resolve(out, 'report.html')} in a browser${plays}`);
}

/** Rows of a ladder that a terminal shows. */
const MOST_ROWS = 200;

/** States stand in the file and in the report; in a terminal they would crowd the messages out. */
function forTerminal({ ladder }: ScenarioResult): ScenarioResult['ladder'] {
  const rows = ladder.rows.filter(({ protocol }) => protocol !== 'STATE');
  return createLadder(ladder.hosts, rows.slice(0, MOST_ROWS), Math.max(0, rows.length - MOST_ROWS));
}

/** Of whom the ladder is, where it is not of all. */
const drawn = ({ watched, speakers }: ScenarioResult): string =>
  watched.length < speakers.size
    ? `${watched.length} of the ${speakers.size} devices are drawn, and captured: ${watched.join(', ')}\n`
    : '';

/** What is there to break is told of the run that `npm start` shows: another one has other flash operations. */
const isAsItComes = (args: Arguments): boolean =>
  args.positionals[0] === 'secure-page' && args.all('set').length === 0 && args.text('cut-power') === undefined;

function thingsToBreak({ timeline }: ScenarioResult): string[] {
  const { events } = timeline;
  const kept = events.findIndex(
    ({ event, fields }) => event === 'flash.committed' && String(fields['files']).includes(PROVISIONED_SETTINGS),
  );
  const written = events
    .slice(0, kept)
    .filter(({ event, fields }) => event === 'flash.op' && fields['type'] === 'program')
    .at(-1);
  return [
    '\nthree things to break:',
    '  npm start -- --set servers.provisioning.certificate=rogue   a server that nobody vouches for',
    '  npm start -- --set devices.lobby.board=8061                 a board without TLS',
    `  npm start -- --cut-power ${String(written?.fields['nth'] ?? 1).padEnd(34)} power fails while the configuration is written`,
  ];
}
