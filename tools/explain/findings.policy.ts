/** All findings of a connection, the first of which is to be mended first. */
import { SECOND } from '../../hal/base/time.js';
import { alertMeaning } from './alert-meanings.js';
import type { Knowledge, Surroundings, TlsCase } from './case.js';
import { clientFindings } from './client-certificate.policy.js';
import type { Conversation } from './conversation.js';
import { type Finding, faultOf, noteOf } from './finding.js';
import { helloFindings } from './hello.policy.js';
import { captureNotes, reachFindings } from './reach.policy.js';
import { serverFindings } from './server-certificate.policy.js';
import { brokeOff, firstFatal, isFinished, isHidden } from './tls-facts.js';
import type { TlsView } from './tls-view.js';

/** Faults before notes; each in the order in which a connection meets them. */
export function findingsOf(conversation: Conversation, knowledge: Knowledge, surroundings: Surroundings): Finding[] {
  const view = conversation.tls?.view;
  const reach = reachFindings(conversation);
  // Where one end speaks no TLS, what the other makes of it is no fault of its own.
  const inside = view && !reach.some(isFault) ? tlsFindings({ conversation, view, knowledge, surroundings }) : [];
  const found = [...reach, ...inside, ...captureNotes(conversation)];
  return [...found.filter(isFault), ...found.filter((finding) => !isFault(finding))];
}

const isFault = ({ severity }: Finding): boolean => severity === 'fault';

function tlsFindings(tls: TlsCase): Finding[] {
  const { view } = tls;
  const stages = [helloFindings, serverFindings, clientFindings];
  const found: Finding[] = [];
  // Where the hellos come to nothing, what follows from that is no fault of its own.
  for (const stage of stages) if (!found.some(isFault)) found.push(...stage(tls));
  if (!found.some(isFault)) found.push(...unexplained(tls));
  return [...found, ...hiddenNotes(view)];
}

/** An alert, an early end, or none at all, that no rule above explains. */
function unexplained({ conversation, view, surroundings }: TlsCase): Finding[] {
  const alert = firstFatal(view);
  if (alert?.name !== undefined) {
    const detail = `the ${alert.by} ends it with the alert ${alert.name}: ${alertMeaning(alert.name)}`;
    return [faultOf('alert', detail, `look at the log of the ${alert.by}`)];
  }
  const begun = view.hellos.length > 0 && view.chosen !== undefined;
  if (!begun || (isFinished(view, 'client') && isFinished(view, 'server'))) return [];
  const left = brokeOff(conversation, view);
  if (left)
    return [
      faultOf('broken-off', `the ${left.by} ends it in the middle of the handshake, without a word`, `look at the log of the ${left.by}`),
    ];
  const silence = surroundings.end - conversation.last;
  if (conversation.endings.length > 0 || silence < STALLED) return [];
  const since = `${Math.floor(silence / SECOND)} s before the capture ends`;
  const mend = 'look whether large packets get through (MTU of VPN and VLAN on the way), and at the logs of both ends';
  return [faultOf('stalled', `the handshake stops in the middle, ${since}`, mend)];
}

/** Ours: an end that thinks about a handshake for so long has lost it. */
const STALLED = 5 * SECOND;

const SEE_MORE = 'capture again with the server limited to TLS 1.2, or give the secrets (--secrets)';

/** What cannot be seen, and how it could be. */
function hiddenNotes(view: TlsView): Finding[] {
  const notes: Finding[] = [];
  if (isHidden(view)) {
    const why = view.hasSecrets ? 'the secrets given do not open all of it' : 'there are no secrets of this connection';
    notes.push(noteOf('encrypted', `TLS 1.3 encrypts certificates and alerts, and ${why}`, SEE_MORE));
  }
  if (view.resumed)
    notes.push(
      noteOf(
        'encrypted',
        'an earlier session goes on: no certificates were shown',
        'look at the connection before, or restart the device while the capture runs',
      ),
    );
  if (view.compressed)
    notes.push(noteOf('encrypted', 'a certificate list came compressed, which is not read here', 'open the capture in Wireshark'));
  return notes;
}
