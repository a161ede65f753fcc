/** The binding as a whole: a `Hal` for one endpoint on this machine, and the smaller host that peers run on. */
import { err, ok } from '../base/result.js';
import type { Clock, Crypto, Entropy, GpioLine, Hal, HalError, MacAddress, Net, Result, System, TlsEngine } from '../hal.js';
import { createNodeAudio } from './audio.js';
import { NodeClock } from './clock.js';
import { createNodeCrypto } from './crypto.js';
import { nodeEntropy } from './entropy.js';
import { openFlashImage, type PlacedPartition } from './flash.js';
import { createNodeGpio } from './gpio.js';
import { createNodeNet, type NodeNetOptions } from './net.js';
import { createNodeNic } from './nic.js';
import { createNodeSystem } from './system.js';
import { createNodeTls } from './tls.js';

export type NodeHostOptions = Omit<NodeNetOptions, 'clock'>;

/** What peers need of this machine. */
export interface NodeHost {
  clock: Clock;
  net: Net;
  entropy: Entropy;
  crypto: Crypto;
  tls: TlsEngine;
  close(): Promise<void>;
}

export interface NodeHalOptions extends NodeHostOptions {
  /** The factory partition's: this machine's own interfaces stay out of it. */
  mac: MacAddress;
  flash: { path: string; partitionsOf(image: Uint8Array): Result<readonly PlacedPartition[], string> };
  /** WAV files; silence and nothing where absent. */
  speaker?: string;
  microphone?: string;
  lines: readonly GpioLine[];
  /** False for a board without TLS. */
  tls: boolean;
  bootReason?: System['boot']['reason'];
  hooks: NodeHalHooks;
}

export interface NodeHalHooks {
  /** The firmware asked to be booted anew: close this HAL and make another. */
  onReboot(why: string): void;
  onLine(line: string, on: boolean): void;
  /** The loudspeaker's file could not be written. */
  onAudioFailure(detail: string): void;
}

export interface NodeHal {
  hal: Hal;
  /** Ends everything that is open; the flash image can then be opened again. */
  close(): Promise<void>;
}

/** Fails with the port or the address at fault, and the mend. */
export async function createNodeHost(options: NodeHostOptions): Promise<Result<NodeHost, HalError>> {
  const clock = new NodeClock();
  const network = await createNodeNet({ ...options, clock });
  if (!network.ok) return network;
  const { net, close } = network.value;
  return ok({
    clock,
    net,
    entropy: nodeEntropy,
    crypto: createNodeCrypto({ clock, keysOn: 'thread' }),
    tls: createNodeTls(clock),
    close: async () => {
      clock.setAlarm(undefined);
      await close();
    },
  });
}

/** Fails with the file, port or address at fault, and the mend; what was opened before is closed again. */
export async function createNodeHal(options: NodeHalOptions): Promise<Result<NodeHal, HalError>> {
  const clock = new NodeClock();
  const closers: (() => void | Promise<void>)[] = [() => clock.setAlarm(undefined)];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const opened = await openPorts(options, clock, closers);
  if (!opened.ok) await close();
  return opened.ok ? ok({ hal: opened.value, close }) : err(opened.error);
}

async function openPorts(
  options: NodeHalOptions,
  clock: NodeClock,
  closers: (() => void | Promise<void>)[],
): Promise<Result<Hal, HalError>> {
  const { speaker, microphone, hooks } = options;
  const image = openFlashImage({ ...options.flash, clock });
  if (!image.ok) return image;
  closers.push(() => image.value.close());
  const sound = createNodeAudio({
    ...(speaker === undefined ? {} : { speaker }),
    ...(microphone === undefined ? {} : { microphone }),
    clock,
    onFailure: (detail) => hooks.onAudioFailure(detail),
  });
  if (!sound.ok) return sound;
  closers.push(() => sound.value.close());
  const network = await createNodeNet({ ...options, clock });
  if (!network.ok) return network;
  closers.push(() => network.value.close());
  return ok({
    info: { binding: 'node', version: process.version },
    clock,
    entropy: nodeEntropy,
    nic: createNodeNic({ ...options, dns: network.value.dns }),
    net: network.value.net,
    ...(options.tls ? { tls: createNodeTls(clock) } : {}),
    flash: image.value.flash,
    audio: sound.value.audio,
    gpio: createNodeGpio(options.lines, (line, on) => hooks.onLine(line, on)),
    crypto: createNodeCrypto({ clock, keysOn: 'thread' }),
    system: createNodeSystem({ reason: options.bootReason ?? 'power', onReboot: (why) => hooks.onReboot(why) }),
  });
}
