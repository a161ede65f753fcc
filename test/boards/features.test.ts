import { describe, expect, it } from 'vitest';
import { board8061 } from '../../boards/8061.js';
import { board8180g1 } from '../../boards/8180-g1.js';
import { board8180g2 } from '../../boards/8180-g2.js';
import { board8301 } from '../../boards/8301.js';
import { type FeatureName, featuresOf, lackOf } from '../../core/device/features.js';
import { compareFirmware, isFirmwareVersion } from '../../core/device/firmware-version.js';

describe('firmware versions', () => {
  it.each([
    ['3.3', '3.3.0', 0],
    ['1.6.4', '1.7.1', -1],
    ['1.10', '1.9', 1],
    ['5.5_beta11', '5.5', -1],
    ['5.5_beta2', '5.5_beta11', -1],
    ['5.5_beta', '5.5_beta1', -1],
    ['5.3.4-sec', '5.3.4', 0],
    ['v3.3.0', '3.3', 0],
    ['banana', '0.1', -1],
    ['', 'x', 0],
  ])('%s against %s', (a, b, expected) => {
    expect(Math.sign(compareFirmware(a, b))).toBe(expected);
    expect(Math.sign(compareFirmware(b, a))).toBe(expected === 0 ? 0 : -expected);
  });

  it('knows a version when it sees one', () => {
    expect(['5.5', '5.5_beta11', '3.3.0', '5.3.4-sec'].every(isFirmwareVersion)).toBe(true);
    expect(['', '.', '5.', 'five', '5.5 ', '1.2.3.4.5', `1${'0'.repeat(9)}`].some(isFirmwareVersion)).toBe(false);
  });
});

describe('features by board and firmware', () => {
  // Each expectation is typed here beside the sentence that it comes from.
  it.each<[string, boolean, string]>([
    ['1.6.3', false, '"firmware 1.6.4 or later support Transport Layer Security"'],
    ['1.6.4', true, '"firmware 1.6.4 or later support Transport Layer Security"'],
    ['5.5', true, '"firmware 1.6.4 or later support Transport Layer Security"'],
  ])('8180 G2 with %s: TLS %s', (firmware, tls) => {
    expect(featuresOf(board8180g2, firmware)).toMatchObject({ tls, srtp: tls });
  });

  it('a board without TLS has none at any version, although 2.0.3 comes after 1.6.4', () => {
    for (const firmware of ['1.6.4', '2.0.3', '5.5']) {
      const features = featuresOf(board8180g1, firmware);
      expect(features).toMatchObject({ tls: false, srtp: false, dnsSrv: false, deviceCertificate: false, trustedUpload: false });
      expect(features.tlsVersions).toBeUndefined();
    }
  });

  it.each<[string, FeatureName, boolean]>([
    ['1.7.0', 'deviceCertificate', false], // "starting with firmware 1.7.1"
    ['1.7.1', 'deviceCertificate', true],
    ['3.0.9', 'trustedUpload', false], // "firmware lower than 3.1.X, please upgrade"
    ['3.1', 'trustedUpload', true],
    ['3.0', 'forceSecureTls', false],
    ['3.1', 'forceSecureTls', true],
    ['3.9.9', 'forceSecureTls', true],
    ['4.0', 'forceSecureTls', false], // "This option has been removed in v4.0+"
    ['3.2', 'restApi', false],
    ['3.3', 'restApi', true],
  ])('firmware %s: %s %s', (firmware, feature, has) => {
    expect(featuresOf(board8301, firmware)[feature]).toBe(has);
  });

  it.each([
    ['1.6.4', '1.0', '1.2'],
    ['3.0', '1.0', '1.2'],
    ['3.1', '1.1', '1.2'], // "support TLS v1.1 and v1.2"
    ['3.9', '1.1', '1.2'],
    ['4.0', '1.2', '1.2'], // "TLS v1.2 is used by default"
    ['4.9_beta1', '1.2', '1.2'],
    ['5.0', '1.2', '1.3'],
  ])('firmware %s negotiates TLS %s to %s', (firmware, min, max) => {
    expect(featuresOf(board8180g2, firmware).tlsVersions).toEqual({ min, max });
  });

  it('validates SIP servers by default from 5.0, and never without TLS', () => {
    expect(featuresOf(board8180g2, '4.9').sipValidateDefault).toBe(false);
    expect(featuresOf(board8180g2, '5.0').sipValidateDefault).toBe(true);
    expect(featuresOf(board8061, '5.0').sipValidateDefault).toBe(false);
  });

  it('says what is missing and which version has it', () => {
    expect(lackOf(board8061, '2.0.3', 'tls')).toEqual({
      detail: 'the 8061 has no TLS ("Securing Algo IP Endpoints", page 3)',
      mend: 'clear the setting, or use a board with TLS',
    });
    expect(lackOf(board8180g2, '3.0', 'trustedUpload')).toEqual({
      detail: "the 8180 G2 has uploads to 'certs/trusted' from firmware 3.1, and runs 3.0",
      mend: 'upgrade to firmware 3.1 or later',
    });
    expect(lackOf(board8180g2, '4.0', 'forceSecureTls')?.detail).toMatch(/removed in firmware 4\.0: TLS 1\.2 is the least/);
    expect(lackOf(board8180g2, '5.5', 'tls')).toBeUndefined();
  });
});
