/** Sockets of a test: what was sent, and a way to answer. */
import type { Net, SocketAddress, UdpSocket } from '../../hal/hal.js';

export interface Sent {
  to: SocketAddress;
  bytes: Uint8Array;
  /** Delivers a datagram to the socket that sent this. */
  reply(bytes: Uint8Array, from?: SocketAddress): void;
}

export class FakeNet implements Pick<Net, 'udp' | 'resolve'> {
  readonly sent: Sent[] = [];
  readonly names = new Map<string, string>();
  open = 0;
  /** Answers to `resolve` that are due in a later turn. */
  readonly #answers: (() => void)[] = [];

  udp: Net['udp'] = () => {
    let listener: Parameters<UdpSocket['onDatagram']>[0] | undefined;
    let closed = false;
    this.open++;
    const socket: UdpSocket = {
      local: { address: '192.0.2.10', port: 40000 },
      onDatagram: (taken) => {
        listener = taken;
      },
      send: (to, bytes) => {
        this.sent.push({ to, bytes, reply: (answer, from = to) => !closed && listener?.(answer, from, 0) });
        return 'sent';
      },
      join: () => ({ ok: true, value: undefined }),
      leave: () => {},
      close: () => {
        if (!closed) this.open--;
        closed = true;
      },
    };
    return { ok: true, value: socket };
  };

  resolve: Net['resolve'] = (name, _type, done) => {
    let live = true;
    const address = this.names.get(name);
    this.#answers.push(() => {
      if (!live) return;
      done(
        address === undefined
          ? { ok: false, error: { kind: 'not-found', detail: 'no such name' } }
          : { ok: true, value: [address as never] },
        0,
      );
    });
    return () => {
      live = false;
    };
  };

  /** Delivers what was looked up. */
  answer(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }
}
