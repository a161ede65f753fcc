/** `belfry explain` without its command line. */
import { writePem } from '../../core/certs/pem.codec.js';
import { hex, utf8 } from '../../hal/base/bytes.js';
import type { Der } from '../../hal/hal.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { readCaptureFile } from '../../tools/explain/capture-file.codec.js';
import type { Knowledge } from '../../tools/explain/case.js';
import type { ConnectionReport } from '../../tools/explain/connection-report.js';
import { explainCapture } from '../../tools/explain/explain.js';
import { createTrusted, type Trusted } from '../../tools/explain/trusted.js';

export interface Explained {
  status: number;
  connections: ConnectionReport[];
  summary: Record<string, unknown>;
  text: string;
}

export interface ExplainOptions extends Partial<Pick<Knowledge, 'at' | 'name' | 'features'>> {
  secrets?: string;
  trust?: readonly Der[];
}

const crypto = createNodeCrypto({ clock: { now: () => 0 }, keysOn: 'turn' });

/** Reading 150 public CAs takes longer than explaining a capture: each set is read once. */
const known = new Map<string, Trusted>();

function trusting(trust: readonly Der[]): Trusted {
  const key = trust.map(hex).join();
  const files = new Map(trust.map((der, i) => [`ca-${i}.pem`, utf8(writePem('CERTIFICATE', der))] as const));
  const trusted = known.get(key) ?? createTrusted({ files, crypto });
  known.set(key, trusted);
  return trusted;
}

export function explain(file: Uint8Array, { secrets = '', trust = [], at, name, features }: ExplainOptions = {}): Explained {
  const knowledge: Knowledge = { trusted: trusting(trust), crypto, at, name, features };
  const run = (json: boolean) => {
    const capture = readCaptureFile(file);
    if (!capture.ok) throw new Error(capture.error);
    const [lines, records]: [string[], object[]] = [[], []];
    const io = { json, say: (line: string) => void lines.push(line), record: (object: object) => void records.push(object) };
    const status = explainCapture({ name: 'test', capture: capture.value, secrets, knowledge, style: { width: 110, colour: false }, io });
    return { status, lines, records };
  };
  const { status, records } = run(true);
  const summary = records.pop() as Record<string, unknown>;
  return { status, connections: records as ConnectionReport[], summary, text: run(false).lines.join('\n') };
}

/** The rules that a connection breaks, faults first. */
export const rules = ({ connections }: Explained, index = 0): string[] =>
  connections[index]!.findings.map(({ severity, rule }) => `${severity} ${rule}`);
