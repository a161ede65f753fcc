/** What a simulation borrows from this machine: TLS, crypto, test keys, an HTTP server, and the probe that tells when they are quiet. */
import { invariant } from '../base/result.js';
import type { Der, PrivateKey } from '../hal.js';
import type { Platform } from '../platform.js';
import { createNodeCrypto, exported, makeKey } from './crypto.js';
import { createHttpServer } from './http-server.js';
import { createQuietProbe } from './quiet.js';
import { createNodeTls } from './tls.js';
import { SecureContexts } from './tls-contexts.js';

/** Keys that a process makes at most: 0.2 s each. */
const TEST_KEYS = 64;
/** Once a process, because a key takes longer to make than a whole handshake fleet of ten takes to connect. */
const testKeys = new Map<number, { key: PrivateKey; pkcs8: Der }>();

function testKey(index: number): { key: PrivateKey; pkcs8: Der } {
  invariant(Number.isInteger(index) && index >= 0 && index < TEST_KEYS, `test key ${index} of ${TEST_KEYS}`);
  const made = testKeys.get(index) ?? exported(makeKey('rsa-2048'));
  testKeys.set(index, made);
  return made;
}

/** `crypto.generateKey` completes stamped 0: a simulated board stamps it with its own time. */
export function nodePlatform(): Platform {
  const contexts = new SecureContexts();
  return {
    crypto: createNodeCrypto({ clock: { now: () => 0 }, keysOn: 'turn' }),
    tls: (clock) => createNodeTls(clock, contexts),
    testKey,
    httpServer: createHttpServer,
    quiet: createQuietProbe(),
  };
}
