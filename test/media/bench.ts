/** A bench for media: a clock, a wire of UDP sockets, a loudspeaker that pulls, and endpoints with kernels of their own. */

import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel, type Kernel } from '../../core/kernel/kernel.js';
import { AudioBus } from '../../core/media/audio-bus.js';
import { fail, ok } from '../../hal/base/result.js';
import { shareAlarm } from '../../hal/base/share-alarm.js';
import { Timers } from '../../hal/base/timers.js';
import type { Audio, Entropy, IpAddress, Micros, Net, SocketAddress, UdpSocket } from '../../hal/hal.js';
import { randomFrom } from '../support/mutation.js';
import { VirtualClock } from '../support/virtual-clock.js';

type Deliver = (bytes: Uint8Array, from: SocketAddress, at: Micros) => void;

export interface Datagram {
  from: SocketAddress;
  to: SocketAddress;
  bytes: Uint8Array;
}

export class MediaBench {
  readonly clock = new VirtualClock();
  readonly #share = shareAlarm(this.clock);
  readonly #timers = new Timers(this.#share());
  readonly #bound = new Map<string, Deliver>();
  /** All that was sent, in order. */
  readonly sent: Datagram[] = [];
  /** What the wire does to a datagram: drops it where it gives false. */
  filter: (datagram: Datagram) => boolean = () => true;

  endpoint(address: IpAddress, seed: number): Endpoint {
    const events: EndpointEvent[] = [];
    const kernel = createKernel(this.#share(), (event) => events.push(event));
    const speaker: number[] = [];
    const outputs = { open: 0, recorded: true };
    const audio = this.#audio(kernel, speaker, outputs);
    const random = randomFrom(seed);
    const entropy: Entropy = {
      fill: (out) => {
        for (let i = 0; i < out.length; i++) out[i] = random(256);
      },
    };
    return { address, kernel, events, net: this.#net(address), audio, bus: new AudioBus(audio), speaker, outputs, entropy };
  }

  /** Delivers 1 ms from now. */
  inject({ from, to, bytes }: Datagram): void {
    const timer = this.#timers.create('wire', (at) => this.#bound.get(`${to.address}:${to.port}`)?.(bytes, from, at));
    timer.set(this.clock.now() + 1_000);
  }

  #net(address: IpAddress): Net {
    const udp: Net['udp'] = ({ port }) => {
      const key = `${address}:${port}`;
      if (this.#bound.has(key)) return fail('addr-in-use', key);
      this.#bound.set(key, () => undefined);
      const local = { address, port };
      const socket: UdpSocket = {
        local,
        onDatagram: (listener) => this.#bound.set(key, listener),
        send: (to, bytes) => {
          const datagram = { from: local, to, bytes: bytes.slice() };
          this.sent.push(datagram);
          if (this.filter(datagram)) this.inject(datagram);
          return 'sent';
        },
        join: () => ok(undefined),
        leave: () => undefined,
        close: () => this.#bound.delete(key),
      };
      return ok(socket);
    };
    return { udp } as Partial<Net> as Net;
  }

  /** Pulls 20 ms at a time while it is open. */
  #audio(kernel: Kernel, speaker: number[], outputs: Endpoint['outputs']): Audio {
    return {
      open: ({ frame }, pull) => {
        outputs.open++;
        const out = new Int16Array(frame);
        const timer = kernel.timer('speaker', (at) => {
          timer.set(at + 20_000);
          pull(out, at);
          if (outputs.recorded) speaker.push(...out);
        });
        timer.set(kernel.now() + 20_000);
        const close = (): void => {
          outputs.open--;
          timer.clear();
        };
        return ok({ close });
      },
    };
  }
}

export interface Endpoint {
  address: IpAddress;
  kernel: Kernel;
  events: EndpointEvent[];
  net: Net;
  audio: Audio;
  bus: AudioBus;
  /** What the loudspeaker played, at 16 kHz. */
  speaker: number[];
  outputs: { open: number; recorded: boolean };
  entropy: Entropy;
}
