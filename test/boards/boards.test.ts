import { describe, expect, it } from 'vitest';
import { boards, findBoard } from '../../boards/index.js';

describe('boards', () => {
  it('lists the models by id', () => {
    expect([...boards.keys()].join(' ')).toBe(
      '8028-g1 8028-g2 8036 8061 8063 8128-g1 8128-g2 8180-g1 8180-g2 8186 8188 8196 8201 8301 8305 host',
    );
    for (const [id, board] of boards) expect(board.id).toBe(id);
    expect(findBoard('8180-g2')?.model).toBe('8180 G2');
    expect(findBoard('8180')).toBeUndefined();
  });

  // "the following endpoints do not support TLS: 8180 IP Audio Alerter (G1), 8028 IP Doorphone (G1), 8128 IP Visual Alerter (G1),
  // 8061 IP Relay Controller" (starting document, page 3); the Zoom guide adds the 8036.
  it.each([
    ['8180-g1', '"Securing Algo IP Endpoints", page 3'],
    ['8028-g1', '"Securing Algo IP Endpoints", page 3'],
    ['8128-g1', '"Securing Algo IP Endpoints", page 3'],
    ['8061', '"Securing Algo IP Endpoints", page 3'],
    ['8036', 'Zoom configuration guide, 2026'],
  ])('%s has no TLS, nor DNS SRV, and fewer settings: %s', (id, why) => {
    expect(findBoard(id)).toMatchObject({ tls: { supported: false, why }, dnsSrv: false, settings: 'first-generation' });
  });

  // The Webex guide, which asks for TLS, SRTP and DNS SRV, lists them.
  it.each(['8028-g2', '8063', '8128-g2', '8180-g2', '8186', '8188', '8196', '8201', '8301', '8305', 'host'])('%s has TLS', (id) => {
    expect(findBoard(id)).toMatchObject({ tls: { supported: true }, dnsSrv: true, settings: 'current' });
  });

  it('names the provisioning file as the vendor does', () => {
    const models = ['8180-g1', '8180-g2', '8028-g2', '8301'].map((id) => findBoard(id)?.provisioningModel);
    expect(models).toEqual(['8180', '8180g2', '8028g2', '8301']);
  });

  it.each([...boards.values()])('$id fills its chip with four partitions of whole sectors', (board) => {
    expect(board.flash.map((p) => p.name)).toEqual(['factory', 'config', 'certs', 'data']);
    for (const partition of board.flash) {
      expect(partition.size % partition.sector).toBe(0);
      // Two areas of at least two sectors each are what the file store needs.
      expect(partition.size / partition.sector).toBeGreaterThanOrEqual(4);
      expect(partition.sector % partition.program).toBe(0);
    }
    const chip = 4096 + board.flash.reduce((sum, p) => sum + p.size, 0);
    expect(Math.log2(chip) % 1).toBe(0);
  });

  it('gives each GPIO line of a board a name of its own', () => {
    for (const board of boards.values()) expect(new Set(board.lines.map((l) => l.name)).size).toBe(board.lines.length);
  });
});
