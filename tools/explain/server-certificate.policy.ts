/** Whether the server's certificates would be taken by a device that validates, and what its client made of them. */
import { isSelfIssued } from '../../core/certs/certificate.codec.js';
import { type Fault, fault } from '../../core/certs/fault.js';
import { iso8601 } from '../../hal/base/time.js';
import { judgeServer, lastSent, type ServerJudgement, type TlsCase } from './case.js';
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
    'install the CA of the server on the device (certs/trusted), and see that its clock and the configured name are right',
  );
}

function certificateFindings(tls: TlsCase, judgement: ServerJudgement, refusal: string | undefined): Finding[] {
  const path = pathFindings(tls, judgement, refusal);
  return [...path, ...nameFindings(tls, judgement, path.length === 0 ? refusal : undefined)];
}

function pathFindings(tls: TlsCase, judgement: ServerJudgement, refusal: string | undefined): Finding[] {
  const { path } = judgement;
  if (path.ok) return [];
  const tail = aftermath(tls, refusal);
  const tell = (wrong: Fault): Finding => faultOf(ruleOf(wrong), `${about(wrong)}${tail}`, wrong.mend);
  if (path.fault.rule !== 'unknown-issuer') return [tell(path.fault)];
  const wrong = unknownIssuer(judgement, path.fault);
  const dated = datedFault(judgement);
  if (dated) return [tell(dated), noteOf('unknown-issuer', about(wrong), wrong.mend)];
  const { told } = tls.knowledge.trusted;
  const blamesClock = fatalAlert(tls.view, 'client')?.name === 'certificate_expired';
  // Where nobody said whom the device trusts, a CA that is unknown here proves nothing by itself.
  if (told || (refusal !== undefined && !blamesClock)) return [tell(wrong)];
  return [noteOf('unknown-issuer', `${about(wrong)} (the public CAs)`, 'give --trust FILE or --flash IMAGE, to judge as the device does')];
}

function nameFindings(tls: TlsCase, { name, leaf }: ServerJudgement, refusal: string | undefined): Finding[] {
  if (!leaf || name.fault === undefined) return [];
  // A client that names no host may have been told an address, and may have been told anything.
  const certain = name.from !== 'address' || refusal !== undefined;
  const asked = { hello: 'which the client asked for', told: 'as told', address: 'the address; the client named no host' }[name.from];
  const wrong = fault('name', leaf, name.fault);
  const detail = `${about(wrong)} (${asked})`;
  if (certain) return [faultOf('name', `${detail}${aftermath(tls, refusal)}`, wrong.mend)];
  return [noteOf('name', detail, `${wrong.mend}; --name HOST tells what the device was given`)];
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

/** In the words of who has to mend it: a certificate by itself, one that came without what leads to its CA, a chain that leads to a stranger. */
function unknownIssuer({ leaf, sent, lacking }: ServerJudgement, original: Fault): Fault {
  const last = lastSent(sent);
  if (!leaf || !last) return original;
  if (isSelfIssued(leaf))
    return {
      ...original,
      mend: 'upload this certificate to certs/trusted if the server is yours, or give the server one from a CA that the device trusts',
    };
  const alone = last === leaf ? 'the server sent only its own certificate' : 'the server did not send all of its chain';
  if (lacking.length > 0)
    return {
      ...original,
      detail: `${alone}; what leads to its CA is missing`,
      mend: `let the server send the intermediate certificate ${lacking.map(({ subject }) => `"${subject.text}"`).join(' and ')} too, after its own, in one file (nginx: ssl_certificate)`,
    };
  const top = isSelfIssued(last) ? last.subject.text : last.issuer.text;
  const detail = `its chain ends at "${top}", which is not among the trusted`;
  const upload = `upload the CA certificate "${top}" to certs/trusted if it is yours; if you do not know it, another machine answers in place of your server`;
  if (last !== leaf) return { ...original, detail, mend: upload };
  return {
    ...original,
    detail: `${alone}, and its issuer "${top}" is not among the trusted`,
    mend: `${upload}; if it is an intermediate of a CA that the device has, let the server send it too, after its own, in one file (nginx: ssl_certificate)`,
  };
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
