/** Whether the client showed what the server asked for, and why the server may not have liked it. */
import { type Certificate, isSelfIssued } from '../../core/certs/certificate.codec.js';
import { type Name, sameName } from '../../core/certs/name.codec.js';
import { iso8601 } from '../../hal/base/time.js';
import { momentOf, readChain, type TlsCase } from './case.js';
import { type Finding, faultOf, noteOf } from './finding.js';
import { clientCertificate, fatalAlert, refusalOfClient, wasServed } from './tls-facts.js';

export function clientFindings(tls: TlsCase): Finding[] {
  const { state } = clientCertificate(tls.view);
  if (state === 'none') return [missing(tls)];
  if (state === 'sent') return sent(tls);
  return [];
}

/** The server asked, and got an empty list. */
function missing({ conversation, view, knowledge }: TlsCase): Finding {
  const refusal = refusalOfClient(conversation, view);
  const served = refusal === undefined && wasServed(view);
  const authorities = view.request?.authorities ?? [];
  const of = authorities.length > 0 ? ` of ${listed(authorities)}` : '';
  const how = clientCertificate(view).inferred ? ' (told by the length of the record)' : '';
  const then = refusal ? `, and is refused: ${refusal}` : served ? ', and the server goes on without' : UNSEEN;
  const lack =
    knowledge.features && !knowledge.features.deviceCertificate
      ? `; firmware ${knowledge.features.firmware} of the ${knowledge.features.board} has none`
      : '';
  return (served ? noteOf : faultOf)(
    'client-certificate-missing',
    `this device sent no certificate although the server asked for one${of}${how}${then}${lack}`,
    'it may have been made before 2019, without one (System > About, "Manufacturer Certificate"), or have none of a CA that the server asks for: upload a certificate with its private key as certs/sipclient.pem; or let the server ask for none',
  );
}

const UNSEEN = '; whether the server minds cannot be seen';

function sent(tls: TlsCase): Finding[] {
  const { conversation, view } = tls;
  const refusal = refusalOfClient(conversation, view);
  const shown = view.sides.client.certificates;
  if (!shown) return refusal === undefined ? [] : [hiddenRefusal(refusal)];
  const chain = readChain(shown);
  const [leaf] = chain;
  if (!leaf) return [];
  const ended = momentOf(shown) > leaf.notAfter;
  if (ended && !wasServed(view))
    return [
      faultOf(
        'client-certificate-refused',
        `the certificate of the device, "${leaf.subject.text}", ended at ${iso8601(leaf.notAfter)}${told(refusal)}`,
        'give the device another certificate with its key (certs/sipclient.pem)',
      ),
    ];
  const above = authoritiesAbove(leaf, [...chain, ...tls.surroundings.authorities]);
  const narrow = trustsIssuingOnly(view.request?.authorities ?? [], above);
  if (narrow && (refusal !== undefined || !wasServed(view))) return [issuingOnly(narrow, refusal)];
  return refusal === undefined ? [] : [refused(tls, { leaf, alone: chain.length === 1, above }, refusal)];
}

const told = (refusal: string | undefined): string => (refusal === undefined ? '' : `; the server refuses it (${refusal})`);

const hiddenRefusal = (refusal: string): Finding =>
  faultOf(
    'client-certificate-refused',
    `the server refuses the client after its certificate (${refusal}), which TLS 1.3 hides without secrets`,
    'install root, intermediate and issuing CA of the device certificate at the server; to see more, limit the server to TLS 1.2 for a capture, or give the secrets (--secrets)',
  );

interface Narrow {
  /** What the server names of the chain. */
  named: readonly Name[];
  /** What it does not name, from the root down. */
  lacking: readonly Name[];
}

/** The server names authorities of this device's chain, and not the one that they all come from. */
function trustsIssuingOnly(authorities: readonly Name[], above: readonly Name[]): Narrow | undefined {
  const knows = (name: Name): boolean => authorities.some((authority) => sameName(authority, name));
  const named = above.filter(knows);
  const root = above.at(-1);
  if (named.length === 0 || !root || knows(root)) return undefined;
  return { named, lacking: above.filter((name) => !knows(name)).reverse() };
}

/** Names from the issuer of the device certificate up, as far as the capture has certificates: the last is the root, where all are there. */
function authoritiesAbove(leaf: Certificate, known: readonly Certificate[]): Name[] {
  const names: Name[] = [];
  for (let below: Certificate | undefined = leaf; below && !isSelfIssued(below) && names.length < HIGHEST; ) {
    const { issuer }: Certificate = below;
    names.push(issuer);
    below = known.find(({ subject }) => sameName(subject, issuer));
  }
  return names;
}
/** Ours: devices have three authorities above them. */
const HIGHEST = 8;

const issuingOnly = ({ named, lacking }: Narrow, refusal: string | undefined): Finding =>
  faultOf(
    'server-trusts-issuing-only',
    `your server trusts only the issuing CA ${listed(named)}, whose own issuers it does not know${refusal === undefined ? '' : `, and refuses the device (${refusal})`}`,
    `install root and intermediate too: ${listed(lacking)} (cas.pem, or the three files of the vendor, have all)`,
  );

interface Shown {
  leaf: Certificate;
  /** It came without the certificates of its authorities. */
  alone: boolean;
  /** Its authorities, root last. */
  above: readonly Name[];
}

function refused({ view }: TlsCase, { leaf, alone, above }: Shown, refusal: string): Finding {
  const detail = `the server refuses the certificate of the device, "${leaf.subject.text}" (${refusal})`;
  const tell = (more: string, mend: string): Finding => faultOf('client-certificate-refused', detail + more, mend);
  const alert = fatalAlert(view, 'server')?.name;
  if (alert === 'certificate_revoked')
    return tell('', 'the authority has revoked it: give the device another certificate with its key (certs/sipclient.pem)');
  if (alert === 'certificate_expired')
    return tell(
      `, which is valid until ${iso8601(leaf.notAfter).slice(0, 10)}`,
      'set the clock of the server, and renew the CA certificates of the device that it has',
    );
  const authorities = view.request?.authorities ?? [];
  const chain = listed([...above].reverse());
  const isNamed = above.some((name) => authorities.some((authority) => sameName(authority, name)));
  if (authorities.length > 0 && !isNamed)
    return tell(
      `; it trusts ${listed(authorities)}, and the certificate is of ${listed(above)}`,
      `install the chain of the device at the server: ${chain}; or give the device a certificate of a CA that the server trusts`,
    );
  if (isNamed && alone)
    return tell(
      ', which came without its issuing CA',
      `install the whole chain of the device at the server (${chain}), or let the device send it: after its certificate, in certs/sipclient.pem`,
    );
  if (isNamed)
    return tell(
      ', though it names its root',
      'let the server take chains that are as long (nginx: ssl_verify_depth 4), and look at its log: the certificate may be revoked, or not on its list of devices',
    );
  return tell('', `install root, intermediate and issuing CA of the device at the server: ${chain}`);
}

const LISTED_MAX = 4;
function listed(names: readonly Name[]): string {
  const shown = names.slice(0, LISTED_MAX).map(({ text }) => `"${text}"`);
  return `${shown.join(', ')}${names.length > LISTED_MAX ? ` and ${names.length - LISTED_MAX} more` : ''}`;
}
