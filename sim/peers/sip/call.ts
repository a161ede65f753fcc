/** One call that a caller makes: INVITE, a tone for a stated time, BYE. */
import type { LocalMedia, NegotiatedMedia } from '../../../core/sdp/negotiated.js';
import { type MadeOffer, makeOffer, readAnswer } from '../../../core/sdp/offer-answer.js';
import type { RequestDraft } from '../../../core/sip/compose.js';
import { Dialog, dialogKeyOf } from '../../../core/sip/dialog.engine.js';
import type { SipResponse } from '../../../core/sip/message.codec.js';
import type { InboundRequest, OutboundRequest, TransactionTable } from '../../../core/sip/transactions.js';
import { plainText } from '../../../core/text/octet-text.js';
import { expectOk } from '../../../hal/base/result.js';
import type { Timer } from '../../../hal/base/timers.js';
import type { HalErrorKind, Micros, UdpSocket } from '../../../hal/hal.js';
import type { PeerHost } from '../peer-host.js';
import type { PeerFlow } from './flow.js';
import { ToneStream } from './tone-stream.js';

export interface CallOptions {
  host: PeerHost;
  transactions: TransactionTable;
  flow: PeerFlow;
  /** The INVITE without its offer. */
  invite: RequestDraft;
  /** `sip:101@sip.example.test`, for events. */
  to: string;
  socket: UdpSocket;
  local: LocalMedia;
  tone: number;
  /** How long it speaks before it hangs up. */
  for: Micros;
  /** The call is over; nothing follows. */
  onEnded(): void;
}

/** Logs `caller.established {to, codec, srtp}`, then `caller.ended {to, by, sent, received}`; or `caller.rejected {to, status, reason}`, or `caller.failed {to, kind}`. */
export class OutgoingCall {
  readonly #options: CallOptions;
  readonly #hangUp: Timer;
  readonly #offer: MadeOffer;
  readonly #request: OutboundRequest;
  #dialog: Dialog | undefined;
  #ack: Uint8Array | undefined;
  #stream: ToneStream | undefined;
  #over = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#hangUp = options.host.timers.create('hang up', () => this.#bye());
    this.#offer = expectOk(makeOffer(options.local), 'an offer that takes keys over any path');
    const body = { type: 'application/sdp', bytes: this.#offer.offer };
    this.#request = options.transactions.request({ ...options.invite, body }, options.flow, {
      onResponse: (response) => this.#onResponse(response),
      onFailure: (kind) => this.#fail(kind),
    });
  }

  /** A request within the call; false where it belongs to another. */
  receive(inbound: InboundRequest): boolean {
    if (!this.#dialog || dialogKeyOf(inbound.request) !== this.#dialog.key) return false;
    if (inbound.request.method === 'BYE') {
      inbound.respond({ status: 200 });
      this.#end('device');
    } else inbound.respond({ status: inbound.request.method === 'INVITE' ? 488 : 405 });
    return true;
  }

  /** Ends without a word: the host goes. */
  drop(): void {
    this.#over = true;
    this.#hangUp.clear();
    this.#stream?.stop();
    this.#request.abandon();
    this.#options.socket.close();
  }

  #onResponse(response: SipResponse): void {
    const { host, to } = this.#options;
    if (response.status < 200) return;
    if (response.status < 300) this.#onAccepted(response);
    else if (!this.#over) {
      host.log('caller.rejected', { to, status: response.status, reason: plainText(response.reason) });
      this.#close();
    }
  }

  #onAccepted(response: SipResponse): void {
    const { transactions, flow, host, to } = this.#options;
    // A 2xx that comes again is acknowledged again (RFC 3261 13.2.2.4).
    if (this.#ack) {
      flow.send(this.#ack);
      return;
    }
    const dialog = Dialog.ofCaller(this.#request.request, response);
    if (!dialog) {
      this.#fail('other');
      return;
    }
    this.#dialog = dialog;
    this.#ack = transactions.sendAck(dialog.ack(this.#request.request.cseq.number), flow);
    const media = readAnswer(this.#offer, response.body);
    if (media.ok) this.#speak(media.value);
    else {
      host.log('caller.rejected', { to, status: response.status, reason: media.error.text });
      this.#bye();
    }
  }

  #speak(media: NegotiatedMedia): void {
    const { host, to, socket, tone } = this.#options;
    host.log('caller.established', { to, codec: media.codec, srtp: media.srtp?.suite ?? 'none' });
    this.#stream = new ToneStream(host, { socket, media, tone });
    this.#hangUp.set(host.clock.now() + this.#options.for);
  }

  #bye(): void {
    const { transactions, flow } = this.#options;
    const done = (): void => undefined;
    transactions.request(this.#dialog!.draft('BYE'), flow, { onResponse: done, onFailure: done });
    this.#end('caller');
  }

  #end(by: 'caller' | 'device'): void {
    const { host, to } = this.#options;
    if (this.#stream && !this.#over) host.log('caller.ended', { to, by, sent: this.#stream.sent, received: this.#stream.received });
    this.#close();
  }

  #fail(kind: HalErrorKind): void {
    if (this.#over) return;
    this.#options.host.log('caller.failed', { to: this.#options.to, kind });
    this.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#hangUp.clear();
    this.#stream?.stop();
    this.#options.socket.close();
    this.#options.onEnded();
  }
}
