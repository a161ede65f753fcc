/** Runs a scenario: builds its world, takes its steps, and gathers what came of it. */
import { invariant } from '../../hal/base/result.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { FramePort, Micros } from '../../hal/hal.js';
import { type ClearText, captureFrames, encodeCapture, FrameRecorder } from '../../hal/layers/index.js';
import type { Platform } from '../../hal/platform.js';
import type { Ladder } from '../artefacts/ladder.js';
import { LadderBuilder } from '../artefacts/ladder-builder.js';
import { type ReportLink, type ReportPage, renderReport } from '../artefacts/report.js';
import { withoutKey } from '../artefacts/rtp-streams.js';
import type { Sound } from '../artefacts/sound.js';
import { Timeline, type TimelineEvent } from '../artefacts/timeline.js';
import type { PowerCut } from '../flash/power-cut.js';
import { Lan, type LanPort } from '../lan/lan.js';
import { World, WorldError } from '../world/world.js';
import { judge, type Verdict } from './judge.js';
import { SimPki } from './pki.js';
import type { Scenario, Step } from './scenario.js';
import { fixedHosts, type Servers, startServers } from './servers.js';
import { SimDevice, type SimDeviceHooks } from './sim-device.js';
import { Steps } from './steps.js';
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
}

export interface ScenarioResult {
  /** Every verdict is good. */
  ok: boolean;
  verdicts: readonly Verdict[];
  timeline: Timeline;
  ladder: Ladder;
  /** By name of the device. */
  speakers: ReadonlyMap<string, Sound>;
  pages: readonly ReportPage[];
  links: readonly ReportLink[];
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
/** The name under which a device registers first. */
const EXTENSION_SETTING = 'sip.u1.user';

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #lan: Lan;
  readonly #timeline = new Timeline();
  readonly #recorder = new FrameRecorder();
  readonly #secrets: string[] = [];
  readonly #ladder: LadderBuilder;
  readonly #devices: ReadonlyMap<string, SimDevice>;
  readonly #servers: Servers;
  readonly #steps: Steps;
  /** Beside those on the scenario's expectations. */
  readonly #verdicts: Verdict[] = [];

  constructor(scenario: Scenario, options: RunOptions) {
    const { seed, platform, cutPower } = options;
    this.#scenario = scenario;
    this.#options = options;
    const world = new World({ seed, platform, start: scenario.start });
    this.#world = world;
    this.#lan = new Lan(world, scenario.lan);
    this.#steps = new Steps(scenario.steps, (step) => void world.at(world.now, () => this.#take(step), 'scenario'));
    const pki = new SimPki({ platform, entropy: world.random('pki'), start: scenario.start });
    const units = Array.from(
      scenario.devices,
      ([name, setup]) => [name, makeUnit(setup, world.random(`factory:${setup.mac}`), pki)] as const,
    );
    this.#ladder = this.#createLadder(units.map(([, { password }]) => password));
    const log = (host: string, event: string, fields: TimelineEvent['fields']): void =>
      this.#record(host, { t: world.now, at: world.now, device: host, event, fields });
    this.#servers = startServers({ scenario, world, lan: this.#lan, platform, pki, log });
    this.#devices = new Map(units.map(([name, unit], i) => [name, this.#createDevice(name, unit, i)]));
    if (cutPower !== undefined) units[0]?.[1].chip.cutPowerAt({ nth: cutPower, how: 'torn', octets: 1 });
  }

  async play(): Promise<void> {
    const world = this.#world;
    for (const step of this.#scenario.steps) if (step.when.type === 'at') world.at(step.when.at, () => this.#take(step), 'scenario');
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
    const { events } = this.#timeline;
    const speakers = new Map(Array.from(this.#devices, ([name, device]) => [name, device.speaker]));
    const verdicts = [...judge(this.#scenario, { events, speakers }), ...this.#verdicts, ...this.#ownVerdicts(events)];
    const ladder = this.#ladder.build();
    const pages = this.#pages(speakers);
    const links = this.#lan.ports.map(({ name, stats }) => ({ name, up: { ...stats.up }, down: { ...stats.down } }));
    const frames = this.#recorder.frames;
    const interfaces = [...this.#devices.keys()];
    return {
      ok: verdicts.every(({ ok }) => ok),
      verdicts,
      timeline: this.#timeline,
      ladder,
      speakers,
      pages,
      links,
      capture: (withSecrets) => encodeCapture({ interfaces, frames, secrets: withSecrets ? this.#secrets : undefined }),
      framesDropped: this.#recorder.dropped,
      report: (capture) => {
        const { name, about = '', start, devices: setups } = this.#scenario;
        const devices = new Map(Array.from(setups, ([device, { mac }]) => [mac, device]));
        const settings = [...this.#devices.values()].flatMap((device) => settingsOn(device.name, device.chip));
        const facts = { name, about, start, seed: this.#options.seed, verdicts, devices, events, ladder, pages, links, settings };
        return renderReport({ ...facts, capture: { ...capture, packets: frames.length } });
      },
    };
  }

  #createLadder(devicePasswords: readonly string[]): LadderBuilder {
    const { devices, servers } = this.#scenario;
    return new LadderBuilder({
      hosts: [
        ...Array.from(devices, ([name, { mac }]) => ({ name, mac, captured: true })),
        ...fixedHosts(this.#scenario).map(({ name, mac }) => ({ name, mac, captured: false })),
      ],
      dhcpServer: 'dhcp',
      passwords: [...(servers.sip?.users.values() ?? []), ...devicePasswords],
      onMessage: (from, message) => this.#steps.sent(from, /^[A-Z]+(?= )/.exec(message)?.[0] ?? ''),
    });
  }

  #createDevice(name: string, unit: Unit, index: number): SimDevice {
    const { mac } = this.#scenario.devices.get(name)!;
    const world = this.#world;
    const record = (at: Micros, event: string, fields: TimelineEvent['fields']): void =>
      this.#record(name, { t: world.now, at, device: mac, event, fields });
    const hooks: SimDeviceHooks = {
      onEvent: ({ at, event, ...fields }) => record(at, event, fields),
      onFlashOp: ({ at, ...op }) => record(at, 'flash.op', op),
      onPowerCut: (cut, at) => this.#powerWasCut(name, unit, cut, (fields) => record(at, 'power.cut', fields)),
      onSecret: (line) => void this.#secrets.push(line),
      onClear: (text) => this.#clear(name, text),
      wrapFrames: (frames) => this.#captured(frames, index),
    };
    const port = this.#lan.attach(name);
    return new SimDevice({ name, mac, world, platform: this.#options.platform, port, ...unit, hooks });
  }

  #captured(frames: FramePort, index: number): FramePort {
    const world = this.#world;
    return captureFrames(frames, {
      record: (frame) => {
        this.#recorder.record(frame);
        this.#ladder.frame(world.now, frame.direction, frame.bytes);
      },
      interface: index,
      now: () => world.now,
      // Frames arrive in the turn of the world in which they are stamped, whatever the host's own clock says.
      calendar: () => world.start * MILLISECOND + world.now,
    });
  }

  #record(host: string, event: TimelineEvent): void {
    this.#timeline.add(event);
    this.#ladder.event(host, event);
    this.#options.onEvent?.(event);
    this.#steps.happened(host, event);
  }

  #clear(device: string, { direction, local, peer, bytes }: ClearText): void {
    const other = fixedHosts(this.#scenario).find(({ address }) => address === peer.address)?.name ?? peer.address;
    const [from, to] = direction === 'out' ? [device, other] : [other, device];
    this.#ladder.clear(this.#world.now, `${local.port}-${peer.port}`, from, to, bytes);
  }

  #take({ device, action }: Step): void {
    if (action.type === 'power') {
      const switched = this.#devices.get(device)!;
      if (action.on) switched.powerOn();
      else switched.powerOff();
    } else if (action.type === 'page') {
      const { provisioned, image } = this.#scenario.devices.get(device)!;
      const extension = image.settings.get(EXTENSION_SETTING) ?? provisioned.get(EXTENSION_SETTING) ?? '';
      this.#servers.callers.get(action.from)!.call({ extension, for: action.for });
    } else {
      const port = this.#port(action.link);
      port.cut();
      this.#world.at(this.#world.now + action.for, () => port.restore(), 'scenario');
    }
  }

  #port(name: string): LanPort {
    const port = this.#devices.get(name)?.port ?? this.#servers.ports.get(name);
    invariant(port !== undefined, `the link of ${name} was checked`);
    return port;
  }

  async #runTo(end: Micros): Promise<void> {
    const { pace } = this.#options;
    const world = this.#world;
    if (!pace) return world.run(end);
    while (world.now < end) {
      await pace(world.now);
      await world.run(Math.min(end, world.now + PACE));
    }
  }

  async #shutDown(): Promise<void> {
    const world = this.#world;
    const up = new Set([...this.#devices.values()].filter(({ on }) => on));
    for (const device of up) world.at(world.now, () => device.shutDown(() => up.delete(device)), device.name);
    for (const limit = world.now + SHUTDOWN_LIMIT; world.now < limit && up.size > 0; ) await world.run(world.now + SHUTDOWN_LOOK);
    for (const { name } of up)
      this.#verdicts.push({ ok: false, expected: `${name} shuts down in order`, seen: 'it was not done after 5 s' });
  }

  #powerWasCut(device: string, { chip }: Unit, cut: PowerCut, record: (fields: TimelineEvent['fields']) => void): void {
    record({ ...cut, configuration: configurationOn(chip, this.#scenario.devices.get(device)!) });
  }

  /** What no scenario has to ask for: every step was taken, the power cut came, no machine failed. */
  #ownVerdicts(events: readonly TimelineEvent[]): Verdict[] {
    const verdicts = this.#steps.notReached.map((expected): Verdict => ({ ok: false, expected, seen: 'its time never came' }));
    const failures = events.filter(({ event }) => event === 'machine.failed');
    const failed = failures.map(
      ({ t, fields }): Verdict => ({ ok: false, expected: 'no machine fails', seen: `${fields['machine']}: ${fields['detail']}`, t }),
    );
    return [...verdicts, ...this.#powerVerdicts(events), ...failed];
  }

  /** The power cut that was asked for came, left a whole configuration, and the board booted with that. */
  #powerVerdicts(events: readonly TimelineEvent[]): Verdict[] {
    const { cutPower } = this.#options;
    if (cutPower === undefined) return [];
    const cut = events.find(({ event }) => event === 'power.cut');
    if (!cut) {
      const operations = [...this.#devices.values()][0]?.chip.allOperations ?? 0;
      return [{ ok: false, expected: `a power cut at flash operation ${cutPower}`, seen: `there were only ${operations}` }];
    }
    const { configuration } = cut.fields;
    const booted = events.find(({ event, device, t }) => event === 'boot.ready' && device === cut.device && t > cut.t);
    return [
      {
        ok: configuration !== 'broken' && booted !== undefined,
        expected: `after the power cut at flash operation ${cutPower} the board boots with its configuration whole`,
        seen: booted ? `it booted with the ${configuration} configuration` : 'it did not boot',
        t: booted?.t ?? cut.t,
      },
    ];
  }

  #pages(speakers: ReadonlyMap<string, Sound>): ReportPage[] {
    return [...this.#devices.values()].flatMap(({ name, mac }) => {
      const streams = this.#ladder.streams.all.filter(({ to }) => to === name);
      if (streams.length === 0) return [];
      const encrypted = this.#timeline.events.some(({ device, event }) => device === mac && event === 'media.secured');
      return [{ device: name, heard: speakers.get(name)!, onTheWire: withoutKey(streams), encrypted }];
    });
  }
}
