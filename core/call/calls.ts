/** The calls of the endpoint: who is let in, and what each gets. */
import type { Entropy, IpAddress } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { AudioBus } from '../media/audio-bus.js';
import type { MediaPortPool } from '../media/media-ports.js';
import type { SrtpSettings } from '../sdp/srtp.policy.js';
import type { IncomingInvite } from '../sip/incoming-invite.js';
import type { CallLimits } from './call.machine.js';
import { PageCall, warningHeader } from './page-call.js';
import { admit } from './paging.policy.js';

export interface CallsOptions {
  kernel: Kernel;
  entropy: Entropy;
  bus: Pick<AudioBus, 'attach'>;
  ports: MediaPortPool;
  localAddress(): IpAddress;
  srtp: SrtpSettings;
  limits: CallLimits;
  /** The last call has ended. */
  onIdle(): void;
  /** Opens what we say during one call; the loudspeaker's own silence where absent. */
  openTalk?: () => { talk: (out: Int16Array) => void; close(): void } | undefined;
}

export class Calls {
  readonly #options: CallsOptions;
  readonly #calls = new Set<PageCall>();
  #count = 0;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  get active(): number {
    return this.#calls.size;
  }

  /** Pages are answered at once: nobody is there to lift a receiver. */
  onInvite(invite: IncomingInvite): void {
    const { kernel, ports, localAddress } = this.#options;
    const id = `call-${++this.#count}`;
    kernel.emit('call.incoming', { call: id, account: invite.account ?? invite.to, from: invite.from });
    const admission = admit(this.active);
    if (!admission.answer) return this.#reject(id, invite, admission.status, admission.reason);
    const pair = ports.open();
    if (!pair.ok) return this.#reject(id, invite, 500, pair.error.detail);
    const talk = this.#options.openTalk?.();
    const call = new PageCall({
      ...this.#options,
      id,
      invite,
      ports: pair.value,
      address: localAddress(),
      ...(talk ? { talk: talk.talk } : {}),
      onClosed: (closed) => {
        talk?.close();
        if (this.#calls.delete(closed) && this.active === 0) this.#options.onIdle();
      },
    });
    const outcome = call.answer();
    if (outcome.ok) this.#calls.add(call);
    else {
      talk?.close();
      this.#reject(id, invite, outcome.status, outcome.reason, warningHeader(localAddress(), outcome.warning));
    }
  }

  /** Hangs up every call. */
  endAll(reason: string): void {
    for (const call of [...this.#calls]) call.end(reason);
  }

  #reject(
    call: string,
    invite: IncomingInvite,
    status: number,
    reason: string,
    headers: readonly (readonly [string, string])[] = [],
  ): void {
    invite.reject(status, undefined, headers);
    this.#options.kernel.emit('call.rejected', { call, peer: invite.from, status, reason });
  }
}
