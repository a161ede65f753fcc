/** A simulated board: the HAL's ports over the world's LAN, a NOR chip, and the platform's cryptography. */
import { shareAlarm } from '../../hal/base/share-alarm.js';
import type { BoardProfile } from '../../hal/board.js';
import type { AudioFormat, Clock, FramePort, Hal, MacAddress, Micros, System, UnixMillis } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import type { StaticAddress } from '../../hal/stack/index.js';
import type { FlashTrace } from '../flash/flash-port.js';
import type { NorFlash } from '../flash/nor-flash.js';
import type { PowerCut } from '../flash/power-cut.js';
import type { LanPort } from '../lan/lan.js';
import type { World } from '../world/world.js';
import { type PlayedFrame, simAudio } from './audio.js';
import { type SimGpio, simGpio } from './gpio.js';
import { networked } from './networked.js';
import { poweredCrypto, poweredTls } from './powered.js';

export interface SimHalOptions {
  world: World;
  platform: Platform;
  /** Its name is the host's, in errors. */
  port: LanPort;
  chip: NorFlash;
  board: BoardProfile;
  mac: MacAddress;
  address?: 'dhcp' | StaticAddress;
  bootReason?: System['boot']['reason'];
  /** `offset`: how far the wall clock is from the truth until it is set, in ms. `rtc`: the board has a real-time clock. */
  clock?: { offset?: UnixMillis; rtc?: boolean };
  hooks: SimHalHooks;
}

/** What the world sees of a board. Times are the board's own. */
export interface SimHalHooks {
  /** The firmware asked for a reboot: switch this off and boot another. */
  onReboot(why: string): void;
  /** The planned power cut came; the board is off already. */
  onPowerCut(cut: PowerCut): void;
  onFlashOp?(op: FlashTrace): void;
  onLine?(line: string, on: boolean, at: Micros): void;
  onPlayed?(frame: PlayedFrame): void;
  heard?(out: Int16Array, rate: AudioFormat['rate'], at: Micros): void;
  /** Puts a layer around the raw frames: the capture. */
  wrapFrames?(frames: FramePort, clock: Pick<Clock, 'now' | 'wall'>): FramePort;
}

export interface SimHal extends Hal {
  readonly gpio: SimGpio;
  /** Everything stops: nothing is delivered and nothing runs after it returns. Idempotent. */
  powerOff(): void;
}

/** Switches a board on now. */
export function simHal(options: SimHalOptions): SimHal {
  const { world, platform, board, mac, hooks, port } = options;
  const host = world.host({
    name: port.name,
    ...(options.clock?.offset === undefined ? {} : { wallOffset: options.clock.offset }),
    trust: options.clock?.rtc ? 'rtc' : 'none',
  });
  const share = shareAlarm(host.clock);
  const { nic, net } = networked(host, share(), port, {
    mac,
    address: options.address ?? 'dhcp',
    entropy: { fill: (out) => world.random(`entropy:${mac}:stack`).fill(out) },
    wrap: (frames) => hooks.wrapFrames?.(frames, host.clock) ?? frames,
  });
  return {
    info: { binding: 'sim', version: board.id },
    clock: share(),
    entropy: { fill: (out) => world.random(`entropy:${mac}`).fill(out) },
    nic,
    net,
    ...(board.tls.supported ? { tls: poweredTls(platform.tls(host), host) } : {}),
    flash: options.chip.attach(host, {
      onPowerCut: (cut) => {
        host.powerOff();
        hooks.onPowerCut(cut);
      },
      onOp: (op) => hooks.onFlashOp?.(op),
    }),
    audio: simAudio({
      host,
      ...board.audio,
      onPlayed: (frame) => hooks.onPlayed?.(frame),
      heard: (out, rate, at) => hooks.heard?.(out, rate, at),
    }),
    gpio: simGpio(host, board.lines, (line, on, at) => hooks.onLine?.(line, on, at)),
    crypto: poweredCrypto(platform.crypto, host),
    system: {
      boot: { reason: options.bootReason ?? 'power' },
      reboot: (why) => void host.after(0, () => hooks.onReboot(why)),
      watchdog: { kick: () => undefined },
    },
    powerOff: () => host.powerOff(),
  };
}
