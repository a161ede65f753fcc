/** What serves callers while the device is configured: signalling, calls and their sound, made anew from the settings each time. */
import type { Hal, IpAddress } from '../../hal/hal.js';
import { Calls } from '../call/calls.js';
import type { Kernel } from '../kernel/kernel.js';
import type { AudioBus } from '../media/audio-bus.js';
import { withGain } from '../media/gain.js';
import { MediaPortPool } from '../media/media-ports.js';
import { openMicrophone } from '../media/microphone.js';
import type { Settings } from '../settings/settings.js';
import type { CheckSync } from '../sip/check-sync.policy.js';
import { createSipStack, type SipStack } from '../sip/user-agent.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import { callLimits, type EndpointPorts, RTP_PAIRS, sipConfig, srtpSettings } from './configuration.js';

export interface ServicesOptions {
  kernel: Kernel;
  hal: Hal;
  secure: SecureStreams;
  bus: AudioBus;
  settings: Settings;
  ports: EndpointPorts;
  localAddress(): IpAddress;
  onCheckSync(request: CheckSync): void;
  /** An account registered, or refreshed its registration. */
  onRegistered(): void;
  /** The last call has ended. */
  onIdle(): void;
}

export interface Services {
  /** Those that they were started with. */
  readonly settings: Settings;
  readonly sip: Pick<SipStack, 'registrations' | 'addressChanged'>;
  readonly calls: Pick<Calls, 'active'>;
  /** Ends calls and unregisters, within 2.5 s (`SipStack.stop`). */
  stop(done: () => void): void;
}

/** Reports `sip.failed` where a port cannot be opened; the device then goes on without callers until its settings change. */
export function startServices(options: ServicesOptions): Services {
  const { kernel, hal, secure, bus, settings, ports, localAddress } = options;
  const { net, entropy, crypto, audio } = hal;
  const calls = new Calls({
    kernel,
    entropy,
    bus: withGain(bus, settings.get('audio.page.vol')),
    ports: new MediaPortPool(net, { first: ports.rtp, pairs: RTP_PAIRS, dscp: settings.get('net.dscp.rtp') }),
    localAddress,
    srtp: srtpSettings(settings),
    limits: callLimits(settings),
    onIdle: options.onIdle,
    openTalk: () => {
      const microphone = openMicrophone(audio);
      return microphone.ok ? microphone.value : undefined;
    },
  });
  const sip = createSipStack({
    kernel,
    net,
    secure: settings.owner.features.tls ? secure : undefined,
    entropy,
    crypto,
    config: sipConfig(settings, ports),
    localAddress,
    onInvite: (invite) => calls.onInvite(invite),
    onCheckSync: options.onCheckSync,
    onRegistered: options.onRegistered,
  });
  const started = sip.start();
  if (!started.ok) kernel.emit('sip.failed', started.error);
  return {
    settings,
    sip,
    calls,
    stop: (done) => {
      calls.endAll('shutdown');
      sip.stop(done);
    },
  };
}
