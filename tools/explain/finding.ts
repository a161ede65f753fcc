/** What is wrong with a connection, and what mends it. */
import type { TrustRule } from '../../hal/hal.js';

export type FindingRule =
  /** Of the server's certificate, by the rules that a device of ours keeps. */
  | Exclude<TrustRule, 'no-certificate' | 'refused-by-peer' | 'time-not-trusted' | 'version'>
  | 'unreachable'
  | 'port-closed'
  | 'no-answer'
  | 'server-speaks-http'
  | 'server-speaks-clear'
  | 'client-speaks-clear'
  | 'server-silent'
  | 'version'
  | 'suites'
  | 'server-name'
  | 'client-refuses-server'
  | 'client-certificate-missing'
  | 'client-certificate-refused'
  | 'server-trusts-issuing-only'
  | 'alert'
  | 'broken-off'
  | 'stalled'
  | 'not-in-capture'
  | 'encrypted';

export interface Finding {
  /** A fault keeps the connection from its purpose, or would with a device of ours; a note is to be known. */
  severity: 'fault' | 'note';
  rule: FindingRule;
  detail: string;
  mend: string;
}

export const faultOf = (rule: FindingRule, detail: string, mend: string): Finding => ({ severity: 'fault', rule, detail, mend });
export const noteOf = (rule: FindingRule, detail: string, mend: string): Finding => ({ severity: 'note', rule, detail, mend });
