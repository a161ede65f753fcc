/** A whole device on `hal/stack`: all that it has of this machine is the clock, OpenSSL, and a file for its flash. */
import { writeFileSync } from 'node:fs';
import { LOCAL_SETTINGS } from '../../core/device/device-storage.js';
import { createEndpoint, type Endpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent, EventName } from '../../core/kernel/events.js';
import { encodeConf } from '../../core/settings/conf.codec.js';
import { encodeFactory, type FactoryContent } from '../../core/storage/factory.codec.js';
import { decodePartitionTable } from '../../core/storage/image.codec.js';
import { expectOk } from '../../hal/base/result.js';
import { shareAlarm } from '../../hal/base/share-alarm.js';
import type { BoardProfile } from '../../hal/board.js';
import { createNodeAudio } from '../../hal/node/audio.js';
import { NodeClock } from '../../hal/node/clock.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { nodeEntropy } from '../../hal/node/entropy.js';
import { openFlashImage } from '../../hal/node/flash.js';
import { createNodeGpio } from '../../hal/node/gpio.js';
import { createNodeSystem } from '../../hal/node/system.js';
import { createNodeTls } from '../../hal/node/tls.js';
import { createStack, type Stack } from '../../hal/stack/index.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { commitFile, openImage } from '../../tools/image.js';
import type { Cable } from './tap.js';

/** Writes the image of a new unit, with what an installer put on it. */
export async function makeImage(
  path: string,
  board: BoardProfile,
  factory: FactoryContent,
  installed: { settings: ReadonlyMap<string, string>; files: ReadonlyMap<string, Uint8Array> },
): Promise<void> {
  const chip = new NorFlash(board.flash);
  chip.memory('factory').write(0, encodeFactory(factory));
  writeFileSync(path, chip.image(), { mode: 0o600 });
  const { storage, close } = await openImage(path);
  await commitFile(storage, LOCAL_SETTINGS, encodeConf(installed.settings));
  for (const [name, bytes] of installed.files) await commitFile(storage, name, bytes);
  close();
}

type Event<N extends EventName> = Extract<EndpointEvent, { event: N }>;

/** A device that runs, at the end of a cable. */
export class StackDevice {
  readonly events: EndpointEvent[] = [];
  /** Lines of an NSS key log. */
  readonly secrets: string[] = [];
  readonly counters: Stack['counters'];
  /** Power off; the image can then be opened again. */
  readonly close: () => void;
  readonly #endpoint: Endpoint;
  readonly #waiting = new Set<(event: EndpointEvent) => void>();

  /** Boots it from the image. */
  constructor(cable: Cable, mac: string, board: BoardProfile, image: string) {
    const clock = new NodeClock();
    const share = shareAlarm(clock);
    const { nic, net, counters } = createStack({ nic: cable.nic(mac, clock), clock: share(), entropy: nodeEntropy, address: 'dhcp' });
    const flash = expectOk(openFlashImage({ path: image, partitionsOf: decodePartitionTable, clock }), 'the image');
    const sound = expectOk(createNodeAudio({ clock, onFailure: () => {} }), 'audio without a file');
    this.counters = counters;
    this.#endpoint = createEndpoint({
      hal: {
        info: { binding: 'stack', version: process.version },
        clock: share(),
        entropy: nodeEntropy,
        nic,
        net,
        tls: createNodeTls(clock),
        flash: flash.flash,
        audio: sound.audio,
        gpio: createNodeGpio(board.lines, () => {}),
        crypto: createNodeCrypto({ clock, keysOn: 'thread' }),
        system: createNodeSystem({ reason: 'power', onReboot: () => {} }),
      },
      board,
      firmware: board.firmware.newest,
      sink: (event) => this.#heard(event),
      onSecret: (line) => void this.secrets.push(line),
    });
    this.close = () => {
      clock.setAlarm(undefined);
      sound.close();
      flash.close();
    };
    this.#endpoint.start();
  }

  /** The first event of that name, past or to come. */
  event<N extends EventName>(name: N, seconds: number): Promise<Event<N>> {
    const past = this.events.find((event): event is Event<N> => event.event === name);
    if (past) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(patience);
        this.#waiting.delete(listener);
      };
      const listener = (event: EndpointEvent): void => {
        if (event.event !== name) return;
        finish();
        resolve(event as Event<N>);
      };
      const patience = setTimeout(() => {
        finish();
        reject(new Error(`no ${name} within ${seconds} s, but ${JSON.stringify(this.events)}`));
      }, seconds * 1000);
      this.#waiting.add(listener);
    });
  }

  /** Ends in order: what is registered is taken back. */
  shutdown(): Promise<void> {
    return new Promise((done) => this.#endpoint.shutdown(done));
  }

  #heard(event: EndpointEvent): void {
    this.events.push(event);
    for (const listener of this.#waiting) listener(event);
  }
}
