/** One simulated device: its chip, its power, the firmware that runs while it is on, and what its loudspeaker has played. */
import { yearsAfter } from '../../core/certs/authority.js';
import { createEndpoint, type Endpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { SECOND } from '../../hal/base/time.js';
import type { BoardProfile } from '../../hal/board.js';
import type { FramePort, HalError, MacAddress, Micros, UnixMillis } from '../../hal/hal.js';
import { type ClearText, tapTls } from '../../hal/layers/index.js';
import type { Platform } from '../../hal/platform.js';
import type { Sound } from '../artefacts/sound.js';
import type { FlashTrace } from '../flash/flash-port.js';
import type { NorFlash } from '../flash/nor-flash.js';
import type { PowerCut } from '../flash/power-cut.js';
import { type SimHal, simHal } from '../hal/sim-hal.js';
import type { LanPort } from '../lan/lan.js';
import type { World } from '../world/world.js';

export interface SimDeviceOptions {
  name: string;
  mac: MacAddress;
  world: World;
  platform: Platform;
  port: LanPort;
  chip: NorFlash;
  board: BoardProfile;
  firmware: string;
  /** What its real-time clock shows when the run begins; absent: it has none. */
  rtc?: UnixMillis;
  hooks: SimDeviceHooks;
  /** Absent: nobody looks at its network. */
  tap?: DeviceTap;
}

/** Called as things happen; a hook must not switch the device. */
export interface SimDeviceHooks {
  onEvent(event: EndpointEvent): void;
  onFlashOp(op: FlashTrace): void;
  onPowerCut(cut: PowerCut, at: Micros): void;
}

/** What the network of a device is led through. */
export interface DeviceTap {
  onSecret(line: string): void;
  /** What crosses the device's TLS connections. */
  onClear(text: ClearText): void;
  wrapFrames(frames: FramePort): FramePort;
}

/** Half an hour of sound. */
const MOST_SAMPLES = 30 * 60 * 16_000;
/** Age of its firmware when the run begins: the earliest that a device without a clock can take it to be. */
const FIRMWARE_YEARS = 1;
/** How long a board is dark when it reboots, and when power failed. */
const DARK: Micros = SECOND;
const OFF: HalError = { kind: 'closed', detail: 'it is switched off' };
/** The bus of the endpoint. */
const RATE = 16_000;

export class SimDevice {
  readonly name: string;
  readonly mac: MacAddress;
  readonly port: LanPort;
  readonly chip: NorFlash;
  readonly #options: SimDeviceOptions;
  readonly #played: Int16Array[] = [];
  #samples = 0;
  /** How far the real-time clock is from the truth; it goes on while the power is off. */
  #rtcOffset: UnixMillis | undefined;
  #running: { hal: SimHal; endpoint: Endpoint } | undefined;

  constructor(options: SimDeviceOptions) {
    this.#options = options;
    this.name = options.name;
    this.mac = options.mac;
    this.port = options.port;
    this.chip = options.chip;
    this.#rtcOffset = options.rtc === undefined ? undefined : options.rtc - options.world.start;
  }

  get on(): boolean {
    return this.#running !== undefined;
  }

  powerOn(bootReason: SimHal['system']['boot']['reason'] = 'power'): void {
    if (this.#running) return;
    const { world, platform, port, chip, board, mac, firmware, hooks, tap } = this.#options;
    const hal = simHal({
      world,
      platform,
      port,
      chip,
      board,
      mac,
      bootReason,
      // Without a battery, it begins at 1970.
      clock: this.#rtcOffset === undefined ? { offset: -world.wall() } : { offset: this.#rtcOffset, rtc: true },
      hooks: {
        onReboot: () => this.#restart('reboot'),
        onPowerCut: (cut) => {
          hooks.onPowerCut(cut, hal.clock.now());
          this.#restart('power');
        },
        onFlashOp: hooks.onFlashOp,
        onPlayed: ({ pcm }) => this.#play(pcm),
        ...(tap ? { wrapFrames: (frames) => tap.wrapFrames(frames) } : {}),
      },
    });
    const tapped = hal.tls && tap ? { ...hal, tls: tapTls(hal.tls, () => hal.clock.now(), tap.onClear) } : hal;
    const secrets = tap ? { onSecret: tap.onSecret } : {};
    const endpoint = createEndpoint({
      hal: tapped,
      board,
      firmware,
      built: yearsAfter(world.start, -FIRMWARE_YEARS),
      sink: hooks.onEvent,
      ...secrets,
    });
    this.#running = { hal, endpoint };
    endpoint.start();
  }

  /** Without warning. */
  powerOff(): void {
    const running = this.#running;
    this.#running = undefined;
    if (running && this.#rtcOffset !== undefined) this.#rtcOffset = running.hal.clock.wall().at - this.#options.world.wall();
    running?.hal.powerOff();
  }

  /** Puts a file on the device, as its web interface would; `done` hears why it was not taken. */
  put(path: string, bytes: Uint8Array, done: (error: HalError | undefined) => void): void {
    if (!this.#running) done(OFF);
    else this.#running.endpoint.files.put(path, bytes, {}, (result) => done(result.ok ? undefined : result.error));
  }

  factoryReset(done: (error: HalError | undefined) => void): void {
    if (!this.#running) done(OFF);
    else this.#running.endpoint.factoryReset((result) => done(result.ok ? undefined : result.error));
  }

  /** In order: calls ended, unregistered, flash at rest. `done` at once when it is off. */
  shutDown(done: () => void): void {
    const running = this.#running;
    const ended = (): void => {
      if (this.#running === running) this.powerOff();
      done();
    };
    if (running) running.endpoint.shutdown(ended);
    else done();
  }

  get speaker(): Sound {
    const samples = new Int16Array(this.#samples);
    let at = 0;
    for (const frame of this.#played) {
      samples.set(frame, at);
      at += frame.length;
    }
    return { samples, rate: RATE };
  }

  #restart(reason: 'power' | 'reboot'): void {
    const { world } = this.#options;
    this.powerOff();
    world.at(world.now + DARK, () => this.powerOn(reason), this.name);
  }

  #play(pcm: Int16Array): void {
    if (this.#samples + pcm.length > MOST_SAMPLES) return;
    this.#played.push(pcm);
    this.#samples += pcm.length;
  }
}
