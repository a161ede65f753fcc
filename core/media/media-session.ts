/** The audio of one call: a pair of ports on one side, the audio bus on the other, and what offer and answer settled between them. */
import { equal } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Cancel, Entropy, HalError, IpAddress, Micros, Result, SocketAddress } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { NegotiatedMedia } from '../sdp/negotiated.js';
import type { AudioBus } from './audio-bus.js';
import type { MediaPorts } from './media-ports.js';
import { RejectionReport } from './rejection-report.js';
import { Upsampler } from './resample.engine.js';
import { RtpReceiver } from './rtp-receiver.engine.js';
import { RTP_CLOCK, TICK } from './rtp-reception.engine.js';
import { PACKET_SAMPLES, RtpSender } from './rtp-sender.engine.js';
import { SrtpReceiver, SrtpSender } from './srtp.engine.js';
import type { SrtpKey, SrtpSuite } from './srtp-suites.js';

export interface MediaSessionOptions {
  kernel: Pick<Kernel, 'now' | 'timer' | 'emit'>;
  entropy: Entropy;
  bus: Pick<AudioBus, 'attach'>;
  /** The call's id in events. */
  call: string;
  /** The session closes them. */
  ports: MediaPorts;
  /** As signalled, for events. */
  localAddress: IpAddress;
  media: NegotiatedMedia;
  /** Fills 160 samples of 8 kHz with what is to be sent; silence where absent. */
  talk?: (out: Int16Array) => void;
  /** Called when the peer falls silent, and when it is heard again, so that no loudspeaker stays open. */
  onSilence?: (silent: boolean) => void;
}

export interface MediaSession {
  /** Follows a new agreement in the same call. Keys that stay keep their rollover counters. Fails as the loudspeaker does. */
  update(media: NegotiatedMedia): Result<void, HalError>;
  statistics(): MediaStatistics;
  /** Ends it and reports `media.ended`; a second call gives the same figures and does nothing. */
  close(): MediaStatistics;
}

export interface MediaStatistics {
  /** Packets that came, each counted once. */
  packets: number;
  lost: number;
  /** Packets that came too late to be heard. */
  late: number;
  /** Datagrams that were not taken: forged, replayed, malformed, from elsewhere. */
  rejected: number;
  /** Interarrival jitter (RFC 3550 6.4.1). */
  jitter: Micros;
  sent: number;
}

/** Packets are sent at this interval. */
const PACKET_TIME: Micros = PACKET_SAMPLES * TICK;
/** A peer that sends nothing for so long is silent: longer than any gap of a network that still works. */
const SILENCE: Micros = 5 * SECOND;

/** Opens the audio of a call. Where the loudspeaker cannot be opened, the ports are closed and the failure is returned. */
export function openMediaSession(options: MediaSessionOptions): Result<MediaSession, HalError> {
  const session = new Session(options);
  const started = session.start();
  return started.ok ? ok(session) : started;
}

class Session implements MediaSession {
  readonly #options: MediaSessionOptions;
  readonly #receiver: RtpReceiver;
  readonly #sender: RtpSender;
  readonly #rejections: RejectionReport;
  readonly #sendTimer: Timer;
  readonly #silenceTimer: Timer;
  readonly #upsampler = new Upsampler(PACKET_SAMPLES);
  readonly #heard = new Int16Array(PACKET_SAMPLES);
  readonly #said = new Int16Array(PACKET_SAMPLES);
  readonly #startedAt: Micros;
  #media: NegotiatedMedia;
  #protection: SrtpSender | undefined;
  /** Where we send: what was signalled, until the first packet shows where the peer really is (symmetric RTP, RFC 4961). */
  #peer: SocketAddress;
  #latched = false;
  #detach: Cancel | undefined;
  #lastHeard: Micros;
  #silent = false;
  #silentSince: Micros = 0;
  #begun = false;
  #secured = false;
  #sent = 0;
  #closed = false;

  constructor(options: MediaSessionOptions) {
    const { kernel, media, call } = options;
    this.#options = options;
    this.#media = media;
    this.#peer = media.remote;
    this.#startedAt = kernel.now();
    this.#lastHeard = this.#startedAt;
    this.#receiver = new RtpReceiver(media.codec, media.payloadType, media.srtp && new SrtpReceiver(media.srtp.remote));
    this.#protection = media.srtp && new SrtpSender(media.srtp.local);
    this.#sender = new RtpSender(options.entropy);
    this.#rejections = new RejectionReport(kernel, call);
    this.#sendTimer = kernel.timer('media.send', (due) => this.#send(due));
    this.#silenceTimer = kernel.timer('media.silence', (due) => this.#watch(due));
  }

  start(): Result<void, HalError> {
    const { kernel, ports, call, localAddress } = this.#options;
    const directed = this.#direct();
    if (!directed.ok) {
      this.#release();
      return directed;
    }
    ports.rtp.onDatagram((bytes, from, at) => this.#receive(bytes, from, at));
    const { codec, remote } = this.#media;
    kernel.emit('media.started', {
      call,
      codec: `${codec}/${RTP_CLOCK}`,
      local: `${localAddress}:${ports.rtp.local.port}`,
      remote: `${remote.address}:${remote.port}`,
    });
    return ok(undefined);
  }

  update(media: NegotiatedMedia): Result<void, HalError> {
    const before = this.#media;
    this.#media = media;
    this.#receiver.codec = media.codec;
    this.#receiver.payloadType = media.payloadType;
    if (!sameKey(before.srtp?.remote, media.srtp?.remote)) this.#receiver.srtp = media.srtp && new SrtpReceiver(media.srtp.remote);
    if (!sameKey(before.srtp?.local, media.srtp?.local)) this.#protection = media.srtp && new SrtpSender(media.srtp.local);
    if (before.remote.address !== media.remote.address || before.remote.port !== media.remote.port) {
      this.#peer = media.remote;
      this.#latched = false;
    }
    return this.#direct();
  }

  statistics(): MediaStatistics {
    const { packets, lost, jitter } = this.#receiver.reception;
    const { late, rejected } = this.#receiver;
    return { packets, lost, late, rejected, jitter, sent: this.#sent };
  }

  close(): MediaStatistics {
    const statistics = this.statistics();
    if (this.#closed) return statistics;
    this.#release();
    const { packets, lost, rejected, jitter } = statistics;
    this.#options.kernel.emit('media.ended', { call: this.#options.call, packets, lost, rejected, jitter });
    return statistics;
  }

  #release(): void {
    this.#closed = true;
    this.#sendTimer.clear();
    this.#silenceTimer.clear();
    this.#rejections.close();
    this.#detach?.();
    this.#options.ports.close();
  }

  /** Starts and stops both ways as the direction says. */
  #direct(): Result<void, HalError> {
    const { direction } = this.#media;
    this.#directSending(direction === 'sendrecv' || direction === 'sendonly');
    return this.#directHearing(direction === 'sendrecv' || direction === 'recvonly');
  }

  #directSending(sends: boolean): void {
    if (!sends) this.#sendTimer.clear();
    if (!sends || this.#sendTimer.due !== undefined) return;
    // On the grid of the session's beginning, so that timestamps and packets keep in step over a pause.
    const frames = Math.ceil((this.#options.kernel.now() + 1 - this.#startedAt) / PACKET_TIME);
    this.#sender.resume();
    this.#sendTimer.set(this.#startedAt + frames * PACKET_TIME);
  }

  #directHearing(hears: boolean): Result<void, HalError> {
    if (hears === (this.#detach !== undefined)) return ok(undefined);
    this.#receiver.playing = hears;
    if (!hears) {
      this.#detach?.();
      this.#detach = undefined;
      this.#silenceTimer.clear();
      this.#setSilent(false);
      return ok(undefined);
    }
    const attached = this.#options.bus.attach((out, at) => this.#pull(out, at));
    if (!attached.ok) return attached;
    this.#detach = attached.value;
    this.#receiver.restart();
    this.#lastHeard = this.#options.kernel.now();
    this.#silenceTimer.set(this.#lastHeard + SILENCE);
    return ok(undefined);
  }

  #receive(bytes: Uint8Array, from: SocketAddress, at: Micros): void {
    // In clear, the signalled address is all there is to tell the peer from a stranger at our port. With SRTP the packet proves itself.
    const known = this.#media.srtp !== undefined || from.address === this.#media.remote.address;
    if (!(known ? this.#receiver.receive(bytes, at) : this.#receiver.reject('source'))) {
      this.#rejections.count(this.#receiver.rejection);
      return;
    }
    this.#lastHeard = at;
    if (!this.#latched) {
      this.#latched = true;
      this.#peer = { address: from.address, port: from.port };
    }
    if (!this.#begun) this.#begin(at);
    if (this.#media.srtp && !this.#secured) this.#secure(this.#media.srtp.suite);
    if (this.#silent) {
      this.#options.kernel.emit('media.resumed', { call: this.#options.call, after: at - this.#silentSince });
      this.#setSilent(false);
      this.#silenceTimer.set(at + SILENCE);
    }
  }

  #begin(at: Micros): void {
    this.#begun = true;
    this.#options.kernel.emit('media.first-packet', { call: this.#options.call, after: at - this.#startedAt });
  }

  /** Encryption is reported when it is proved: by the first packet that authenticates. */
  #secure(suite: SrtpSuite): void {
    this.#secured = true;
    this.#options.kernel.emit('media.secured', { call: this.#options.call, suite });
  }

  /** Looks whether the peer has been silent; set anew from the last packet, so that a packet costs no timer. */
  #watch(due: Micros): void {
    if (this.#lastHeard + SILENCE > due) {
      this.#silenceTimer.set(this.#lastHeard + SILENCE);
      return;
    }
    this.#silentSince = this.#lastHeard;
    this.#options.kernel.emit('media.silent', { call: this.#options.call, for: due - this.#lastHeard });
    this.#setSilent(true);
  }

  #setSilent(silent: boolean): void {
    if (silent === this.#silent) return;
    this.#silent = silent;
    this.#options.onSilence?.(silent);
  }

  #send(due: Micros): void {
    this.#sendTimer.set(due + PACKET_TIME);
    const { talk, ports } = this.#options;
    if (talk) talk(this.#said);
    const { codec, payloadType } = this.#media;
    const packet = this.#sender.packet(codec, payloadType, this.#said, (due - this.#startedAt) / TICK, this.#protection);
    if (packet && ports.rtp.send(this.#peer, packet) === 'sent') this.#sent++;
  }

  #pull(out: Int16Array, at: Micros): void {
    this.#receiver.pull(this.#heard, at);
    this.#upsampler.process(this.#heard, out);
  }
}

function sameKey(a: SrtpKey | undefined, b: SrtpKey | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.suite === b.suite && equal(a.material, b.material));
}
