/** The least phone that can be paged: registers, answers, counts what it hears. Built on core/sip, for tests of the peers alone. */

import { DigestClient } from '../../core/auth/digest.js';
import { SrtpReceiver } from '../../core/media/srtp.engine.js';
import { answerOffer } from '../../core/sdp/offer-answer.js';
import type { SrtpMode } from '../../core/sdp/srtp.policy.js';
import { readAddress } from '../../core/sip/address.codec.js';
import { Dialog } from '../../core/sip/dialog.engine.js';
import type { SipRequest, SipResponse } from '../../core/sip/message.codec.js';
import { type InboundRequest, TRANSACTION_LIMITS, TransactionTable } from '../../core/sip/transactions.js';
import { readUri } from '../../core/sip/uri.codec.js';
import { expectOk } from '../../hal/base/result.js';
import type { SocketAddress, TlsIdentity, UdpSocket } from '../../hal/hal.js';
import type { PeerHost } from '../../sim/peers/peer-host.js';
import { datagramFlow, type PeerFlow, receiveDatagrams, StreamFlow } from '../../sim/peers/sip/flow.js';

export interface SipPhoneOptions {
  host: PeerHost;
  domain: string;
  proxy: SocketAddress;
  transport: 'udp' | 'tls';
  user: string;
  password: string;
  identity?: TlsIdentity;
  srtp: SrtpMode;
}

export class SipPhone {
  /** Final statuses of its REGISTERs, `closed` for a connection that ended, then what became of calls. */
  readonly seen: string[] = [];
  readonly registrations: SipResponse[] = [];
  invite: SipRequest | undefined;
  heard = 0;
  unauthentic = 0;
  flow: PeerFlow | undefined;
  /** Hears of every request before it is answered. */
  onRequest: (request: SipRequest) => void = () => {};
  readonly transactions: TransactionTable;
  readonly #options: SipPhoneOptions;
  readonly #digest: DigestClient;
  readonly #rtp: UdpSocket;
  #dialog: Dialog | undefined;
  #cseq = 0;
  readonly #callId: string;

  constructor(options: SipPhoneOptions) {
    const { host, user, password } = options;
    this.#options = options;
    this.transactions = new TransactionTable({
      kernel: { now: () => host.clock.now(), timer: (name, fire) => host.timers.create(name, fire) },
      entropy: host.entropy,
      limits: TRANSACTION_LIMITS,
      onRequest: (inbound) => this.#onRequest(inbound),
      onAck: () => this.seen.push('ACK'),
    });
    this.#digest = new DigestClient({ crypto: host.crypto, entropy: host.entropy, credentials: { user, password }, refuseMd5: false });
    this.#rtp = expectOk(host.net.udp({ port: 0 }), 'RTP port');
    this.#callId = this.transactions.token();
  }

  start(): void {
    const { host, transport, proxy, domain, identity } = this.#options;
    if (transport === 'udp') {
      const socket = expectOk(host.net.udp({ port: 0 }), 'SIP port');
      const local = { address: host.address, port: socket.local.port };
      receiveDatagrams(socket, local, (message, flow) => {
        if (message.type === 'response') this.transactions.onResponse(message);
        else this.transactions.onRequest(message, flow);
      });
      this.flow = datagramFlow(socket, local, proxy);
      this.register(3600);
      return;
    }
    const secured = host.tls.client(host.net.connect(proxy), {
      serverName: domain,
      versions: { min: '1.2', max: '1.3' },
      verify: () => ({ ok: true, verified: false }),
      ...(identity ? { identity } : {}),
    });
    this.flow = new StreamFlow(secured, {
      onOpen: () => {
        this.register(3600);
        return '';
      },
      onMessage: (message, flow) => {
        if (message.type === 'response') this.transactions.onResponse(message);
        else this.transactions.onRequest(message, flow);
      },
      onClosed: () => this.seen.push('closed'),
    });
  }

  register(expires: number, sent = false): void {
    const { user, domain, transport } = this.#options;
    const { contact } = this.flow!;
    const authorization = this.#digest.authorize('REGISTER', `sip:${domain}`);
    const me = readAddress(`<sip:${user}@${domain}>;tag=phone`)!;
    this.transactions.request(
      {
        method: 'REGISTER',
        uri: readUri(`sip:${domain}`)!,
        from: me,
        to: { ...me, params: [] },
        callId: this.#callId,
        cseq: ++this.#cseq,
        headers: [
          ['contact', `<sip:${user}@${contact.address}:${contact.port};transport=${transport}>`],
          ['expires', String(expires)],
          ...(authorization ? [authorization] : []),
        ],
      },
      this.flow!,
      {
        onResponse: (response) => {
          if (response.status < 200) return;
          this.seen.push(String(response.status));
          this.registrations.push(response);
          const again = response.status === 401 && this.#digest.challenged(401, response.headers.all('www-authenticate'), sent);
          if (again) this.register(expires, true);
        },
        onFailure: (kind) => this.seen.push(kind),
      },
    );
  }

  hangUp(): void {
    this.transactions.request(this.#dialog!.draft('BYE'), this.flow!, {
      onResponse: (response) => this.seen.push(`BYE ${response.status}`),
      onFailure: (kind) => this.seen.push(`BYE ${kind}`),
    });
  }

  #onRequest(inbound: InboundRequest): void {
    const { host, user, transport, srtp } = this.#options;
    this.seen.push(inbound.request.method);
    this.onRequest(inbound.request);
    if (inbound.request.method !== 'INVITE') {
      inbound.respond({ status: 200 });
      return;
    }
    this.invite = inbound.request;
    const answer = answerOffer(inbound.request.body, {
      address: host.address,
      port: this.#rtp.local.port,
      codecs: ['PCMU', 'PCMA'],
      srtp: { mode: srtp, suites: ['AES_CM_128_HMAC_SHA1_80'], insecure: 'warn' },
      secureSignalling: transport === 'tls',
      session: { id: 1, version: 1 },
      entropy: host.entropy,
    });
    if (!answer.ok) {
      inbound.respond({ status: answer.status, toTag: 'phone' });
      return;
    }
    this.#listen(answer.media.srtp && new SrtpReceiver(answer.media.srtp.remote));
    this.#dialog = Dialog.ofCallee(inbound.request, 'callee');
    const recorded = inbound.request.headers.all('record-route').map((value) => ['record-route', value] as const);
    const { contact } = this.flow!;
    inbound.respond({
      status: 200,
      toTag: 'callee',
      headers: [...recorded, ['contact', `<sip:${user}@${contact.address}:${contact.port};transport=${transport}>`]],
      body: { type: 'application/sdp', bytes: answer.answer },
    });
  }

  #listen(receiver: SrtpReceiver | undefined): void {
    this.#rtp.onDatagram((bytes) => {
      if (!receiver || receiver.unprotect(bytes, bytes.length) > 0) this.heard++;
      else this.unauthentic++;
    });
  }
}
