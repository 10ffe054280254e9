import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { until } from '../helpers/until.ts';

const volume = mkdtempSync(join(tmpdir(), 'relay-volume-'));
const ballast = join(volume, 'ballast');

/** Whether a command that needs rights or a tool can be run here. */
function can(command: string, ...words: string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const isMounted = can('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', volume);
const canLimit = can('prlimit', '--version');
if (!isMounted) reportSkip('a full volume', 'a tmpfs cannot be mounted here');
if (!canLimit) reportSkip('failing writes', 'prlimit is not installed');

let simulator: Simulator;
const folders: ReturnType<typeof relayFolder>[] = [];

async function startOn(path?: string): Promise<RelayProcess> {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  const folder = relayFolder(config);
  folders.push(folder);
  // So low that the disk itself says first that it is full.
  Object.assign(config.store, { minFree: '1B' }, path === undefined ? {} : { path });
  return folder.start();
}

let made = 0;
function bigEvent(): object {
  return { ...transactionAdded((made += 1)), pad: 'x'.repeat(20_000) };
}

/** Sends events, some at a time, until one is refused. @returns receipts of the accepted, and the refusals */
async function sendUntilRefused(relay: RelayProcess): Promise<{ receipts: string[]; refused: Response[] }> {
  const receipts: string[] = [];
  for (;;) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => relay.post(bigEvent())));
    const refused = answers.filter((answer) => answer.status !== 200);
    for (const answer of answers) {
      if (answer.status === 200) receipts.push(((await answer.json()) as { receipt: string }).receipt);
    }
    if (refused.length > 0) return { receipts, refused };
  }
}

async function receiptOf(relay: RelayProcess): Promise<string | undefined> {
  const answer = await relay.post(bigEvent());
  return answer.status === 200 ? ((await answer.json()) as { receipt: string }).receipt : undefined;
}

/** All that was answered 200 is there and delivered, and nothing else is. */
async function expectAll(relay: RelayProcess, receipts: readonly string[]): Promise<void> {
  const ledger = await until(async () => {
    const { body } = await relay.admin('/admin/v1/ledger');
    return body.pending === 0 ? body : undefined;
  });
  expect(ledger).toMatchObject({ accepted: receipts.length, delivered: receipts.length, balanced: true });
  for (const receipt of receipts) expect((await relay.admin(`/admin/v1/events/${receipt}`)).status).toBe(200);
}

beforeAll(async () => {
  simulator = await startSimulator({});
});

afterAll(async () => {
  await Promise.all(folders.map((folder) => folder.remove()));
  if (isMounted) execFileSync('umount', [volume]);
  rmSync(volume, { recursive: true, force: true });
  await simulator.close();
});

describe.skipIf(!isMounted)('a volume that is full', () => {
  it('is answered 503, costs nothing that was accepted, and is forgotten when there is room again', async () => {
    writeFileSync(ballast, Buffer.alloc(4 * 1_048_576));
    const relay = await startOn(join(volume, 'data'));
    const { receipts, refused } = await sendUntilRefused(relay);
    expect(receipts.length).toBeGreaterThan(10);
    for (const answer of refused) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await relay.admin('/livez')).status).toBe(200);

    rmSync(ballast);
    receipts.push(await until(() => receiptOf(relay)));
    expect((await relay.admin('/readyz')).status).toBe(200);
    await expectAll(relay, receipts);
    expect(await relay.end('SIGTERM')).toBe(0);
  });
});

describe.skipIf(!canLimit)('a disk that fails at every write', () => {
  it('is answered 503, costs nothing that was accepted, and is forgotten when it works again', async () => {
    const relay = await startOn();
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(relay.pid), `--fsize=${bytes}:`]);
    const receipts = [await until(() => receiptOf(relay))];
    await expectAll(relay, receipts);

    // A write beyond this position of a file fails, as the writes of a broken disk do.
    limit('4096');
    const { receipts: meanwhile, refused } = await sendUntilRefused(relay);
    expect(meanwhile).toEqual([]);
    for (const answer of refused) {
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ code: 'store-failing' });
    }
    const ready = await until(async () => {
      const answer = await relay.admin('/readyz');
      return answer.status === 503 && answer;
    });
    expect(ready.body.checks).toContainEqual(expect.objectContaining({ name: 'journal', ok: false }));
    expect((await relay.admin('/livez')).status).toBe(200);

    limit('unlimited');
    receipts.push(await until(() => receiptOf(relay)));
    await expectAll(relay, receipts);
    await until(() => relay.log.some(({ msg }) => msg === 'intake open: the store can take events'));
    expect(await relay.end('SIGTERM')).toBe(0);
  });
});
