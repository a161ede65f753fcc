import { describe, expect, it } from 'vitest';
import { boards, findBoard } from '../../boards/index.js';

describe('boards', () => {
  it('lists the models of the first release by id', () => {
    expect([...boards.keys()]).toEqual(['8028-g1', '8061', '8128-g1', '8180-g1', '8180-g2', '8301', 'host']);
    for (const [id, board] of boards) expect(board.id).toBe(id);
    expect(findBoard('8180-g2')?.model).toBe('8180 G2');
    expect(findBoard('8180')).toBeUndefined();
  });

  // "the following endpoints do not support TLS: 8180 IP Audio Alerter (G1), 8028 IP Doorphone (G1), 8128 IP Visual Alerter (G1),
  // 8061 IP Relay Controller" (starting document, page 3).
  it.each(['8180-g1', '8028-g1', '8128-g1', '8061'])('%s has no TLS, and says why', (id) => {
    const board = findBoard(id);
    expect(board?.tls).toEqual({ supported: false, why: expect.stringContaining('do not support TLS') });
    expect(board?.dnsSrv).toBe(false);
  });

  it.each(['8180-g2', '8301', 'host'])('%s has TLS', (id) => {
    expect(findBoard(id)?.tls).toEqual({ supported: true });
  });

  it('names the provisioning file as the vendor does', () => {
    const models = ['8180-g1', '8180-g2', '8301'].map((id) => findBoard(id)?.provisioningModel);
    expect(models).toEqual(['8180', '8180g2', '8301']);
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
