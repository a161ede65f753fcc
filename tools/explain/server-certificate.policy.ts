/** Whether the server's certificates would be taken by a device that validates, and what its client made of them. */
import { type Certificate, isSelfIssued } from '../../core/certs/certificate.codec.js';
import { type Fault, fault } from '../../core/certs/fault.js';
import { sameName } from '../../core/certs/name.codec.js';
import { iso8601 } from '../../hal/base/time.js';
import { judgeServer, type ServerJudgement, type TlsCase } from './case.js';
import { type Finding, type FindingRule, faultOf, noteOf } from './finding.js';
import { fatalAlert, isHidden, refusalOfServer } from './tls-facts.js';

export function serverFindings(tls: TlsCase): Finding[] {
  const refusal = refusalOfServer(tls.conversation, tls.view);
  const judgement = judgeServer(tls);
  if (!judgement) return refusal === undefined ? [] : [unseen(tls, refusal)];
  const faults = certificateFindings(tls, judgement, refusal);
  if (faults.some(({ severity }) => severity === 'fault')) return faults;
  return refusal === undefined ? faults : [unexplained(tls, judgement, refusal), ...faults];
}

/** The client left, and what it saw is encrypted. */
function unseen({ view }: TlsCase, refusal: string): Finding {
  const why = isHidden(view) ? 'TLS 1.3 hides the certificates without secrets' : 'they are not in the capture';
  return faultOf(
    'client-refuses-server',
    `the client refuses the server after its certificates (${refusal}); ${why}`,
    `install the CA of the server on the device (certs/trusted), and see that its clock and the configured name are right; ${SEE_MORE}`,
  );
}

export const SEE_MORE = 'to see more, capture again with the server limited to TLS 1.2, or give the secrets (--secrets)';

function certificateFindings(tls: TlsCase, judgement: ServerJudgement, refusal: string | undefined): Finding[] {
  const { path, name, leaf } = judgement;
  const { told } = tls.knowledge.trusted;
  const tail = aftermath(tls, refusal);
  const findings: Finding[] = [];
  if (!path.ok) {
    const { rule } = path.fault;
    // Where nobody said whom the device trusts, a CA that is unknown here proves nothing by itself.
    const certain = rule !== 'unknown-issuer' || told || refusal !== undefined;
    const wrong = rule === 'unknown-issuer' ? unknownIssuer(judgement, path.fault) : path.fault;
    const dated = rule === 'unknown-issuer' ? datedFault(judgement) : undefined;
    if (dated) findings.push(faultOf(ruleOf(dated), `${about(dated)}${tail}`, dated.mend));
    const tell = certain && !dated ? faultOf : noteOf;
    findings.push(
      tell(
        ruleOf(wrong),
        `${about(wrong)}${certain ? tail : ''}`,
        told ? wrong.mend : `${wrong.mend}; --trust FILE tells whom the device trusts`,
      ),
    );
  }
  if (leaf && name.fault !== undefined) {
    // A client that names no host may have been told an address, and may have been told anything.
    const certain = name.from !== 'address' || (refusal !== undefined && findings.length === 0);
    const asked = { hello: 'which the client asked for', told: 'as told', address: 'the address; the client named no host' }[name.from];
    const wrong = fault('name', leaf, name.fault);
    findings.push((certain ? faultOf : noteOf)('name', `${about(wrong)} (${asked})${certain ? tail : ''}`, wrong.mend));
  }
  return findings;
}

/** What the client did about it. */
function aftermath({ view }: TlsCase, refusal: string | undefined): string {
  if (refusal !== undefined) return `; the client refuses it (${refusal})`;
  return view.sides.client.records > 0 ? '; the client went on all the same: it does not validate, or trusts others' : '';
}

const about = ({ subject, detail }: Fault): string => (subject === '' ? detail : `certificate "${subject}": ${detail}`);

/** `no-certificate` cannot be, since there is one; a rule that is none of a certificate's is told as a chain that cannot be used. */
const ruleOf = ({ rule }: Fault): FindingRule =>
  rule === 'no-certificate' || rule === 'refused-by-peer' || rule === 'time-not-trusted' || rule === 'version' ? 'malformed' : rule;

/** Dates tell even where the authority is unknown. */
function datedFault({ leaf, at }: ServerJudgement): Fault | undefined {
  if (!leaf) return undefined;
  if (at > leaf.notAfter) return fault('expired', leaf, `it ended at ${iso8601(leaf.notAfter)}`);
  return at < leaf.notBefore ? fault('not-yet-valid', leaf, `it begins at ${iso8601(leaf.notBefore)}`) : undefined;
}

/** In the words of who has to mend it: a certificate by itself, one that came alone, a chain that leads to a stranger. */
function unknownIssuer({ leaf, sent }: ServerJudgement, original: Fault): Fault {
  if (!leaf) return original;
  const last = lastOf(leaf, sent);
  const issuer = last.issuer.text;
  if (isSelfIssued(leaf))
    return {
      ...original,
      mend: 'upload this certificate to certs/trusted if the server is yours, or give the server one from a CA that the device trusts',
    };
  if (last === leaf)
    return {
      ...original,
      detail: `the server sent only its own certificate, and its issuer "${issuer}" is not among the trusted`,
      mend: `let the server send the intermediate certificate "${issuer}" after its own, in one file (nginx: ssl_certificate), or upload it to certs/trusted; ${STRANGER}`,
    };
  const top = isSelfIssued(last) ? last.subject.text : issuer;
  return {
    ...original,
    detail: `its chain ends at "${top}", which is not among the trusted`,
    mend: `upload the CA certificate "${top}" to certs/trusted; ${STRANGER}`,
  };
}

const STRANGER = 'if you do not know that CA, another machine answers in place of your server';

/** Up the chain as far as it was sent. */
function lastOf(leaf: Certificate, sent: readonly Certificate[]): Certificate {
  let last = leaf;
  for (let steps = 0; steps < sent.length && !isSelfIssued(last); steps++) {
    const issuer = sent.find(({ subject }) => sameName(subject, last.issuer));
    if (!issuer) break;
    last = issuer;
  }
  return last;
}

/** The client refuses what the rules take. */
function unexplained({ view, knowledge }: TlsCase, { leaf, path }: ServerJudgement, refusal: string): Finding {
  const alert = fatalAlert(view, 'client')?.name;
  const by = knowledge.trusted.told ? 'by the CAs given' : 'by the public CAs';
  const detail = `the client refuses the server (${refusal}), though ${by} its certificate "${leaf?.subject.text ?? '?'}" is good`;
  const anchor = path.ok ? path.anchor.certificate.subject.text : 'the CA of the server';
  if (alert === 'unknown_ca')
    return faultOf('client-refuses-server', detail, `upload the CA certificate "${anchor}" to certs/trusted on the device`);
  if (alert === 'certificate_expired')
    return faultOf('client-refuses-server', detail, 'set the clock of the device: see that it reaches its NTP server');
  return faultOf(
    'client-refuses-server',
    detail,
    `see that the device has the CA certificate "${anchor}" in certs/trusted, that its clock is right (NTP), and that it is configured with a name of the certificate`,
  );
}
