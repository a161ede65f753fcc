/** What the two hellos come to: which version, which suite, for which name, or nothing. */
import type { Features } from '../../core/device/features.js';
import { VERSION, versionName } from '../../hal/layers/tls-wire.codec.js';
import type { TlsCase } from './case.js';
import { type Finding, faultOf, noteOf } from './finding.js';
import { brokeOff, fatalAlert, isFinished } from './tls-facts.js';
import type { TlsView } from './tls-view.js';

export function helloFindings(tls: TlsCase): Finding[] {
  const { conversation, view, knowledge } = tls;
  if (view.hellos.length === 0) return view.chosen ? [] : withoutHello(tls);
  if (view.chosen) return [...chosenVersion(tls), ...versionOfFirmware(view, knowledge.features)];
  const alert = fatalAlert(view, 'server');
  if (alert) return refusedHello(view, alert.name ?? '');
  if (view.retry) return [];
  if (conversation.stream('server').octets > 0) return [];
  const [ending] = conversation.endings;
  const how = !ending
    ? 'does not answer the ClientHello'
    : `${ending.by === 'server' ? 'closes the connection' : 'says nothing'} after the ClientHello`;
  return [
    faultOf(
      'server-silent',
      `the server ${how}`,
      'look at the log of the server, whether it speaks TLS on this port, and at firewalls that look into connections',
    ),
  ];
}

function withoutHello({ conversation }: TlsCase): Finding[] {
  // A server that answers clear text with an alert is told of elsewhere.
  if (conversation.whole) return [];
  return [
    noteOf(
      'not-in-capture',
      'the handshake is not in the capture',
      'start the capture before the device connects: restart the device while it runs',
    ),
  ];
}

/** Highest offered; where versions are listed one by one, and where the hello names the highest. */
const highest = (view: TlsView): number => Math.max(0, ...view.hellos[0]!.versions);

const OLD_CLIENT_MEND =
  'upgrade the device to firmware 4.0 or later, which speaks TLS 1.2; let the server speak TLS 1.1 only where no upgrade can be had';
const OLD_SERVER_MEND =
  'let the server speak TLS 1.2 (nginx: "ssl_protocols TLSv1.2 TLSv1.3;"); a device speaks TLS 1.1 only before firmware 4.0, while "Force secure TLS Version" is off';

function newerClient(view: TlsView): string {
  const { versions, versionsListed } = view.hellos[0]!;
  if (!versionsListed) return `the server does not speak TLS ${versionName(highest(view))}, which the client offers`;
  return `the client wants TLS ${versionName(Math.min(...versions))} or newer, and the server speaks nothing so new`;
}

/** The server answered with an alert instead of a hello. */
function refusedHello(view: TlsView, alert: string): Finding[] {
  const version = versionName(highest(view));
  const isOld = highest(view) < VERSION['1.2'];
  if (alert === 'protocol_version' || (isOld && (alert === 'handshake_failure' || alert === 'insufficient_security')))
    return isOld
      ? [
          faultOf(
            'version',
            `the client offers nothing newer than TLS ${version}, and the server wants a newer one (alert ${alert})`,
            OLD_CLIENT_MEND,
          ),
        ]
      : [faultOf('version', `${newerClient(view)} (alert ${alert})`, OLD_SERVER_MEND)];
  if (alert === 'handshake_failure' || alert === 'insufficient_security')
    return [
      faultOf(
        'suites',
        `the server finds nothing to its liking in the ${view.hellos[0]!.suites.length} cipher suites that the client offers (alert ${alert})`,
        'let the server allow suites such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, and give it a certificate with a key that they fit (RSA, or EC on P-256)',
      ),
    ];
  if (alert === 'unrecognized_name')
    return [
      faultOf(
        'server-name',
        `the server does not know the name ${view.hellos[0]!.serverName ?? ''} that the client asks for`,
        'give the device a name that the server has, or add the name to the server',
      ),
    ];
  return [];
}

/** The server chose: does the client like it? */
function chosenVersion({ conversation, view }: TlsCase): Finding[] {
  const { version } = view.chosen!;
  if (version > VERSION['1.1']) return [];
  const name = versionName(version);
  const alert = fatalAlert(view, 'client');
  const left = brokeOff(conversation, view)?.by === 'client' && !isFinished(view, 'client');
  const refused = alert?.name === 'protocol_version' || alert?.name === 'insufficient_security' || (alert === undefined && left);
  if (refused) {
    const how = alert ? `alert ${alert.name}` : 'it left';
    return [
      faultOf('version', `the server speaks nothing newer than TLS ${name}, and the client wants a newer one (${how})`, OLD_SERVER_MEND),
    ];
  }
  return [noteOf('version', `TLS ${name} is in use, which firmware 4.0 and later no longer speaks`, 'let both ends speak TLS 1.2')];
}

/** Whether a device with this firmware would have gone on. */
function versionOfFirmware(view: TlsView, features: Features | undefined): Finding[] {
  if (!features) return [];
  const { board, firmware, tlsVersions } = features;
  if (!tlsVersions) return [faultOf('version', `the ${board} with firmware ${firmware} has no TLS`, `see belfry boards ${board}`)];
  const { min, max } = tlsVersions;
  const { version } = view.chosen!;
  if (version >= VERSION[min] && version <= VERSION[max]) return [];
  const range = `speaks TLS ${min === max ? `${min} alone` : `${min} to ${max}`}, and the server chose ${versionName(version)}`;
  return [
    faultOf(
      'version',
      `the ${board} with firmware ${firmware} ${range}`,
      version < VERSION[min] ? OLD_SERVER_MEND : 'upgrade the firmware',
    ),
  ];
}
