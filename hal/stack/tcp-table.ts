/** Connections by their ends. Our own address is not part of the key: the stack has one, and connections of an older one are ended. */
import type { TcpEnds } from './tcp-connection.engine.js';

/** 48 bits, exact in a double. */
const peerKey = ({ remote, remotePort }: TcpEnds): number => remote * 0x10000 + remotePort;

export class TcpTable<T> {
  readonly #byLocalPort = new Map<number, Map<number, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(ends: TcpEnds): T | undefined {
    return this.#byLocalPort.get(ends.localPort)?.get(peerKey(ends));
  }

  /** `ends` are free. */
  set(ends: TcpEnds, value: T): void {
    const peers = this.#byLocalPort.get(ends.localPort) ?? new Map<number, T>();
    this.#byLocalPort.set(ends.localPort, peers);
    peers.set(peerKey(ends), value);
    this.#size++;
  }

  /** Does nothing where another value has taken the place. */
  delete(ends: TcpEnds, value: T): void {
    const peers = this.#byLocalPort.get(ends.localPort);
    if (peers?.get(peerKey(ends)) !== value) return;
    peers!.delete(peerKey(ends));
    this.#size--;
    if (peers!.size === 0) this.#byLocalPort.delete(ends.localPort);
  }

  hasLocalPort(port: number): boolean {
    return this.#byLocalPort.has(port);
  }

  values(): T[] {
    return [...this.#byLocalPort.values()].flatMap((peers) => [...peers.values()]);
  }
}
