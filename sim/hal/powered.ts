/** Ports of the platform, cut off with the board's power: OpenSSL may still finish a turn's work when the board is off. */
import { SECOND } from '../../hal/base/time.js';
import type { ByteStream, Crypto, Micros, TlsEngine, TlsStream, Verdict } from '../../hal/hal.js';
import type { Host } from '../world/host.js';

export function poweredTls(engine: TlsEngine, host: Host): TlsEngine {
  const off: Verdict = { ok: false, rule: 'no-certificate', subject: '', clock: 0, detail: 'the board is off', mend: '' };
  return {
    versions: engine.versions,
    client: (under, options) => powered(engine.client(under, { ...options, verify: guard(options.verify) }), host),
    server: (under, options) => {
      const { verify, ...rest } = options;
      return powered(engine.server(under, verify ? { ...rest, verify: guard(verify) } : rest), host);
    },
  };
  function guard<P>(verify: (peer: P, at: Micros) => Verdict): (peer: P, at: Micros) => Verdict {
    return (peer, at) => (host.on ? verify(peer, at) : off);
  }
}

function powered(stream: TlsStream, host: Host): TlsStream {
  const guarded: ByteStream = {
    onEvent: (listener) => stream.onEvent((event) => host.on && listener(event)),
    write: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    abort: () => stream.abort(),
  };
  return Object.defineProperty(guarded, 'secured', { get: () => stream.secured, enumerable: true }) as TlsStream;
}

/** How long a board takes to make a key, in its own time. `ours`: an RSA-2048 key on a small processor takes seconds. */
const KEY_GENERATION: Micros = 2 * SECOND;

export function poweredCrypto(crypto: Crypto, host: Host): Crypto {
  return {
    digest: (algorithm, ...data) => crypto.digest(algorithm, ...data),
    hmac: (algorithm, key, ...data) => crypto.hmac(algorithm, key, ...data),
    verify: (algorithm, spki, data, signature) => crypto.verify(algorithm, spki, data, signature),
    sign: (algorithm, key, data) => crypto.sign(algorithm, key, data),
    importKey: (pkcs8) => crypto.importKey(pkcs8),
    generateKey: (type, done) =>
      crypto.generateKey(type, (result) => {
        host.after(KEY_GENERATION, () => done(result, host.now()));
      }),
  };
}
