/** `belfry boards` as its users call it. */
import { describe, expect, it } from 'vitest';
import { CannotRun, parseArguments } from '../../tools/command.js';
import { boardsCommand } from '../../tools/commands/boards.js';

/** What it says, and with `--json` what it records. */
async function boards(...argv: string[]): Promise<{ said: string[]; records: Record<string, unknown>[] }> {
  const said: string[] = [];
  const records: Record<string, unknown>[] = [];
  const args = parseArguments(boardsCommand, argv);
  const io = {
    json: args.flag('json'),
    say: (line: string) => void said.push(line),
    record: (object: object) => void records.push({ ...object }),
  };
  expect(await boardsCommand.run(args, io)).toBe(0);
  return { said, records };
}

describe('belfry boards', () => {
  it('lists every board, with the reason where there is no TLS', async () => {
    const { said } = await boards();
    expect(said).toHaveLength(16);
    expect(said.find((line) => line.startsWith('8061 '))).toMatch(/no TLS \("Securing Algo IP Endpoints", page 3\)$/);
    expect(said.find((line) => line.startsWith('8036 '))).toMatch(/no TLS \(Zoom configuration guide, 2026\)$/);
    expect(said.find((line) => line.startsWith('8301 '))).toMatch(/firmware 5\.5 +TLS$/);
  });

  it('says which firmware has what this one lacks', async () => {
    const { said } = await boards('8180-g2', '--firmware', '3.0');
    const line = (label: string): string | undefined => said.find((text) => text.startsWith(`  ${label} `))?.slice(24);
    expect(line('TLS')).toBe('1.0 to 1.2');
    expect(line('device certificate')).toBe('yes');
    expect(line('certs/trusted')).toBe("no: the 8180 G2 has uploads to 'certs/trusted' from firmware 3.1, and runs 3.0");
    expect(line('REST API')).toMatch(/^no: .* from firmware 3\.3/);
  });

  it('lists the settings of a board: whose they are, what they may be, whether anything acts on them', async () => {
    const { said } = await boards('8301', '--settings', '--firmware', '4.0');
    const line = (key: string): string | undefined => said.find((text) => text.startsWith(`${key} = `));
    expect(line('prov.download.cert')).toMatch(/= 0 +Advanced Settings > Provisioning > Validate Server Certificate; 0 or 1; seed$/);
    expect(line('sip.outbound')).toMatch(/; template, without effect yet$/);
    expect(line('sip.tls.force')).toMatch(/; ours, "Force secure TLS Version" was removed in firmware 4\.0/);
    expect(line('net.ip')).toBeUndefined();
  });

  it('records them by key', async () => {
    const { records } = await boards('8061', '--settings', '--json');
    const keys = records.map(({ key }) => key);
    expect(keys).toContain('net.ip');
    expect(keys).not.toContain('sip.transp');
    expect(records.find(({ key }) => key === 'sip.u1.pwd')).toMatchObject({ default: '', effect: 'acts', secret: true });
  });

  it('knows no other board, no other version, and no settings of all at once', async () => {
    await expect(boards('8181')).rejects.toThrow(CannotRun);
    await expect(boards('8301', '--firmware', 'new')).rejects.toThrow(/write it like 5\.5/);
    await expect(boards('--settings')).rejects.toThrow(/name it/);
  });
});
