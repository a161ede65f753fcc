/** Lets a bystander read what crosses TLS in clear: an engine around an engine, for ladders and logs of a test bench. */
import type { ByteStream, Micros, SocketAddress, StreamEvent, TlsEngine, TlsStream } from '../hal.js';

/** One stretch of clear text. The bytes are valid during the call only. */
export interface ClearText {
  direction: 'in' | 'out';
  local: SocketAddress;
  peer: SocketAddress;
  bytes: Uint8Array;
  at: Micros;
}

export function tapTls(engine: TlsEngine, now: () => Micros, onClear: (text: ClearText) => void): TlsEngine {
  return {
    versions: engine.versions,
    client: (under, options) => tapStream(engine.client(under, options), now, onClear),
    server: (under, options) => tapStream(engine.server(under, options), now, onClear),
  };
}

function tapStream(stream: TlsStream, now: () => Micros, onClear: (text: ClearText) => void): TlsStream {
  let ends: Extract<StreamEvent, { type: 'open' }> | undefined;
  const clear = (direction: ClearText['direction'], bytes: Uint8Array, at: Micros): void => {
    if (ends && bytes.length > 0) onClear({ direction, local: ends.local, peer: ends.peer, bytes, at });
  };
  const tapped: ByteStream = {
    onEvent: (listener) =>
      stream.onEvent((event) => {
        if (event.type === 'open') ends = event;
        else if (event.type === 'data') clear('in', event.bytes, event.at);
        listener(event);
      }),
    write: (bytes) => {
      const accepted = stream.write(bytes);
      clear('out', bytes.subarray(0, accepted), now());
      return accepted;
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    abort: () => stream.abort(),
  };
  return Object.defineProperty(tapped, 'secured', { get: () => stream.secured, enumerable: true }) as TlsStream;
}
