import { describe, expect, it } from 'vitest';
import type { ProgramsChange } from '../../src/journal/journal.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

function change(orgId: number, json: string, replaces?: string): ProgramsChange {
  return { orgId, json, replaces };
}

export function describePrograms(make: MakeStore) {
  return describe('loyalty programs', () => {
    const test = journalInTest(make);

    it('are those that were saved last for each organisation, after a restart too', async () => {
      expect(await test.journal.programs()).toEqual([]);

      await test.journal.savePrograms([change(7, '[{"id":"1"}]'), change(5, '[]')]);
      await test.journal.savePrograms([change(7, '[{"id":"2"}]', '[{"id":"1"}]')]);
      const saved = [
        { orgId: 5, json: '[]' },
        { orgId: 7, json: '[{"id":"2"}]' },
      ];
      expect(await test.journal.programs()).toEqual(saved);

      await test.reopen();
      expect(await test.journal.programs()).toEqual(saved);
    });

    it('are not replaced by what was computed from something else', async () => {
      await test.journal.savePrograms([change(7, '[1]'), change(8, '[8]')]);
      // Two processes have read the same, and one was faster.
      expect(await test.journal.savePrograms([change(7, '[1,2]', '[1]')])).toEqual([]);
      const slower = [change(7, '[1,3]', '[1]'), change(8, '[9]', '[8]'), change(9, '[]')];
      expect(await test.journal.savePrograms(slower)).toEqual([{ orgId: 7, json: '[1,2]' }]);
      expect(await test.journal.savePrograms([change(9, '[4]')])).toEqual([{ orgId: 9, json: '[]' }]);
      expect(await test.journal.savePrograms([change(7, '[1,2,3]', '[1,2]')])).toEqual([]);
      expect(await test.journal.programs()).toEqual([
        { orgId: 7, json: '[1,2,3]' },
        { orgId: 8, json: '[9]' },
        { orgId: 9, json: '[]' },
      ]);
    });

    it('are unchanged by an empty call', async () => {
      await test.journal.savePrograms([change(7, '[]')]);
      expect(await test.journal.savePrograms([])).toEqual([]);

      expect(await test.journal.programs()).toEqual([{ orgId: 7, json: '[]' }]);
    });
  });
}
