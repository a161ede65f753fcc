import { describe, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import { callLimits, DEFAULT_PORTS, sipConfig } from '../../core/device/configuration.js';
import { featuresOf } from '../../core/device/features.js';
import { Settings } from '../../core/settings/settings.js';

function given(values: Record<string, string>, id = '8180-g2'): Settings {
  const board = boards.get(id)!;
  const owner = { board, features: featuresOf(board, board.firmware.newest), mac: '0022EE0A0001' };
  return new Settings(owner).withProvisioned(new Map(Object.entries(values)));
}
const sip = (values: Record<string, string>, id?: string) => sipConfig(given(values, id), DEFAULT_PORTS);

describe('what the parts are told of the settings', () => {
  it('marks signalling', () => {
    expect(sip({}).dscp).toBe(0);
    expect(sip({ 'net.dscp.sip': '26' }).dscp).toBe(26);
  });

  it('keeps connections alive, or not', () => {
    expect(sip({}).keepalive).toBe(20);
    expect(sip({ 'sip.interop.ka.interval': '45' }).keepalive).toBe(45);
    expect(sip({ 'sip.interop.ka.method': '' }).keepalive).toBe(0);
  });

  it('limits a page, or not', () => {
    expect(callLimits(given({})).duration).toBe(300_000);
    expect(callLimits(given({ 'phone.timeout.inbound': '0' })).duration).toBe(0);
  });

  it('names the server of a door controller by the key that it has', () => {
    const both = { 'sip.proxy': 'a.test', 'sip.proxy.webui': 'b.test' };
    expect(sip(both).server).toEqual({ domain: { host: 'a.test' } });
    expect(sip(both, '8063').server).toEqual({ domain: { host: 'b.test' } });
    expect(sip({ 'sip.proxy': 'a.test' }, '8063').server).toBeUndefined();
  });
});
