/** Settings files, as provisioning servers and people write them, and what the device makes of their values. */
import { board8180g2 } from '../../../boards/8180-g2.js';
import { featuresOf } from '../../../core/device/features.js';
import { CONF_LIMITS, decodeConf, encodeConf } from '../../../core/settings/conf.codec.js';
import { Settings } from '../../../core/settings/settings.js';
import { checkSettings } from '../../../core/settings/settings.policy.js';
import { utf8 } from '../../../hal/base/bytes.js';
import type { Target } from '../hunt.js';
import { holds, lines, tokens } from './support.js';

const SAMPLES = [
  lines(
    '# Lobby',
    'admin.devname = sipalerter-$MAC$',
    'sip.proxy = sip.example.test',
    'sip.u1.user = 101',
    'sip.u1.pwd = p=#x',
    'sip.transp = tls',
    'sip.tls.cert = 1',
    'sip.srtp = standard',
    'sip.srtp.suite = aes_cm_128_hmac_sha1_80,aes_256_cm_hmac_sha1_80,',
    'audio.page.vol = -12dB',
    'net.time1 = 192.0.2.1,ntp.example.test:123',
    'prov.sync.time = 02:30',
    'x.unknown =',
    '',
  ),
  utf8('\ufeffsip.proxy=[2001:db8::1]:5061\nsip.u1.user=\u00fc\r\nprov.server.method=static\rprov.confirm = 300'),
];
const TOKENS = tokens(
  '=',
  ' = ',
  '#',
  '\r\n',
  '\n',
  '\r',
  '\ufeff',
  ' \t',
  ',',
  ',,',
  '$MAC$',
  'sip.',
  '1',
  '__proto__',
  'constructor = 1\n',
);

const OWNER = { board: board8180g2, features: featuresOf(board8180g2, board8180g2.firmware.newest), mac: '0022EE0A0001' };

const file: Target = {
  name: 'settings file',
  samples: SAMPLES,
  tokens: TOKENS,
  read(input) {
    const { values, problems } = decodeConf(input);
    holds(problems.length <= CONF_LIMITS.problems && values.size <= CONF_LIMITS.lines, 'what is told of a file is bounded');
    const again = decodeConf(encodeConf(values));
    holds(again.problems.length === 0 && again.values.size === values.size, 'what is written is read again');
    for (const [key, value] of values) holds(again.values.get(key) === value, 'values are kept');
    return problems.length === 0;
  },
};

const values: Target = {
  name: 'settings values',
  samples: SAMPLES,
  tokens: TOKENS,
  read(input, random) {
    const settings = new Settings(OWNER).withProvisioned(decodeConf(input).values);
    const refusals = checkSettings(settings);
    for (const { detail, mend } of refusals) holds(detail !== '' && mend !== '', 'a refusal says what is wrong and what to do');
    // All keys of the registry each time are most of the work.
    if (random(16) === 0) settings.export({ secrets: false });
    return refusals.length === 0;
  },
};

export const settingsTargets: readonly Target[] = [file, values];
