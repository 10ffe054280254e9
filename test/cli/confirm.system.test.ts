import { once } from 'node:events';
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportSkip } from '../helpers/report-skip.ts';
import { type AdminCliRig, event, openAdminCliRig, TOKEN } from './admin-cli-rig.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const hasScript = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false;
if (!hasScript) reportSkip('confirmation on a terminal', '`script` of util-linux is not installed');

let rig: AdminCliRig;
beforeEach(async () => {
  rig = await openAdminCliRig();
});
afterEach(() => rig.relay.close());

/** Runs a command on a terminal, and answers its question. */
async function onTerminal(words: string, answer: string) {
  const line = `${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} ${words} --url ${rig.url}`;
  const child = spawn('script', ['-qfec', line, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'dumb', RELAY_ADMIN_TOKEN: TOKEN },
  });
  let output = '';
  let isAnswered = false;
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (isAnswered || !output.includes('[y/N]')) return;
    isAnswered = true;
    child.stdin.write(`${answer}\n`);
  });
  const [code] = await once(child, 'close');
  return { code: code as number, output };
}

describe.runIf(hasScript)('a command on a terminal', () => {
  it.each([
    ['quarantine discard --all', 'Discard 1 quarantined request? [y/N]', 'quarantined'],
    ['dead-letters discard --reason malformed', 'Discard 1 dead letter? [y/N]', 'malformed'],
  ])('%s shows what it would discard, and asks', async (words, question, count) => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    await rig.post({ nothing: true });
    const kept = await onTerminal(words, 'n');
    expect(kept.code).toBe(1);
    expect(kept.output).toContain('1 would be discarded');
    expect(kept.output).toContain(question);
    expect(kept.output).toContain('nothing was done');
    expect(await rig.relay.journal.ledger()).toMatchObject({ acme: { [count]: 1 } });
    expect(await onTerminal(words, 'y')).toMatchObject({
      code: 0,
      output: expect.stringContaining('matched 1, discarded 1'),
    });
    expect(await rig.relay.journal.ledger()).toMatchObject({ acme: { [count]: 0 } });
  });

  it('events replay shows what it would send again, and asks', async () => {
    await rig.post(event('e-1', 11));
    await rig.relay.settle(() => ({ state: 'delivered', delivered: ['event'] }));
    const words = 'events replay --states delivered --all';
    const kept = await onTerminal(words, 'n');
    expect(kept.code).toBe(1);
    expect(kept.output).toContain('1 would be replayed');
    expect(kept.output).toContain('Note (1): delivered events keep their _id');
    expect(kept.output).toContain('Replay 1 event? [y/N]');
    expect(kept.output).toContain('nothing was done');
    expect(await rig.relay.journal.ledger()).toMatchObject({ acme: { pending: 0 } });
    expect(await onTerminal(words, 'y')).toMatchObject({
      code: 0,
      output: expect.stringContaining('matched 1, replayed 1'),
    });
  });

  it('asks for single receipts too, because discarding cannot be undone', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const [item] = (await rig.relay.journal.listQuarantined({}, { limit: 1 })).items;
    const { code, output } = await onTerminal(`quarantine discard ${item!.receipt}`, 'n');
    expect([code, output.includes('[y/N]')]).toEqual([1, true]);
  });
});
