import { describe, expect, it } from 'vitest';
import { journalInTest, type MakeStore } from './test-store.ts';

export function describePrograms(make: MakeStore) {
  return describe('loyalty programs', () => {
    const test = journalInTest(make);

    it('are those that were saved last for each organisation, after a restart too', async () => {
      expect(await test.journal.programs()).toEqual([]);

      await test.journal.savePrograms([
        { orgId: 7, json: '[{"id":"1"}]' },
        { orgId: 5, json: '[]' },
      ]);
      await test.journal.savePrograms([{ orgId: 7, json: '[{"id":"2"}]' }]);
      const saved = [
        { orgId: 5, json: '[]' },
        { orgId: 7, json: '[{"id":"2"}]' },
      ];
      expect(await test.journal.programs()).toEqual(saved);

      await test.reopen();
      expect(await test.journal.programs()).toEqual(saved);
    });

    it('are unchanged by an empty call', async () => {
      await test.journal.savePrograms([{ orgId: 7, json: '[]' }]);
      await test.journal.savePrograms([]);

      expect(await test.journal.programs()).toEqual([{ orgId: 7, json: '[]' }]);
    });
  });
}
