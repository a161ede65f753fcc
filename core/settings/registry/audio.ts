/** `audio.*` and `phone.*`: volumes, codecs, and how long a call may be. */
import { CURRENT, FIRST_GENERATION, onPage } from '../setting.js';
import { flag, text, volume, whole } from '../value-types.js';
import { ADVANCED_AUDIO, ADVANCED_SIP, FEATURES } from './pages.js';

const features = onPage(FEATURES);
const audio = onPage(ADVANCED_AUDIO);
const sip = onPage(ADVANCED_SIP);

/** 0 is no limit. */
const seconds = whole(0, 86_400);

export const AUDIO_SETTINGS = {
  'audio.codec.g722': features({
    label: 'G.722 Support',
    read: flag,
    default: '1',
    provenance: 'vendor',
    on: CURRENT,
    counterpart: 'audio.g722',
    effect: 'stored',
  }),
  /** The older name of the one above. */
  'audio.g722': features({
    label: 'G.722 Support',
    read: flag,
    default: '0',
    provenance: 'template',
    on: FIRST_GENERATION,
    counterpart: 'audio.codec.g722',
    effect: 'stored',
  }),
  'audio.jc.delay': audio({
    label: 'Jitter Compensation Delay (ms)',
    read: whole(0, 10_000),
    default: '0',
    provenance: 'template',
    effect: 'stored',
  }),
  'audio.jc.range': audio({
    label: 'Jitter Compensation Range (ms)',
    read: whole(0, 10_000),
    default: '100',
    provenance: 'template',
    effect: 'stored',
  }),
  'audio.page.vol': features({ label: 'Page Speaker Volume', read: volume, default: '0dB', provenance: 'template', needsRestart: true }),
  'audio.rtp.media': audio({ label: 'RTP Media', read: whole(0, 99), default: '1', provenance: 'template', effect: 'stored' }),
  /** Telephone events of RFC 4733. */
  'phone.dtmf.src': sip({ label: 'DTMF Source', read: text, default: 'rtp-telev', provenance: 'template', effect: 'stored' }),
  'phone.timeout.inbound': sip({
    label: 'Inbound Call Limit (seconds)',
    read: seconds,
    default: '300',
    provenance: 'template',
    needsRestart: true,
  }),
  'phone.timeout.outbound': sip({
    label: 'Outbound Call Limit (seconds)',
    read: seconds,
    default: '300',
    provenance: 'template',
    effect: 'stored',
  }),
  'phone.timeout.ring': sip({
    label: 'Inbound Ring Limit (seconds)',
    read: seconds,
    default: '0',
    provenance: 'template',
    effect: 'stored',
  }),
  'phone.timeout.ringback': sip({
    label: 'Outbound Ring Limit (seconds)',
    read: seconds,
    default: '0',
    provenance: 'template',
    effect: 'stored',
  }),
  'phone.tone.page': features({ label: 'Talk Tone', read: text, default: 'Default', provenance: 'template', effect: 'stored' }),
  'phone.tone.ringback': features({
    label: 'Ringback Tone',
    read: text,
    default: 'page-notif.wav',
    provenance: 'template',
    effect: 'stored',
  }),
};
