/** What the cases want of another host, over any `Net`. */
import { concat } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import type { ByteStream, Net, SocketAddress } from '../../hal/hal.js';

/** Sends everything back; the TCP server ends when its client does. */
export function startEcho(net: Net): { udp: number; tcp: number } {
  const socket = expectOk(net.udp({ port: 0 }), 'a UDP port for the echo');
  socket.onDatagram((bytes, from) => socket.send(from, bytes.slice()));
  const listener = expectOk(net.listen({ port: 0, backlog: 8 }, echo), 'a TCP port for the echo');
  return { udp: socket.local.port, tcp: listener.local.port };
}

function echo(stream: ByteStream): void {
  let rest: Uint8Array = new Uint8Array(0);
  let ended = false;
  const flush = (): void => {
    rest = rest.subarray(stream.write(rest));
    if (rest.length > 0) stream.pause();
    else {
      stream.resume();
      if (ended) stream.end();
    }
  };
  stream.onEvent((event) => {
    if (event.type === 'data') rest = concat(rest, event.bytes);
    if (event.type === 'end') ended = true;
    if (event.type !== 'closed') flush();
  });
}

export const at = (address: string, port: number): SocketAddress => ({ address, port });
