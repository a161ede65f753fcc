/** Extensions that ring instead of paging, `sip.alert1` to `sip.alert10` (five on boards of the first generation), and message waiting. */
import { CURRENT, onPage, type Setting } from '../setting.js';
import { flag, text, whole } from '../value-types.js';
import { ADVANCED_SIP, RING_EXTENSIONS, SIP } from './pages.js';

const EXTENSIONS = 10;
const EXTENSIONS_FIRST_GENERATION = 5;

const basic = onPage(SIP);
const advanced = onPage(ADVANCED_SIP);
/** The first stands beside the page extension. */
const pageOf = (n: number): string => (n === 1 ? SIP : RING_EXTENSIONS);

function ringExtension(n: number): [key: string, setting: Setting][] {
  const common = {
    page: pageOf(n),
    read: text,
    default: '',
    provenance: 'template',
    effect: 'stored',
    ...(n > EXTENSIONS_FIRST_GENERATION ? { on: CURRENT } : {}),
  } as const satisfies Partial<Setting>;
  return [
    [`sip.alert${n}.auth`, { ...common, label: `Ring Extension ${n} Authentication ID` }],
    [`sip.alert${n}.group`, { ...common, label: `Ring Extension ${n} Group` }],
    [`sip.alert${n}.pwd`, { ...common, label: `Ring Extension ${n} Authentication Password`, secret: true }],
    [`sip.alert${n}.tone`, { ...common, label: `Ring Extension ${n} Tone` }],
    [`sip.alert${n}.use`, { ...common, label: `Ring Extension ${n}`, read: flag, default: '0' }],
    [`sip.alert${n}.user`, { ...common, label: `Ring Extension ${n} Number` }],
    [`sip.alert${n}.zone`, { ...common, label: `Ring Extension ${n} Zone` }],
  ];
}

/** What their numbers mean is not published: any small number is kept. */
const numbered = { read: whole(0, 99), default: '0', provenance: 'template', effect: 'stored' } as const;

/** Nothing rings yet: all of them are stored. */
export const RING_EXTENSION_SETTINGS: ReadonlyMap<string, Setting> = new Map([
  ...Array.from({ length: EXTENSIONS }, (_, i) => ringExtension(i + 1)).flat(),
  ['sip.alert1.event', basic({ ...numbered, label: 'Ring Extension 1 Event', default: '2' })],
  ['sip.alert1.mode', basic({ ...numbered, label: 'Ring Extension 1 Mode' })],
  ['sip.detect.mode', advanced({ ...numbered, label: 'Ring Detection Mode', default: '1' })],
  ['sip.mwi.event', advanced({ ...numbered, label: 'Message Waiting Event' })],
  ['sip.mwi.mode', advanced({ ...numbered, label: 'Message Waiting Mode' })],
  ['sip.mwi.subs', advanced({ ...numbered, label: 'Message Waiting Subscription' })],
]);
