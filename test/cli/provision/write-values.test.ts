import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeValues } from '../../../src/cli/provision/write-values.ts';

const LOADED = 'destinations:\n  - name: one\n  - name: ${SECOND}   # of the group\n';

function fileWith(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'write-values-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'relay.yaml');
  writeFileSync(path, text);
  const write = (): Promise<void> =>
    writeValues({ path, text: LOADED }, [
      { destination: 'one', index: 0, values: [] },
      { destination: 'two', index: 1, values: [{ key: 'events.flowId', value: 'f-2' }] },
    ]);
  return { write, read: () => readFileSync(path, 'utf8') };
}

describe('the values of a destination', () => {
  it('go to the destination of this name, wherever it is by then', async () => {
    const { write, read } = fileWith(
      'destinations:\n  - name: new # first\n  - name: ${SECOND}\n  - name: one\n',
    );
    await write();
    expect(read()).toBe(
      'destinations:\n  - name: new # first\n  - name: ${SECOND}\n    events:\n      flowId: f-2\n  - name: one\n',
    );
    await write();
    expect(read().match(/flowId/g)).toHaveLength(1);
  });

  it('go nowhere when the destination is gone, or the file is no YAML any more', async () => {
    for (const [text, message] of [
      ['destinations:\n  - name: one\n', /was changed meanwhile and has no destination two/],
      ['destinations: [', /problem/],
    ] as const) {
      const { write, read } = fileWith(text);
      await expect(write()).rejects.toThrow(message);
      expect(read()).toBe(text);
    }
  });
});
