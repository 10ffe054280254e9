import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTAKE_LOG_FILES } from '../../src/journal/sqlite/engine/intake-log.ts';
import { DATABASE_FILE, MARKER_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { readMarker } from '../../src/journal/sqlite/engine/store-marker.ts';
import type { Channel } from '../../src/journal/sqlite/thread/channel.ts';
import { createMaintenanceRunner } from '../../src/journal/sqlite/thread/maintenance-runner.ts';
import { append, appendAll, sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

function collect() {
  const lines: string[] = [];
  return { lines, log: { error: (_fields: object, line: string) => lines.push(line) } };
}

describe('files that are removed while the relay uses them', () => {
  it.each([DATABASE_FILE, `${DATABASE_FILE}-wal`, ...INTAKE_LOG_FILES])(
    '%s: the status says so until it is back, and the log once',
    async (name) => {
      const path = await journalFolder();
      const { lines, log } = collect();
      const journal = await openJournal(path, { log });
      await append(journal, sampleEvent());
      expect(await journal.status()).toMatchObject({ isWritable: true });
      const [file, away] = [join(path, name), join(path, 'away')];
      renameSync(file, away);
      for (let n = 0; n < 2; n += 1)
        expect(await journal.status()).toMatchObject({
          isWritable: false,
          failure: expect.stringMatching(
            `${name} was removed while the relay is using it.*put the file back`,
          ),
        });
      expect(lines).toEqual([expect.stringContaining('was removed')]);
      copyFileSync(away, file);
      expect(await journal.status()).toMatchObject({ failure: expect.stringContaining('was replaced') });
      renameSync(away, file);
      expect(await journal.status()).toMatchObject({ isWritable: true });
    },
  );

  it('the whole folder', async () => {
    const path = join(await journalFolder(), 'data');
    const journal = await openJournal(path);
    renameSync(path, `${path}-away`);
    expect(await journal.status()).toMatchObject({ isWritable: false });
    await mkdir(path);
    expect(await journal.status()).toMatchObject({ isWritable: false });
    rmSync(path, { recursive: true });
    renameSync(`${path}-away`, path);
    expect(await journal.status()).toMatchObject({ isWritable: true });
  });
});

describe('maintenance that fails for one reason', () => {
  it('reports it once, however often it is retried', async () => {
    const failed: string[] = [];
    const retried = Promise.withResolvers<void>();
    let looks = 0;
    const answers = { retain: { removed: 0, more: false }, reencrypt: { reencrypted: 0, share: 1 } };
    const runner = createMaintenanceRunner(
      { call: (async (name: keyof typeof answers) => answers[name]) as unknown as Channel['call'] },
      (report) => {
        if (report.kind === 'failed') failed.push(report.error.message);
      },
      () => {
        looks += 1;
        if (looks === 3) retried.resolve();
        return Promise.reject(new Error('ENOENT: no such file or directory, statfs'));
      },
    );
    runner.maintain(() => ({
      retention: { delivered: 1, dead: 1, malformed: 1, ids: 1, records: 1 } as never,
      maxBytes: 1,
      minFree: 0,
    }));
    await retried.promise;
    await runner.stop();
    expect(failed).toEqual(['ENOENT: no such file or directory, statfs']);
  });
});

describe('a start where a store was and is no more', () => {
  async function stoppedStore() {
    const path = await journalFolder();
    const journal = await openJournal(path);
    await appendAll(journal, [sampleEvent(), sampleEvent()]);
    await journal.close();
    return path;
  }

  it('is noticed by the marker, which says what the store held', async () => {
    const path = await stoppedStore();
    expect(readMarker(path)?.accepted).toBe(2);
    for (const name of readdirSync(path)) if (name !== MARKER_FILE) rmSync(join(path, name));
    const { lines, log } = collect();
    const journal = await openJournal(path, { log });
    await journal.ledger();
    expect(lines).toEqual([
      expect.stringMatching(/^the store holds 0 accepted events, but had 2 on .*relay\.db was removed/u),
    ]);
  });

  it('is refused if its intake log is still there', async () => {
    const path = await stoppedStore();
    rmSync(join(path, DATABASE_FILE));
    await expect(openJournal(path)).rejects.toThrow(/its intake log exists/u);
    expect(existsSync(join(path, DATABASE_FILE))).toBe(false);
  });

  it('says nothing about a store that holds what it held', async () => {
    const path = await stoppedStore();
    const { lines, log } = collect();
    const journal = await openJournal(path, { log, expect: 'existing' });
    await journal.ledger();
    expect(lines).toEqual([]);
  });

  it('is refused if store.expect is existing, and nothing is created', async () => {
    const path = join(await journalFolder(), 'volume');
    const opening = openJournal(path, { expect: 'existing' });
    await expect(opening).rejects.toThrow(/there is no store in .*volume, but store\.expect is existing/u);
    await expect(opening).rejects.toMatchObject({ fix: expect.stringContaining('store.expect: any') });
    expect(existsSync(path)).toBe(false);
  });
});
