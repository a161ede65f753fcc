/**
 * The date of the provisioning server: every HTTPS answer carries one, and the port is open where NTP is blocked.
 *
 * It is taken from a server whose certificates are good but for what is not known yet, the time (`time-trust.policy.ts`), and the same
 * certificates are then judged wholly at the date that they came with. The connection serves for nothing else: settings are fetched over
 * another one, which is judged at the time that this one gave.
 */
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { Cancel, Der, HalError, IpAddress, Net, TlsStream, UnixMillis, Verdict } from '../../hal/hal.js';
import { HttpClient } from '../http/client.js';
import { readHttpDate } from '../http/date.codec.js';
import { field } from '../http/message.codec.js';
import type { HttpResponse } from '../http/response.engine.js';
import { authority, isIpAddress, type Url } from '../http/url.js';
import type { Kernel } from '../kernel/kernel.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import type { TimeAnswer, TimeSilence } from './time-answer.js';

export interface HttpsDateOptions {
  kernel: Kernel;
  net: Pick<Net, 'resolve'>;
  secure: Pick<SecureStreams, 'connect'>;
  userAgent: string;
  /** Whether a server with this chain, asked for by this name, is to be trusted at that time. */
  judge(chain: readonly Der[], name: string, at: UnixMillis): Verdict;
}

type Failure = Pick<TimeSilence, 'kind' | 'detail' | 'mend'>;

/** `done` is called once, in a later turn; never after the cancel. */
export function askHttpsDate(options: HttpsDateOptions, url: Url, done: (answer: TimeAnswer) => void): Cancel {
  const failed = ({ kind, detail, mend }: Failure): void =>
    done({ type: 'time.silence', source: 'https', kind, detail: `${url.host}: ${detail}`, mend, patient: false });
  if (isIpAddress(url.host)) return askAt(options, url, url.host, done, failed);
  let cancel: Cancel = options.net.resolve(url.host, 'A', (addresses) => {
    const address = addresses.ok ? addresses.value[0] : undefined;
    if (address !== undefined) cancel = askAt(options, url, address, done, failed);
    else {
      const kind = addresses.ok ? 'not-found' : addresses.error.kind;
      failed({ kind, detail: 'its name cannot be looked up', mend: 'check that the name server the network gave knows it' });
    }
  });
  return () => cancel();
}

function askAt(
  options: HttpsDateOptions,
  url: Url,
  address: IpAddress,
  done: (answer: TimeAnswer) => void,
  failed: (failure: Failure) => void,
): Cancel {
  const { kernel, secure, userAgent, judge } = options;
  let stream: TlsStream | undefined;
  const connect = (): TlsStream => {
    stream = secure.connect({ service: 'provisioning', use: 'date', to: { address, port: url.port }, name: url.host });
    return stream;
  };
  const client = new HttpClient(kernel, { connect, authority: authority(url) }, userAgent);
  // What is in the folder does not matter, whatever the status is: the answer must only be made now.
  client.get(url.path, [['Cache-Control', 'no-cache']], (response) => {
    const chain = stream?.secured?.peer ?? [];
    client.close();
    if (!response.ok) return failed(transportFailure(response.error));
    const at = dateOf(response.value);
    if (at === undefined) {
      return failed({ kind: 'unsupported', detail: 'its answer has no date', mend: 'let the server send Date (RFC 9110 part 6.6.1)' });
    }
    const verdict = judge(chain, url.host, at);
    if (verdict.ok) done({ type: 'time.answer', source: 'https', server: url.host, at });
    else failed({ kind: 'tls-refused', detail: `at its own date ${verdict.detail}`, mend: verdict.mend });
  });
  return () => client.close();
}

/** The middle of the second that it names. */
function dateOf({ fields }: HttpResponse): UnixMillis | undefined {
  const at = readHttpDate(field(fields, 'Date') ?? '');
  return at === undefined ? undefined : at + SECOND / MILLISECOND / 2;
}

const transportFailure = ({ kind, detail }: HalError): Failure => ({
  kind,
  detail,
  mend:
    kind === 'tls-refused' || kind === 'tls-alert'
      ? 'the event tls.refused names certificate, rule and mend'
      : 'check that the provisioning server runs, and that the network lets the device reach it',
});
