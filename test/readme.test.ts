/** What README promises of events is what the code reports: scripts of users depend on these names. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EVENT_FIELDS, PEER_EVENT_FIELDS } from '../sim/scenario/event-fields.js';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const EVENTS = /^## Events$(.*?)^## /ms.exec(README)?.[1] ?? '';

/** Fields by event, as the table has them: "| `link.up` | — |". */
const documented = new Map(
  [...EVENTS.matchAll(/^\| `([a-z-]+\.[a-z-]+)` \| (.*) \|$/gm)].map(
    ([, event, fields]) => [event, [...fields!.matchAll(/`([a-zA-Z]+)`/g)].map(([, field]) => field)] as const,
  ),
);

it('README has every event with every field, and no other', () => {
  expect(Object.fromEntries(documented)).toEqual({ ...EVENT_FIELDS, ...PEER_EVENT_FIELDS });
});
