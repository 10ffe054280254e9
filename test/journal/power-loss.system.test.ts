import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { until } from '../helpers/until.ts';
import { expectAccepted } from './accepted-check.ts';
import { journalFolder } from './journal-folder.ts';
import { startBusy } from './process-child.ts';

/** `.ci/run` sets it: many more moments, which take minutes. */
const IS_LONG = process.env['LONG_POWER_LOSS'] === '1';
const STORES = IS_LONG ? 5 : 3;
/** Of each store. */
const MOMENTS = IS_LONG ? 10 : 3;
const KILLS = 8;
const BLOCK_BYTES = 4_096;
/** What the test writes beside the files of the store. */
const isCounter = (name: string): boolean => name.endsWith('.syncs');

/** A generator of numbers from 0 to 1 that a seed repeats. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything that was not synced is lost. */
function restoreSynced(synced: string, to: string): void {
  for (const name of readdirSync(synced))
    if (!isCounter(name)) writeFileSync(join(to, name), readFileSync(join(synced, name)));
}

/** Which blocks of a file have reached the disk: none, all, some, those before or after a place. */
function chooseBlocks(blocks: number, random: () => number): (block: number) => boolean {
  const share = random();
  const cut = Math.floor(random() * blocks);
  const choices = [
    () => false,
    () => true,
    () => random() < share,
    (block: number) => block < cut,
    (block: number) => block >= cut,
  ];
  return choices[Math.floor(random() * choices.length)] as (block: number) => boolean;
}

/** Of what was not synced, the disk has some blocks: it writes them in any order. */
function restoreMixed(live: string, synced: string, to: string, random: () => number): void {
  for (const name of readdirSync(live)) {
    const now = readFileSync(join(live, name));
    const before = existsSync(join(synced, name)) ? readFileSync(join(synced, name)) : Buffer.alloc(0);
    const hasReached = chooseBlocks(Math.ceil(now.length / BLOCK_BYTES), random);
    const isResized = hasReached(Math.floor(now.length / BLOCK_BYTES));
    const mixed = Buffer.alloc(isResized ? now.length : before.length);
    before.copy(mixed);
    for (let at = 0; at < mixed.length; at += BLOCK_BYTES)
      if (hasReached(at / BLOCK_BYTES)) now.copy(mixed, at, at, at + BLOCK_BYTES);
    writeFileSync(join(to, name), mixed);
  }
}

/** Whether the write-ahead log has another header than the one that was synced. */
function isOverwriting(live: string, synced: string): boolean {
  const file = `${DATABASE_FILE}-wal`;
  if (!existsSync(join(synced, file))) return false;
  const headers = [live, synced].map((folder) => readFileSync(join(folder, file)).subarray(0, 32));
  return headers[0]?.equals(headers[1] as Buffer) === false;
}

/** Stops all threads of a process, and returns when they are stopped. */
async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const tasks = `/proc/${pid}/task`;
  await until(() =>
    readdirSync(tasks).every((task) => / T /u.test(readFileSync(join(tasks, task, 'stat'), 'latin1'))),
  );
}

/** The folder of a busy process, and what a loss of power would leave of it for certain. */
async function startWatched() {
  const [live, synced] = [await journalFolder(), await journalFolder()];
  const child = startBusy(live, 1, { SYNCED_FROM: live, SYNCED_TO: synced });
  await child.printed(1);
  return { live, synced, child, pid: child.process.pid as number };
}

describe.runIf(process.platform === 'linux')('a loss of power', () => {
  // Several stores, because a small one is copied and checked quickly.
  it.each(Array.from({ length: STORES }, (_, n) => n + 1))(
    `loses nothing that was answered, at ${MOMENTS} moments, whatever the disk has kept: store %i`,
    async (store) => {
      const seed = Date.now() % 2 ** 31;
      const random = randomOf(seed);
      const restored = join(await journalFolder(), 'restored');
      const { live, synced, child, pid } = await startWatched();
      const syncsOf = (name: string): number =>
        statSync(join(synced, `${name}.syncs`), { throwIfNoEntry: false })?.size ?? 0;
      await until(() => syncsOf('intake-0.log') > 20);
      // The write-ahead log was copied into the file and overwritten.
      await until(() => syncsOf(DATABASE_FILE) > 1 && syncsOf(`${DATABASE_FILE}-wal`) > 3);
      for (let moment = 0; moment < MOMENTS; moment += 1) {
        await sleep(random() * 300);
        await freeze(pid);
        // Half of them at the worst time: the write-ahead log is being overwritten.
        const mostTries = moment % 2 === 1 ? 150 : 0;
        for (let tries = 0; tries < mostTries && !isOverwriting(live, synced); tries += 1) {
          process.kill(pid, 'SIGCONT');
          await sleep(random() * 30);
          await freeze(pid);
        }
        const answered = child.answered();
        for (const what of ['nothing that was not synced', 'some of what was not synced']) {
          mkdirSync(restored);
          if (what.startsWith('nothing')) restoreSynced(synced, restored);
          else restoreMixed(live, synced, restored, random);
          try {
            await expectAccepted(restored, answered);
          } catch (error) {
            const where = `store ${store}, seed ${seed}, moment ${moment}`;
            throw new Error(`${where}: the disk has kept ${what}`, { cause: error });
          }
          rmSync(restored, { recursive: true });
        }
        process.kill(pid, 'SIGCONT');
      }
    },
  );
});

describe('a process that is killed while it settles', () => {
  it(`loses nothing that was answered, and only the newest outcomes, ${KILLS} times`, async () => {
    const path = await journalFolder();
    const answered = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = startBusy(path, 1 + kill * 1_000_000);
      await child.printed(1);
      await sleep(Math.random() * 1_500);
      child.process.kill('SIGKILL');
      expect((await child.exited()).code).toBe('SIGKILL');
      answered.push(...child.answered());
      await expectAccepted(path, answered);
    }
    expect(answered.length).toBeGreaterThan(1_000);
  });
});
