/** Runs a scenario: builds its world, takes its steps, and gathers what came of it. */
import { invariant } from '../../hal/base/result.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { HalError, Micros } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import type { Ladder } from '../artefacts/ladder.js';
import { ratePlotSvg } from '../artefacts/rate-plot.js';
import { type ReportLink, type ReportPage, renderReport } from '../artefacts/report.js';
import { withoutKey } from '../artefacts/rtp-streams.js';
import type { Sound } from '../artefacts/sound.js';
import type { Timeline, TimelineEvent } from '../artefacts/timeline.js';
import type { PowerCut } from '../flash/power-cut.js';
import { Lan, type LanPort } from '../lan/lan.js';
import { World, WorldError } from '../world/world.js';
import { judge, type Verdict } from './judge.js';
import { machineVerdicts, powerCutVerdict, stepVerdicts } from './own-verdicts.js';
import { SimPki } from './pki.js';
import { ratePlots } from './plots.js';
import { Recording } from './recording.js';
import type { DeviceAction, Scenario, ServerAction, ServerName } from './scenario.js';
import { Servers } from './servers.js';
import { SimDevice, type SimDeviceHooks } from './sim-device.js';
import { type DueStep, Steps } from './steps.js';
import { configurationOn, makeUnit, settingsOn, type Unit } from './unit.js';

export interface RunOptions {
  seed: number;
  platform: Platform;
  /** Power of the first device fails in its n-th flash operation, reads counted too, after the first octet; it comes back a second later. */
  cutPower?: number;
  /** Hears of each event as it happens. */
  onEvent?(event: TimelineEvent): void;
  /** Asked from time to time whether the run may go on; it has come to `t`. For a run in real time. */
  pace?(t: Micros): Promise<void>;
  /** Told once a virtual second how far the run has come. */
  onProgress?(t: Micros): void;
}

export interface ScenarioResult {
  /** Every verdict is good. */
  ok: boolean;
  verdicts: readonly Verdict[];
  timeline: Timeline;
  ladder: Ladder;
  /** Devices whose network is in ladder and capture; of the others there are the events. */
  watched: readonly string[];
  /** By name of the device. */
  speakers: ReadonlyMap<string, Sound>;
  pages: readonly ReportPage[];
  links: readonly ReportLink[];
  /** One for each limit on a rate: a drawing as an SVG file. */
  plots: readonly string[];
  /** A pcapng file; it holds the keys of its TLS connections unless they are left out. */
  capture(withSecrets: boolean): Uint8Array;
  /** Frames that found no room in the capture. */
  framesDropped: number;
  /** One HTML page. `file` is the capture beside it. */
  report(capture: { file: string; withKeys: boolean }): string;
}

/** Never rejects for what the firmware under test does: a run that breaks off has a verdict that says so, and its artefacts until then. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const run = new ScenarioRun(scenario, options);
  await run.play();
  return run.result();
}

/** How long devices may take to shut down in order, and how often we look. */
const SHUTDOWN_LIMIT: Micros = 5 * SECOND;
const SHUTDOWN_LOOK: Micros = 100 * MILLISECOND;
/** How far a run in real time goes at once: short enough to look even. */
const PACE: Micros = 20 * MILLISECOND;
/** And one that tells how far it has come. */
const PROGRESS: Micros = SECOND;
/** The name under which a device registers first. */
const EXTENSION_SETTING = 'sip.u1.user';

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #lan: Lan;
  readonly #pki: SimPki;
  readonly #recording: Recording;
  readonly #devices: ReadonlyMap<string, SimDevice>;
  readonly #servers: Servers;
  readonly #steps: Steps;
  #powerCuts = 0;
  /** Beside those on the scenario's expectations. */
  readonly #verdicts: Verdict[] = [];

  constructor(scenario: Scenario, options: RunOptions) {
    const { seed, platform, cutPower } = options;
    this.#scenario = scenario;
    this.#options = options;
    const world = new World({ seed, platform, start: scenario.start });
    this.#world = world;
    this.#lan = new Lan(world, scenario.lan);
    this.#steps = new Steps(scenario, (due) => void world.at(world.now, () => this.#take(due), 'scenario'));
    const made = [...scenario.devices.values()].flatMap((setup) => setup.made ?? []);
    const oldest = made.length > 0 ? { oldest: Math.min(...made) } : {};
    const pki = new SimPki({ platform, entropy: world.random('pki'), start: scenario.start, ...oldest });
    this.#pki = pki;
    const units = Array.from(
      scenario.devices,
      ([name, setup]) => [name, makeUnit(setup, world.random(`factory:${setup.mac}`), pki)] as const,
    );
    this.#recording = new Recording({
      scenario,
      world,
      passwords: new Map(units.map(([name, { password }]) => [name, password])),
      onMessage: (from, message) => this.#steps.sent(from, /^[A-Z]+(?= )/.exec(message)?.[0] ?? ''),
    });
    const log = (host: string, event: string, fields: TimelineEvent['fields']): void =>
      this.#record(host, { t: world.now, at: world.now, device: host, event, fields });
    this.#servers = new Servers({ scenario, world, lan: this.#lan, platform, pki, log });
    this.#devices = new Map(units.map(([name, unit]) => [name, this.#createDevice(name, unit)]));
    if (cutPower !== undefined) units[0]?.[1].chip.cutPowerAt({ nth: cutPower, how: 'torn', octets: 1 });
  }

  async play(): Promise<void> {
    const world = this.#world;
    for (const { at, ...due } of this.#steps.timed) world.at(at, () => this.#take(due), 'scenario');
    try {
      await this.#runTo(this.#scenario.end);
      await this.#shutDown();
    } catch (error) {
      // What was gathered until then is what shows why.
      if (!(error instanceof WorldError)) throw error;
      this.#verdicts.push({ ok: false, expected: 'the run goes through to its end', seen: error.message, t: world.now });
    }
    for (const device of this.#devices.values()) device.powerOff();
  }

  result(): ScenarioResult {
    const { timeline, watched, packets } = this.#recording;
    const { events } = timeline;
    const speakers = new Map(Array.from(this.#devices, ([name, device]) => [name, device.speaker]));
    const verdicts = [...judge(this.#scenario, { events, speakers }), ...this.#verdicts, ...this.#ownVerdicts(events)];
    const ladder = this.#recording.ladder.build();
    const pages = this.#pages(speakers);
    const links = this.#lan.ports.map(({ name, stats }) => ({ name, up: { ...stats.up }, down: { ...stats.down } }));
    const plots = ratePlots(this.#scenario, events);
    return {
      ok: verdicts.every(({ ok }) => ok),
      verdicts,
      timeline,
      ladder,
      watched,
      speakers,
      pages,
      links,
      plots: plots.map((plot) => ratePlotSvg(plot).markup),
      capture: (withSecrets) => this.#recording.capture(withSecrets),
      framesDropped: packets.dropped,
      report: (capture) => {
        const { name, about = '', start, devices: setups } = this.#scenario;
        const devices = new Map(Array.from(setups, ([device, { mac }]) => [mac, device]));
        const settings = watched.flatMap((device) => settingsOn(device, this.#devices.get(device)!.chip));
        const shown = { links: links.filter((link) => watched.includes(link.name) || this.#servers.ports.has(link.name)), settings, plots };
        const facts = { name, about, start, seed: this.#options.seed, verdicts, devices, events, ladder, pages };
        return renderReport({ ...facts, ...shown, watched: watched.length, capture: { ...capture, packets: packets.kept } });
      },
    };
  }

  #createDevice(name: string, unit: Unit): SimDevice {
    const setup = this.#scenario.devices.get(name)!;
    const world = this.#world;
    const { mac } = setup;
    const record = (at: Micros, event: string, fields: TimelineEvent['fields']): void =>
      this.#record(name, { t: world.now, at, device: mac, event, fields });
    const hooks: SimDeviceHooks = {
      onEvent: ({ at, event, ...fields }) => record(at, event, fields),
      onFlashOp: ({ at, ...op }) => record(at, 'flash.op', op),
      onPowerCut: (cut, at) => this.#powerWasCut(name, unit, cut, (fields) => record(at, 'power.cut', fields)),
    };
    const tap = this.#recording.tap(name);
    return new SimDevice({
      name,
      mac,
      world,
      platform: this.#options.platform,
      port: this.#lan.attach(name),
      ...unit,
      ...(setup.rtc === undefined ? {} : { rtc: setup.rtc }),
      hooks,
      ...(tap ? { tap } : {}),
    });
  }

  #record(host: string, event: TimelineEvent): void {
    this.#recording.event(host, event);
    this.#options.onEvent?.(event);
    this.#steps.happened(host, event);
  }

  #take({ step, unit }: DueStep): void {
    const { action, server } = step;
    switch (action.type) {
      case 'stop':
      case 'certificate':
      case 'serves':
        this.#onServer(action, server!);
        break;
      case 'cut':
        this.#cut(action.link === step.device ? unit! : action.link, action.for);
        break;
      default:
        this.#onDevice(action, unit!);
    }
  }

  #onServer(action: ServerAction, server: ServerName): void {
    switch (action.type) {
      case 'stop':
        this.#servers.stop(server);
        this.#world.at(this.#world.now + action.for, () => this.#servers.start(server), 'scenario');
        break;
      case 'certificate':
        this.#servers.certify(server, action.certificate);
        break;
      case 'serves':
        this.#servers.serve(action.files);
    }
  }

  #onDevice(action: Exclude<DeviceAction, { type: 'cut' }>, name: string): void {
    const device = this.#devices.get(name)!;
    switch (action.type) {
      case 'power':
        if (action.on) device.powerOn();
        else device.powerOff();
        break;
      case 'page':
        this.#servers.callers.get(action.from)!.call({ extension: this.#extension(name), for: action.for });
        break;
      case 'put':
        for (const [path, source] of action.files) {
          // A file that was refused has an event that says so; a scenario may expect that.
          device.put(
            path,
            this.#pki.file(source),
            (error) => error && error.kind !== 'refused' && this.#failed(`${path} put on ${name}`, error),
          );
        }
        break;
      case 'factory-reset':
        device.factoryReset((error) => error && this.#failed(`${name} goes back to its factory state`, error));
        break;
      case 'check-sync':
        this.#servers.checkSync(this.#extension(name), action.reboot);
    }
  }

  #failed(expected: string, { detail }: HalError): void {
    this.#verdicts.push({ ok: false, expected, seen: detail, t: this.#world.now });
  }

  #extension(device: string): string {
    const { provisioned, image } = this.#scenario.devices.get(device)!;
    return image.settings.get(EXTENSION_SETTING) ?? provisioned.get(EXTENSION_SETTING) ?? '';
  }

  #cut(link: string, time: Micros): void {
    const port = this.#port(link);
    port.cut();
    this.#world.at(this.#world.now + time, () => port.restore(), 'scenario');
  }

  #port(name: string): LanPort {
    const port = this.#devices.get(name)?.port ?? this.#servers.ports.get(name);
    invariant(port !== undefined, `the link of ${name} was checked`);
    return port;
  }

  async #runTo(end: Micros): Promise<void> {
    const { pace, onProgress } = this.#options;
    const world = this.#world;
    const stretch = pace ? PACE : onProgress ? PROGRESS : end;
    while (world.now < end) {
      await pace?.(world.now);
      await world.run(Math.min(end, world.now + stretch));
      onProgress?.(world.now);
    }
  }

  /** A device whose power is cut meanwhile boots again, and is shut down once more. */
  async #shutDown(): Promise<void> {
    const cuts = this.#powerCuts;
    let up = await this.#shutDownOnce();
    if (up.length > 0 && this.#powerCuts > cuts) up = await this.#shutDownOnce();
    for (const { name } of up)
      this.#verdicts.push({ ok: false, expected: `${name} shuts down in order`, seen: 'it was not done after 5 s' });
  }

  /** Those that are still on after the time that they may take. */
  async #shutDownOnce(): Promise<readonly SimDevice[]> {
    const world = this.#world;
    const up = new Set([...this.#devices.values()].filter(({ on }) => on));
    for (const device of up) world.at(world.now, () => device.shutDown(() => up.delete(device)), device.name);
    for (const limit = world.now + SHUTDOWN_LIMIT; world.now < limit && up.size > 0; ) await world.run(world.now + SHUTDOWN_LOOK);
    return [...up];
  }

  #powerWasCut(device: string, { chip }: Unit, cut: PowerCut, record: (fields: TimelineEvent['fields']) => void): void {
    this.#powerCuts++;
    record({ ...cut, configuration: configurationOn(chip, this.#servers.given(device)) });
    this.#steps.again(device);
  }

  #ownVerdicts(events: readonly TimelineEvent[]): Verdict[] {
    const { cutPower } = this.#options;
    const operations = [...this.#devices.values()][0]?.chip.allOperations ?? 0;
    const cut = cutPower === undefined ? [] : [powerCutVerdict(cutPower, events, operations)];
    return [...stepVerdicts(this.#steps.notReached), ...cut, ...machineVerdicts(events)];
  }

  #pages(speakers: ReadonlyMap<string, Sound>): ReportPage[] {
    const { ladder, timeline } = this.#recording;
    return [...this.#devices.values()].flatMap(({ name, mac }) => {
      const streams = ladder.streams.all.filter(({ to }) => to === name);
      if (streams.length === 0) return [];
      const encrypted = timeline.events.some(({ device, event }) => device === mac && event === 'media.secured');
      return [{ device: name, heard: speakers.get(name)!, onTheWire: withoutKey(streams), encrypted }];
    });
  }
}
