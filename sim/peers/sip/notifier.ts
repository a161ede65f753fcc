/** Tells registered devices to look for a new configuration: NOTIFY outside of any subscription, as phone systems do (RFC 3265 3.2 knows none). */
import { readAddress } from '../../../core/sip/address.codec.js';
import type { SipResponse } from '../../../core/sip/message.codec.js';
import { TRANSACTION_LIMITS, TransactionTable } from '../../../core/sip/transactions.js';
import { escapeUser } from '../../../core/sip/uri.codec.js';
import { invariant } from '../../../hal/base/result.js';
import type { HalErrorKind } from '../../../hal/hal.js';
import type { PeerHost } from '../peer-host.js';
import type { PeerFlow } from './flow.js';
import type { Location } from './location.js';

export interface NotifierOptions {
  domain: string;
  location: Location;
  /** NOTIFYs under way at once. */
  most: number;
}

/** Logs `server.notified`: what the device answered, or why it did not. */
export class Notifier {
  readonly #host: PeerHost;
  readonly #options: NotifierOptions;
  readonly #transactions: TransactionTable;

  constructor(host: PeerHost, options: NotifierOptions) {
    this.#host = host;
    this.#options = options;
    this.#transactions = new TransactionTable({
      kernel: { now: () => host.clock.now(), timer: (name, fire) => host.timers.create(name, fire) },
      entropy: host.entropy,
      limits: { ...TRANSACTION_LIMITS, client: options.most },
      onRequest: () => undefined,
      onAck: () => undefined,
    });
  }

  /** Every device that registered that user. `reboot` goes into the Event header; absent, nothing is said about it. */
  checkSync(user: string, reboot: boolean | undefined): void {
    const { domain, location } = this.#options;
    const [from, to] = [
      readAddress(`<sip:${domain}>;tag=${this.#transactions.token()}`),
      readAddress(`<sip:${escapeUser(user)}@${domain}>`),
    ];
    invariant(from !== undefined && to !== undefined, 'a user and a domain fit a SIP URI');
    const event = `check-sync${reboot === undefined ? '' : `;reboot=${reboot}`}`;
    for (const { contact, flow } of location.of(user, this.#host.clock.now())) {
      const callId = `${this.#transactions.token()}@${this.#host.address}`;
      const headers = [
        ['event', event],
        ['subscription-state', 'terminated'],
      ] as const;
      this.#transactions.request({ method: 'NOTIFY', uri: contact, from, to, callId, cseq: 1, headers }, flow, {
        onResponse: ({ status }) => status >= 200 && this.#host.log('server.notified', { account: user, status }),
        onFailure: (kind) => this.#host.log('server.notified', { account: user, kind }),
      });
    }
  }

  /** Those to other requests are passed over. */
  onResponse(response: SipResponse): void {
    this.#transactions.onResponse(response);
  }

  onFlowClosed(flow: PeerFlow, kind: HalErrorKind): void {
    this.#transactions.onFlowClosed(flow, kind);
  }

  close(): void {
    this.#transactions.close();
  }
}
