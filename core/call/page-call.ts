/** One call: what was agreed, its media, its dialog, and the machine that says when it ends. */
import { createActor } from 'xstate';
import type { Entropy, HalError, IpAddress } from '../../hal/hal.js';
import { actorClock } from '../kernel/actor-clock.js';
import type { Kernel } from '../kernel/kernel.js';
import { traceStates } from '../kernel/trace-states.js';
import type { AudioBus } from '../media/audio-bus.js';
import { G711_PAYLOAD_TYPE, type G711Codec } from '../media/g711.codec.js';
import type { MediaPorts } from '../media/media-ports.js';
import { type MediaSession, openMediaSession } from '../media/media-session.js';
import type { LocalMedia, NegotiatedMedia } from '../sdp/negotiated.js';
import { type Answered, answerOffer, type MadeOffer, makeOffer, readAnswer } from '../sdp/offer-answer.js';
import type { SdpWarning, SrtpSettings } from '../sdp/srtp.policy.js';
import type { Body } from '../sip/compose.js';
import type { IncomingInvite } from '../sip/incoming-invite.js';
import type { Reoffer, Session } from '../sip/session.js';
import { type CallLimits, callMachine } from './call.machine.js';

export interface PageCallOptions {
  kernel: Kernel;
  entropy: Entropy;
  bus: Pick<AudioBus, 'attach'>;
  /** Its name in events. */
  id: string;
  invite: IncomingInvite;
  ports: MediaPorts;
  address: IpAddress;
  srtp: SrtpSettings;
  limits: CallLimits;
  /** What we say; silence where absent. */
  talk?: (out: Int16Array) => void;
  onClosed(call: PageCall): void;
}

export type AnswerOutcome = { ok: true } | { ok: false; status: number; reason: string; warning?: SdpWarning };

/** In our order of preference (RFC 3551 6). */
const CODECS = Object.keys(G711_PAYLOAD_TYPE) as readonly G711Codec[];
const SDP = 'application/sdp';

export class PageCall {
  readonly #options: PageCallOptions;
  readonly #actor;
  readonly #local: LocalMedia;
  /** An offer of ours that waits for its answer. */
  #offered: MadeOffer | undefined;
  #agreed: NegotiatedMedia | undefined;
  #media: MediaSession | undefined;
  #session: Session | undefined;
  readonly #startedAt: number;

  constructor(options: PageCallOptions) {
    const { kernel, entropy, ports, address, srtp, invite } = options;
    this.#options = options;
    this.#startedAt = kernel.now();
    this.#local = {
      address,
      port: ports.rtp.local.port,
      codecs: CODECS,
      srtp,
      secureSignalling: invite.transport === 'tls',
      session: { id: sessionId(entropy), version: 1 },
      entropy,
    };
    this.#actor = createActor(callMachine, {
      clock: actorClock(kernel),
      inspect: traceStates(options.id, kernel.emit),
      input: {
        limits: options.limits,
        deps: {
          emitEstablished: () => this.#emitEstablished(),
          bye: (reason) => this.#session?.bye(reason),
          close: (by, reason) => this.#close(by, reason),
        },
      },
    });
    this.#actor.subscribe({ error: (error) => kernel.emit('machine.failed', { machine: options.id, detail: String(error) }) });
  }

  /** Answers the INVITE; on failure nothing is open any more, and the caller is still to be told. */
  answer(): AnswerOutcome {
    const { invite, ports } = this.#options;
    const body = invite.offer ? this.#agree(invite.offer) : this.#offer();
    if (!body.ok) {
      ports.close();
      return body;
    }
    this.#session = invite.accept(body.value, {
      onConfirmed: (answer) => this.#confirmed(answer),
      onReoffer: (reoffer) => this.#reoffer(reoffer),
      onEnded: (by, reason) => this.#actor.send(by === 'peer' ? { type: 'call.hung-up', reason } : { type: 'call.failed', reason }),
    });
    if (!this.#session) {
      this.#media?.close();
      ports.close();
      return { ok: false, status: 487, reason: 'the caller gave up' };
    }
    this.#actor.start();
    return { ok: true };
  }

  end(reason: string): void {
    this.#actor.send({ type: 'call.end', reason });
  }

  /** Takes up the caller's offer: media are open before the answer leaves, so that the first word is heard. */
  #agree(offer: Body): { ok: true; value: Body } | Extract<AnswerOutcome, { ok: false }> {
    const answered = answerOffer(offer.bytes, this.#local);
    if (!answered.ok) return refusal(answered);
    const opened = this.#open(answered.media);
    return opened ? unopened(opened) : { ok: true, value: { type: SDP, bytes: answered.answer } };
  }

  /** The caller wants an offer from us (RFC 3261 13.2.1): its answer comes with the ACK. */
  #offer(): { ok: true; value: Body } | Extract<AnswerOutcome, { ok: false }> {
    const made = makeOffer(this.#local);
    if (!made.ok) return { ok: false, status: 488, reason: made.error.text, warning: made.error };
    this.#offered = made.value;
    return { ok: true, value: { type: SDP, bytes: made.value.offer } };
  }

  #confirmed(answer: Body | undefined): void {
    const offered = this.#offered;
    this.#offered = undefined;
    if (offered) {
      const read = answer ? readAnswer(offered, answer.bytes) : undefined;
      const wrong = read === undefined ? 'no answer to our offer' : read.ok ? this.#open(read.value)?.detail : read.error.text;
      if (wrong) return this.#actor.send({ type: 'call.end', reason: wrong });
    }
    this.#actor.send({ type: 'call.confirmed' });
  }

  #reoffer(reoffer: Reoffer): void {
    // Each description that we send has the next version (RFC 3264 8); one that is not sent has none.
    this.#local.session.version++;
    if (this.#agreed) this.#local.previous = this.#agreed;
    const body = reoffer.offer ? this.#agree(reoffer.offer) : this.#offer();
    if (body.ok) return reoffer.accept(body.value);
    this.#local.session.version--;
    reoffer.reject(body.status, undefined, warningHeader(this.#options.address, body.warning));
  }

  /** Opens the media, or changes what is open; the reason where that fails. */
  #open(media: NegotiatedMedia): HalError | undefined {
    this.#agreed = media;
    const { kernel, entropy, bus, id, ports, address, invite, talk } = this.#options;
    if (media.srtp?.insecureKeys) kernel.emit('media.keys-exposed', { call: id, transport: invite.transport });
    if (this.#media) {
      const updated = this.#media.update(media);
      return updated.ok ? undefined : updated.error;
    }
    const onSilence = (silent: boolean): void => this.#actor.send({ type: silent ? 'media.silent' : 'media.resumed' });
    const options = { kernel, entropy, bus, call: id, ports, localAddress: address, media, onSilence };
    const opened = openMediaSession(talk ? { ...options, talk } : options);
    if (!opened.ok) return opened.error;
    this.#media = opened.value;
    return undefined;
  }

  #emitEstablished(): void {
    const { kernel, id, invite } = this.#options;
    const media = this.#agreed;
    if (media) kernel.emit('call.established', { call: id, peer: invite.from, codec: media.codec, srtp: media.srtp?.suite ?? 'none' });
  }

  #close(by: 'us' | 'peer', reason: string): void {
    const { kernel, id, ports, onClosed } = this.#options;
    this.#media?.close();
    ports.close();
    kernel.emit('call.ended', { call: id, by, reason, seconds: Math.round((kernel.now() - this.#startedAt) / 1_000_000) });
    onClosed(this);
  }
}

const refusal = ({ status, warning }: Extract<Answered, { ok: false }>): Extract<AnswerOutcome, { ok: false }> => ({
  ok: false,
  status,
  reason: warning.text,
  warning,
});

/** A board without a loudspeaker has no such media, which is no fault of a server (RFC 3261 21.4.26, and 20.43 for code 304). */
const unopened = ({ kind, detail: text }: HalError): Extract<AnswerOutcome, { ok: false }> =>
  kind === 'unsupported'
    ? { ok: false, status: 488, reason: text, warning: { code: 304, text } }
    : { ok: false, status: 500, reason: text };

/** RFC 3261 20.43. */
export const warningHeader = (host: IpAddress, warning: SdpWarning | undefined): readonly (readonly [string, string])[] =>
  warning ? [['warning', `${warning.code} ${host} "${warning.text.replace(/["\\]/g, '')}"`]] : [];

/** A number that stays unique without a clock (RFC 8866 5.2), and that every peer can hold. */
function sessionId(entropy: Entropy): number {
  const bytes = new Uint8Array(4);
  entropy.fill(bytes);
  return new DataView(bytes.buffer).getUint32(0) + 1;
}
