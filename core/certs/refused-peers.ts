/**
 * Peers whose certificates were refused, and why, so that an administrator who knows one for good can trust it: by putting its certificate,
 * or that of its authority, into `certs/trusted`.
 */
import { equal, hex } from '../../hal/base/bytes.js';
import type { Crypto, Der, TrustRule, UnixMillis } from '../../hal/hal.js';
import type { TlsService } from '../kernel/events.js';

export interface Refusal {
  service: TlsService;
  /** Host or address, and port. */
  peer: string;
  rule: TrustRule;
  /** The certificate that breaks the rule, which need not be the peer's own. */
  subject: string;
  detail: string;
  mend: string;
  /** By the device's clock. */
  at: UnixMillis;
}

export interface RefusedPeer extends Refusal {
  /** SHA-256 of the peer's own certificate, hex: what openssl calls its fingerprint. */
  readonly id: string;
  /** How often since the device was switched on. */
  readonly times: number;
}

/** Ours: a device talks to a handful of servers. */
const MAX_PEERS = 16;
/** Who calls at our ports may be anybody with any number of certificates: a stranger never pushes a server of ours off the list. */
const FROM_STRANGERS: ReadonlySet<TlsService> = new Set(['sip-server', 'web']);
/** Ours: a chain is kept as far as it fits. Real ones have 3 to 6 KiB. */
const MAX_CHAIN_OCTETS = 16 * 1024;

export class RefusedPeers {
  readonly #crypto: Pick<Crypto, 'digest'>;
  /** Oldest first. */
  readonly #peers = new Map<string, { peer: RefusedPeer; chain: readonly Der[] }>();

  constructor(crypto: Pick<Crypto, 'digest'>) {
    this.#crypto = crypto;
  }

  /** A peer without a certificate leaves nothing to trust, and is not kept. */
  record(chain: readonly Der[], refusal: Refusal): void {
    const [leaf] = chain;
    if (!leaf) return;
    const id = hex(this.#crypto.digest('sha256', leaf));
    const times = (this.#peers.get(id)?.peer.times ?? 0) + 1;
    this.#peers.delete(id);
    this.#peers.set(id, { peer: { ...refusal, id, times }, chain: copied(chain) });
    if (this.#peers.size > MAX_PEERS) this.#drop();
  }

  /** The oldest stranger goes, or else the oldest of all. */
  #drop(): void {
    const all = [...this.#peers.values()];
    const { peer } = all.find(({ peer: { service } }) => FROM_STRANGERS.has(service)) ?? all[0]!;
    this.#peers.delete(peer.id);
  }

  /** The latest first. */
  list(): readonly RefusedPeer[] {
    return [...this.#peers.values()].map(({ peer }) => peer).reverse();
  }

  /** What the peer sent, its own certificate first. */
  chainOf(id: string): readonly Der[] | undefined {
    return this.#peers.get(id)?.chain;
  }

  /** Whether a refused peer showed this very certificate. */
  has(certificate: Der): boolean {
    return [...this.#peers.values()].some(({ chain }) => chain.some((shown) => equal(shown, certificate)));
  }
}

/** The engine's octets are its own again after the verdict. */
function copied(chain: readonly Der[]): Der[] {
  let left = MAX_CHAIN_OCTETS;
  const kept: Der[] = [];
  for (const der of chain) {
    left -= der.length;
    if (left < 0) break;
    kept.push(der.slice());
  }
  return kept;
}
