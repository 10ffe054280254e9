import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
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

/** Whether a command succeeds here; it may be missing or need privileges. */
function canRun(command: string, ...words: string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const isMounted = canRun('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', volume);
const canLimit = canRun('prlimit', '--version');
if (!isMounted) reportSkip('a full volume', 'a tmpfs cannot be mounted here');
if (!canLimit) reportSkip('failing writes', 'prlimit is not installed');

let simulator: Simulator;
const folders: ReturnType<typeof relayFolder>[] = [];

async function startOn(path?: string): Promise<RelayProcess> {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  const folder = relayFolder(config);
  folders.push(folder);
  // So low that the disk is full before the watermark is reached.
  Object.assign(config.store, { minFree: '1B' }, path === undefined ? {} : { path });
  return folder.start();
}

let eventCount = 0;
function bigEvent(): object {
  return { ...transactionAdded((eventCount += 1)), pad: 'x'.repeat(20_000) };
}

/**
 * Sends groups of events until one is refused.
 * @returns receipts of the accepted, and the refusals
 */
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

/** Every event that was answered with 200 is delivered, and there are no others. */
async function expectDelivered(relay: RelayProcess, receipts: readonly string[]): Promise<void> {
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

describe.skipIf(!isMounted)('a full volume', () => {
  it('causes 503, loses no accepted event, and the relay recovers when there is space again', async () => {
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
    await expectDelivered(relay, receipts);
    expect(await relay.stop('SIGTERM')).toBe(0);
  });
});

describe.skipIf(!isMounted)('a volume that is full at the start', () => {
  it('is named, with what to do', async () => {
    writeFileSync(ballast, Buffer.alloc(1));
    const free = statfsSync(volume);
    appendFileSync(ballast, Buffer.alloc(free.bavail * free.bsize));
    await expect(startOn(join(volume, 'full'))).rejects.toThrow(/no space left .*ENOSPC/u);
    rmSync(ballast);
  });
});

describe('a store whose files are removed while it is used', () => {
  it('is noticed: the intake closes, and opens when the file is back', async () => {
    const relay = await startOn();
    const receipts = [await until(() => receiptOf(relay))];
    await expectDelivered(relay, receipts);
    const file = join(folders.at(-1)!.folder, 'data', 'relay.db');
    renameSync(file, `${file}.away`);
    const refused = await until(async () => {
      const answer = await relay.post(bigEvent());
      return answer.status === 503 && answer;
    });
    expect(await refused.json()).toMatchObject({ code: 'store-failing' });
    expect((await relay.admin('/readyz')).status).toBe(503);
    await until(() => relay.log.some(({ msg }) => /relay\.db was removed while/u.test(String(msg))));
    renameSync(`${file}.away`, file);
    await until(() => receiptOf(relay));
    expect((await relay.admin('/readyz')).status).toBe(200);
    expect(await relay.stop('SIGTERM')).toBe(0);
  });
});

describe.skipIf(!canLimit)('a disk on which every write fails', () => {
  it('causes 503, loses no accepted event, and the relay recovers when it works again', async () => {
    const relay = await startOn();
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(relay.pid), `--fsize=${bytes}:`]);
    const receipts = [await until(() => receiptOf(relay))];
    await expectDelivered(relay, receipts);

    // Writes beyond this file offset fail, as on a broken disk.
    limit('4096');
    const { receipts: acceptedMeanwhile, refused } = await sendUntilRefused(relay);
    expect(acceptedMeanwhile).toEqual([]);
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
    await expectDelivered(relay, receipts);
    await until(() => relay.log.some(({ msg }) => msg === 'intake open: the store accepts events'));
    expect(await relay.stop('SIGTERM')).toBe(0);
  });
});
