/** One simulated device: its chip, its power, the firmware that runs while it is on, and what its loudspeaker has played. */
import { createEndpoint, type Endpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { SECOND } from '../../hal/base/time.js';
import type { BoardProfile } from '../../hal/board.js';
import type { FramePort, MacAddress, Micros } from '../../hal/hal.js';
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
  hooks: SimDeviceHooks;
}

/** Called as things happen; a hook must not switch the device. */
export interface SimDeviceHooks {
  onEvent(event: EndpointEvent): void;
  onFlashOp(op: FlashTrace): void;
  onPowerCut(cut: PowerCut, at: Micros): void;
  onSecret(line: string): void;
  /** What crosses the device's TLS connections. */
  onClear(text: ClearText): void;
  wrapFrames(frames: FramePort): FramePort;
}

/** Half an hour of sound. */
const MOST_SAMPLES = 30 * 60 * 16_000;
/** How long a board is dark when it reboots, and when power failed. */
const DARK: Micros = SECOND;
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
  #running: { hal: SimHal; endpoint: Endpoint } | undefined;

  constructor(options: SimDeviceOptions) {
    this.#options = options;
    this.name = options.name;
    this.mac = options.mac;
    this.port = options.port;
    this.chip = options.chip;
  }

  get on(): boolean {
    return this.#running !== undefined;
  }

  powerOn(bootReason: SimHal['system']['boot']['reason'] = 'power'): void {
    if (this.#running) return;
    const { world, platform, port, chip, board, mac, firmware, hooks } = this.#options;
    const hal = simHal({
      world,
      platform,
      port,
      chip,
      board,
      mac,
      bootReason,
      // Nobody has told it the time: it begins at 1970.
      clock: { offset: -world.wall() },
      hooks: {
        onReboot: () => this.#restart('reboot'),
        onPowerCut: (cut) => {
          hooks.onPowerCut(cut, hal.clock.now());
          this.#restart('power');
        },
        onFlashOp: hooks.onFlashOp,
        onPlayed: ({ pcm }) => this.#play(pcm),
        wrapFrames: hooks.wrapFrames,
      },
    });
    const tapped = hal.tls ? { ...hal, tls: tapTls(hal.tls, () => hal.clock.now(), hooks.onClear) } : hal;
    const endpoint = createEndpoint({ hal: tapped, board, firmware, sink: hooks.onEvent, onSecret: hooks.onSecret });
    this.#running = { hal, endpoint };
    endpoint.start();
  }

  /** Without warning. */
  powerOff(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.hal.powerOff();
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
