/** What offer and answer settle about a call's audio, and what our side brings to it. */
import type { Entropy, IpAddress, SocketAddress } from '../../hal/hal.js';
import type { G711Codec } from '../media/g711.codec.js';
import type { SrtpKey, SrtpSuite } from '../media/srtp-suites.js';
import type { SrtpSettings } from './srtp.policy.js';

export interface LocalMedia {
  /** Where we receive: the address to signal, and the RTP port. */
  address: IpAddress;
  port: number;
  /** Codecs in our order of preference. */
  codecs: readonly G711Codec[];
  srtp: SrtpSettings;
  /** Whether the session descriptions of this call travel by TLS. */
  secureSignalling: boolean;
  /** For `o=` (RFC 8866 5.2): `id` stays for the call, `version` grows with each description sent. Both decimal. */
  session: { id: number; version: number };
  /** Of what we send: `recvonly` where there is nothing to say. Defaults to `sendrecv`. */
  direction?: Direction;
  /** What was agreed before, in a later offer of the same call: our key stays, and with it the rollover counter (RFC 4568 7.1.4). */
  previous?: NegotiatedMedia;
  /** Makes our keys. */
  entropy: Entropy;
}

/** From our side: `recvonly` means that we only receive (RFC 3264 5.1). */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface NegotiatedMedia {
  codec: G711Codec;
  /** Of the codec, in both directions. */
  payloadType: number;
  /** Where the peer receives RTP; the address is unspecified while it holds the call in the way of RFC 2543. */
  remote: SocketAddress;
  direction: Direction;
  /** Present exactly where the audio is encrypted. */
  srtp?: NegotiatedSrtp;
}

export interface NegotiatedSrtp {
  suite: SrtpSuite;
  /** What we protect with. */
  local: SrtpKey;
  /** What the peer protects with. */
  remote: SrtpKey;
  /** The keys crossed an unencrypted signalling path: to be warned of. */
  insecureKeys: boolean;
}
