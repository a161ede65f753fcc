/**
 * What each board does with each firmware, as somebody beside the device sees it: servers that speak one TLS version and ask for a client
 * certificate, a file that is uploaded, a setting that is given. What is expected is typed here beside the sentence that says so, and
 * nothing is read from the table in the core.
 */
import { describe, expect, it } from 'vitest';
import { findBoard } from '../../boards/index.js';
import { createEndpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { utf8 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import type { TlsVersion } from '../../hal/hal.js';
import { simHal } from '../../sim/hal/sim-hal.js';
import { startProvisioningServer } from '../../sim/peers/provisioning-server.js';
import { makeChip } from '../../sim/scenario/flash-bench.js';
import { platform, SimLab, START } from '../support/sim-lab.js';
import { makeTestPki } from '../support/test-pki.js';

const MAC = '0022EE0A0001';
const pki = makeTestPki(platform, { mac: MAC, serverName: 'prov.example.test', at: START });

/** Firmware; TLS for provisioning and SIP; CN of the certificate that it shows; upload to certs/trusted; "Force secure TLS Version"; REST. */
type Row = [firmware: string, tls: string, shows: string, upload: string, force: string, rest: string];

/**
 * "Securing Algo IP Endpoints", 2021-12-28:
 *
 * - p. 3 "Algo devices that support firmware 1.6.4 or later support Transport Layer Security (TLS) for both Provisioning and SIP"
 * - p. 4 "manufactured in 2019 (starting with firmware 1.7.1) or later have the device certificate installed from factory"
 * - p. 5 "If you are on a firmware lower than 3.1.X, please upgrade the device."
 * - p. 8 "Algo devices running firmware v3.1 & above support TLS v1.1 and v1.2. Force Secure TLS Version option may be used to require TLS
 *   connections to use TLSv1.2." "This option has been removed in v4.0+ since TLS v1.2 is used by default"
 *
 * The guide to the REST API asks for firmware 3.3 or later.
 */
const ROWS: readonly Row[] = [
  ['1.6.3', 'from 1.6.4', '-', 'from 3.1', 'from 3.1', 'from 3.3'], // p. 3, "1.6.4 or later"
  ['1.6.4', 'yes', 'none', 'from 3.1', 'from 3.1', 'from 3.3'], // p. 3
  ['1.7.0', 'yes', 'none', 'from 3.1', 'from 3.1', 'from 3.3'], // p. 4, "starting with firmware 1.7.1"
  ['1.7.1', 'yes', MAC, 'from 3.1', 'from 3.1', 'from 3.3'], // p. 4
  ['3.0.9', 'yes', MAC, 'from 3.1', 'from 3.1', 'from 3.3'], // p. 5, "lower than 3.1.X"
  ['3.1', 'yes', MAC, 'yes', 'yes', 'from 3.3'], // p. 5 and p. 8, "v3.1 & above"
  ['3.2.9', 'yes', MAC, 'yes', 'yes', 'from 3.3'],
  ['3.3', 'yes', MAC, 'yes', 'yes', 'yes'],
  ['3.9.9', 'yes', MAC, 'yes', 'yes', 'yes'], // p. 8
  ['4.0', 'yes', MAC, 'yes', 'removed in 4.0', 'yes'], // p. 8, "removed in v4.0+"
  ['5.5', 'yes', MAC, 'yes', 'removed in 4.0', 'yes'], // p. 8
];

/** The Webex guide lists them among those that have TLS, SRTP and DNS SRV. */
const WITH_TLS = ['8028-g2', '8063', '8128-g2', '8180-g2', '8186', '8188', '8196', '8201', '8301', '8305'];

/**
 * p. 3 "the following endpoints do not support TLS: 8180 IP Audio Alerter (G1), 8028 IP Doorphone (G1), 8128 IP Visual Alerter (G1), 8061
 * IP Relay Controller." The Zoom guide adds the 8036.
 */
const WITHOUT_TLS = ['8180-g1', '8028-g1', '8128-g1', '8061', '8036'];

/** Firmware, and what a server may speak to be heard: without the option, and with it where there is one. */
const SPOKEN: readonly [firmware: string, plain: readonly TlsVersion[], forced?: readonly TlsVersion[]][] = [
  ['1.6.4', ['1.0', '1.1', '1.2']], // ours
  ['3.0.9', ['1.0', '1.1', '1.2']], // ours
  ['3.1', ['1.1', '1.2'], ['1.2']], // p. 8, "support TLS v1.1 and v1.2", "to require TLS connections to use TLSv1.2"
  ['3.9.9', ['1.1', '1.2'], ['1.2']], // p. 8
  ['4.0', ['1.2']], // p. 8, "TLS v1.2 is used by default"
  ['4.9', ['1.2']], // p. 8
  ['5.0', ['1.2', '1.3']], // ours
  ['5.5', ['1.2', '1.3']], // ours
];

interface Seen {
  events: readonly EndpointEvent[];
  /** CN of the certificate that came with each request, `none` where there was none. */
  shown: readonly string[];
  /** What became of an upload. */
  upload: string;
}

/** From power-on until it has its settings, or does not get them; then somebody uploads a CA. Its clock is right from the start. */
async function observe(id: string, firmware: string, speaks: TlsVersion, local: Record<string, string>): Promise<Seen> {
  const lab = new SimLab();
  const board = findBoard(id)!;
  startProvisioningServer(lab.host('server', 3), {
    tls: {
      ...{ identity: pki.server, clientCertificate: 'asked', clientAuthorities: [pki.root] },
      versions: { min: speaks, max: speaks },
    },
    files: new Map([[`/algom${MAC}.conf`, utf8('admin.devname = gate')]]),
  });
  const identity = { chain: pki.device.chain, pkcs8: pki.pkcs8.device };
  const anchors = { set: 'none', version: '1', certificates: [] };
  const chip = makeChip({
    board,
    factory: { board: id, mac: MAC, serial: 'S1', made: START, password: 'first', anchors, identity },
    setup: { board: id, mac: MAC, image: { settings: new Map(Object.entries(local)), files: new Map() }, provisioned: new Map() },
    file: () => new Uint8Array(0),
  });
  const hal = simHal({
    ...{ world: lab.world, platform, port: lab.lan.attach('device'), chip, board, mac: MAC },
    address: { address: '10.0.0.50', prefix: 24 },
    clock: { rtc: true },
    hooks: { onReboot: () => undefined, onPowerCut: () => undefined },
  });
  const events: EndpointEvent[] = [];
  const endpoint = createEndpoint({ hal, board, firmware, provision: 'https://10.0.0.3/', sink: (event) => events.push(event) });
  let upload = '';
  endpoint.start();
  lab.world.at(SECOND, () =>
    endpoint.files.put('certs/trusted/site.cer', pki.root, {}, (result) => {
      upload = result.ok ? 'yes' : gist(result.error.detail);
    }),
  );
  await lab.world.run(2 * SECOND);
  hal.powerOff();
  return { events, upload, shown: lab.logged('server.request').map(({ clientCN }) => String(clientCN) || 'none') };
}

/** What an error says of versions and boards, in the table's words. */
function gist(detail: string): string {
  if (/ has no /.test(detail)) return 'never';
  const [, how, version] = /(from|removed in) firmware ([\d.]+)/.exec(detail) ?? [];
  return how === undefined ? detail : `${how} ${version}`;
}

const refusal = ({ events }: Seen, key: string): string | undefined => {
  for (const event of events) if (event.event === 'settings.refused' && event.key === key) return gist(event.detail);
  return undefined;
};

/** Asks for everything. */
const ALL = { 'sip.transp': 'tls', 'sip.tls.force': '1', 'admin.web.api': '1' };

describe.each(WITH_TLS)('the %s', (id) => {
  it.each(ROWS)('with firmware %s', async (firmware, tls, shows, upload, force, rest) => {
    // Every firmware that has TLS has 1.2.
    const seen = await observe(id, firmware, '1.2', ALL);
    const served = seen.shown.length > 0;
    expect({
      tls: [served ? 'yes' : refusal(seen, 'prov.download.method'), refusal(seen, 'sip.transp') ?? 'yes'],
      shows: served ? [...new Set(seen.shown)].join() : '-',
      upload: seen.upload,
      force: refusal(seen, 'sip.tls.force') ?? 'yes',
      rest: refusal(seen, 'admin.web.api') ?? 'yes',
    }).toEqual({ tls: [tls, tls], shows, upload, force, rest });
  });
});

describe.each(WITHOUT_TLS)('the %s, which has no TLS', (id) => {
  it.each(['1.6.4', '2.0.3', '5.5'])('has none of it with firmware %s', async (firmware) => {
    const seen = await observe(id, firmware, '1.2', ALL);
    expect({ ...seen, events: [] }).toEqual({ events: [], shown: [], upload: 'never' });
    const keys = ['prov.download.method', ...Object.keys(ALL)];
    expect(keys.map((key) => refusal(seen, key))).toEqual(keys.map(() => 'never'));
  });
});

describe.each(['8180-g2', '8301'])('an %s speaks', (id) => {
  const heard = async (firmware: string, local: Record<string, string>): Promise<TlsVersion[]> => {
    const versions: TlsVersion[] = [];
    for (const version of ['1.0', '1.1', '1.2', '1.3'] as const) {
      const { shown } = await observe(id, firmware, version, local);
      if (shown.length > 0) versions.push(version);
    }
    return versions;
  };

  it.each(SPOKEN)('with firmware %s TLS %j', async (firmware, plain, forced) => {
    expect(await heard(firmware, {})).toEqual(plain);
    if (forced) expect(await heard(firmware, { 'sip.tls.force': '1' })).toEqual(forced);
  });
});
