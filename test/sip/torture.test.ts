import { describe, expect, it } from 'vitest';
import { describeSuite, readShared, readSharedJson } from '../support/shared.js';
import { createRig, DEVICE, octets, SERVER, text } from './rig.js';

/** Sends one datagram at a running endpoint, answers what it offers, and gives the final status or `discard`. */
function outcome(bytes: Uint8Array): { status: number | 'discard'; offered: boolean } {
  const rig = createRig();
  rig.stack.start();
  const statuses: number[] = [];
  const socket = rig.wire.host(SERVER).udp({ port: 5060 });
  if (!socket.ok) throw new Error('no socket');
  // The Vias name hosts of their own: whatever is sent is heard, wherever it goes.
  rig.wire.lose = ({ bytes: sent, from }) => {
    // A refusal copies the fields that were malformed: only its start line is read.
    if (from.address === DEVICE) statuses.push(Number(/^SIP\/2\.0 (\d{3}) /.exec(text(sent))![1]));
    return false;
  };
  socket.value.send({ address: DEVICE, port: 5060 }, bytes);
  rig.run(300);
  const offered = rig.invites.length > 0;
  for (const invite of rig.invites) invite.reject(486);
  rig.run(300);
  return { status: statuses.at(-1) ?? 'discard', offered };
}

describeSuite('sip-rfc4475', () => {
  const { messages } = readSharedJson<{
    messages: { name: string; file: string; kind: string; acceptable: (string | number)[] }[];
  }>('suites/sip-rfc4475/expected.json');

  it.each(messages.map((m) => [m.name, m] as const))('%s at the running endpoint', (_, { file, kind, acceptable }) => {
    const { status } = outcome(Uint8Array.from(readShared(`suites/sip-rfc4475/${file}`)));
    if (kind === 'response') expect(status).toBe('discard');
    else if (acceptable.includes('accept') && typeof status === 'number' && ACCEPTED(status)) return;
    else expect(acceptable).toContain(status);
  });
});

/** Read as well formed: served, or refused for a reason that only policy knows. */
const ACCEPTED = (status: number): boolean => status < 300 || [404, 405, 480, 481, 486, 488, 603].includes(status);

describeSuite('sip-rfc5118', () => {
  const { messages } = readSharedJson<{ messages: { name: string; file: string; expected: string | number }[] }>(
    'suites/sip-rfc5118/expected.json',
  );
  it.each(messages.map((m) => [m.name, m] as const))('%s at the running endpoint', (_, { file, expected }) => {
    const { status } = outcome(Uint8Array.from(readShared(`suites/sip-rfc5118/${file}`)));
    if (expected === 'accept') expect(typeof status === 'number' && ACCEPTED(status), String(status)).toBe(true);
    else expect(status).toBe(expected);
  });
});

describe('the probe itself', () => {
  it('tells silence from an answer', () => {
    expect(outcome(octets('nonsense that is long enough')).status).toBe('discard');
  });
});
