/** What is kept of a run while it goes: every event of every host, and of the devices that are watched their frames and messages too. */
import { isSecret } from '../../core/settings/registry.js';
import { MILLISECOND } from '../../hal/base/time.js';
import { type ClearText, captureFrames, encodeCapture, FrameRecorder } from '../../hal/layers/index.js';
import { LadderBuilder } from '../artefacts/ladder-builder.js';
import { Timeline, type TimelineEvent } from '../artefacts/timeline.js';
import type { World } from '../world/world.js';
import { fixedHosts } from './addresses.js';
import { type Scenario, unitsOf } from './scenario.js';
import type { DeviceTap } from './sim-device.js';

/** Devices whose network is looked at: more lanes than this nobody reads, and the frames of a fleet fill no capture that anyone opens. */
const MOST_WATCHED = 8;

/** The first devices, and those whose messages a step waits for. */
function watchedDevices(scenario: Scenario): readonly string[] {
  const awaited = scenario.steps.flatMap(({ when, device }) =>
    when.type === 'sent' && device !== undefined ? unitsOf(scenario, device) : [],
  );
  const watched = new Set([...scenario.devices.keys()].slice(0, MOST_WATCHED).concat(awaited));
  return [...scenario.devices.keys()].filter((name) => watched.has(name));
}

export interface RecordingOptions {
  scenario: Scenario;
  world: World;
  /** First passwords by device; hidden in the ladder wherever they stand, as those that the scenario names. */
  passwords: ReadonlyMap<string, string>;
  /** A watched device, or someone it talks to, has said that: the first line of a SIP or HTTP message and what follows. */
  onMessage(from: string, message: string): void;
}

export class Recording {
  readonly timeline = new Timeline();
  readonly ladder: LadderBuilder;
  /** By name; the others' events alone are kept. */
  readonly watched: readonly string[];
  readonly #world: World;
  readonly #frames = new FrameRecorder();
  readonly #secrets: string[] = [];
  /** Names of the hosts with fixed addresses. */
  readonly #byAddress: ReadonlyMap<string, string>;

  constructor({ scenario, world, passwords, onMessage }: RecordingOptions) {
    this.#world = world;
    this.watched = watchedDevices(scenario);
    const { devices } = scenario;
    const hosts = fixedHosts(scenario);
    this.#byAddress = new Map(hosts.map(({ name, address }) => [address, name]));
    this.ladder = new LadderBuilder({
      hosts: [
        ...this.watched.map((name) => ({ name, mac: devices.get(name)!.mac, captured: true })),
        ...hosts.map(({ name, mac }) => ({ name, mac, captured: false })),
      ],
      dhcpServer: 'dhcp',
      passwords: [...secretsOf(scenario, this.watched), ...this.watched.flatMap((name) => passwords.get(name) ?? [])],
      onMessage,
    });
  }

  event(host: string, event: TimelineEvent): void {
    this.timeline.add(event);
    this.ladder.event(host, event);
  }

  /** What a watched device's network is led through; undefined for one that is not watched. */
  tap(device: string): DeviceTap | undefined {
    const index = this.watched.indexOf(device);
    if (index < 0) return undefined;
    const world = this.#world;
    const record = {
      record: (frame: Parameters<FrameRecorder['record']>[0]) => {
        this.#frames.record(frame);
        this.ladder.frame(world.now, device, frame.direction, frame.bytes);
      },
      interface: index,
      now: () => world.now,
      // Frames arrive in the turn of the world in which they are stamped, whatever the host's own clock says.
      calendar: () => world.start * MILLISECOND + world.now,
    };
    return {
      onSecret: (line) => void this.#secrets.push(line),
      onClear: (text) => this.#clear(device, text),
      wrapFrames: (frames) => captureFrames(frames, record),
    };
  }

  /** A pcapng file. */
  capture(withSecrets: boolean): Uint8Array {
    const secrets = withSecrets ? this.#secrets : undefined;
    return encodeCapture({ interfaces: this.watched, frames: this.#frames.frames, secrets });
  }

  get packets(): { kept: number; dropped: number } {
    return { kept: this.#frames.frames.length, dropped: this.#frames.dropped };
  }

  #clear(device: string, { direction, local, peer, bytes }: ClearText): void {
    const other = this.#byAddress.get(peer.address) ?? peer.address;
    const [from, to] = direction === 'out' ? [device, other] : [other, device];
    this.ladder.clear(this.#world.now, `${local.port}-${peer.port}`, from, to, bytes);
  }
}

/** Passwords that the scenario names, as far as a watched device or a server has to do with them. */
function secretsOf({ servers, devices }: Scenario, watched: readonly string[]): ReadonlySet<string> {
  const { sip, provisioning } = servers;
  const settings = watched.flatMap((name) => {
    const { image, provisioned } = devices.get(name)!;
    return [...image.settings, ...provisioned].flatMap(([key, value]) => (isSecret(key) && value !== '' ? [value] : []));
  });
  return new Set([...settings, ...(sip?.users.values() ?? []), ...(provisioning?.auth ? [provisioning.auth.password] : [])]);
}
