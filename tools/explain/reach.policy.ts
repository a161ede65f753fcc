/** What is wrong before TLS begins: nobody answers, or somebody speaks another protocol than the other end. */
import { isSip } from './case.js';
import type { Conversation, Speech } from './conversation.js';
import { type Finding, faultOf, noteOf } from './finding.js';
import { otherRole } from './tls-view.js';

export function reachFindings(conversation: Conversation): Finding[] {
  const { whole, answered, endings, server, syns } = conversation;
  const where = `${server.address} port ${server.port}`;
  if (whole && !answered) {
    if (conversation.unreachable !== undefined)
      return [
        faultOf(
          'unreachable',
          `${conversation.unreachable} says that ${where} cannot be reached`,
          `look at routes, VLAN and firewall on the way to ${server.address}`,
        ),
      ];
    if (endings.some(({ by, how }) => by === 'server' && how === 'reset'))
      return [faultOf('port-closed', `nothing listens at ${where}`, 'start the server, or give the device the port that it listens at')];
    const asked = syns === 1 ? 'asked once' : `asked ${syns} times`;
    return [
      faultOf(
        'no-answer',
        `${where} does not answer (${asked})`,
        `look whether ${server.address} is the right address and is on, and at firewalls on the way`,
      ),
    ];
  }
  return mixedSpeech(conversation) ?? [];
}

/** One end speaks TLS, and the other does not. */
function mixedSpeech(conversation: Conversation): Finding[] | undefined {
  const [client, server] = [conversation.speech('client'), conversation.speech('server')];
  const { port } = conversation.server;
  if (client === 'tls' && isClear(server)) return [serverInClear(conversation, server)];
  if (client === 'http' && (server === 'tls' || wantsTls(conversation)))
    return [
      faultOf(
        'client-speaks-clear',
        `the client speaks HTTP in clear, and the server wants TLS on port ${port}`,
        'set "Download Method" of the device to HTTPS (https:// in the address)',
      ),
    ];
  if (client === 'sip' && server === 'tls')
    return [
      faultOf(
        'client-speaks-clear',
        `the client speaks SIP in clear, and the server wants TLS on port ${port}`,
        'set "SIP Transportation" of the device to TLS, or give it the port for SIP without TLS (5060)',
      ),
    ];
  if (client === 'sip' && port === TLS_SIP_PORT && server === undefined)
    return [
      faultOf(
        'client-speaks-clear',
        `the client speaks SIP in clear on port ${port}, which is for TLS, and gets no answer`,
        'set "SIP Transportation" of the device to TLS',
      ),
    ];
  return undefined;
}

const TLS_SIP_PORT = 5061;

const isClear = (speech: Speech | undefined): speech is 'http' | 'sip' | 'other' => speech !== undefined && speech !== 'tls';

function serverInClear(conversation: Conversation, speech: 'http' | 'sip' | 'other'): Finding {
  const { port } = conversation.server;
  const said = firstLine(conversation.opening('server'));
  if (speech === 'http')
    return faultOf(
      'server-speaks-http',
      `the server speaks HTTP without TLS on port ${port}: "${said}"`,
      'give the device the port of the server that speaks HTTPS, or switch TLS on there; with "Download Method" HTTP the device would speak as the server does, readable for all',
    );
  const what = speech === 'sip' ? 'SIP without TLS' : 'something that is no TLS';
  return faultOf(
    'server-speaks-clear',
    `the server speaks ${what} on port ${port}${said === '' ? '' : `: "${said}"`}`,
    `give the device the port that speaks TLS${isSip(conversation) ? ' (5061)' : ''}, or switch TLS on at the server`,
  );
}

/** nginx and Apache tell a client in clear that it should have spoken TLS. */
const wantsTls = (conversation: Conversation): boolean => /HTTPS port|SSL-enabled server port/i.test(conversation.opening('server'));

const LINE_MAX = 80;
/** Printable, for a line of a report. */
export function firstLine(text: string): string {
  const [line = ''] = text.trimStart().split(/[\r\n]/, 1);
  const printable = line.replace(/[^\x20-\x7e]/g, '.');
  return printable.length > LINE_MAX ? `${printable.slice(0, LINE_MAX - 1)}…` : printable;
}

/** What the reader has to know of the capture itself. */
export function captureNotes(conversation: Conversation): Finding[] {
  const notes: Finding[] = [];
  if (!conversation.whole) {
    const mend = 'start the capture before the device connects: restart the device while it runs';
    notes.push(noteOf('not-in-capture', 'the connection began before the capture', mend));
  }
  for (const role of ['client', 'server'] as const) {
    const { missing } = conversation.stream(role);
    if (missing > 0)
      notes.push(
        noteOf(
          'not-in-capture',
          `${missing} octets from ${role} to ${otherRole(role)} are not in the capture`,
          'mirror both directions, to a port that is as fast, and capture whole packets',
        ),
      );
  }
  return notes;
}
