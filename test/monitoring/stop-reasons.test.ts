import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STOP_REASON } from '../../src/monitoring/metric-labels.ts';

const ROOT = join(import.meta.dirname, '../..');
function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
function matches(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...textOf(`${folder}/${name}`).matchAll(pattern)].map(([, found = '']) => found));
}

/** Reasons in the code of the delivery; those of IMS are the codes of a failed token. */
const inDelivery = [
  ...matches('src/delivery', /(?:pauseForFault|recordFailure|block\('\w+',)\s*\(?\s*'([\w-]+)'/g),
  ...matches('src/delivery', /\breason: '([a-z-]+)' *[,}]/g),
  ...matches('src/delivery', /^ {2}\[\/.+\/i, '([a-z-]+)'\]/gm),
];
/** A token that the inlet refuses stops the destination for the inlet's reason. */
const ofTokens = matches('src/adobe/ims', /ok: false, code: '(\w+)'/g)
  .filter((code) => code !== 'token_refused')
  .map((code) => `ims-${code}`);

/** These are reasons of single events, not of pauses. */
const OF_EVENTS = new Set(['mapping-failed', 'too-large', 'rejected', 'merged']);

describe('the reasons for which a destination stops', () => {
  it('are listed among the values of the metrics', () => {
    const found = [...inDelivery, ...ofTokens].filter((reason) => !OF_EVENTS.has(reason));
    expect(found).toEqual(
      expect.arrayContaining([
        'foreign-answer',
        'everything-refused',
        'throttled',
        'unauthorized',
        'wrong-ims-org',
      ]),
    );
    expect(found.filter((reason) => !STOP_REASON.includes(reason))).toEqual([]);
  });

  it.each(STOP_REASON.map((reason) => reason.replace(/^ims-.*/, 'ims-…')))(
    '%s stands in the runbook and in the operations guide',
    (reason) => {
      expect(textOf('docs/runbook.md')).toContain(`\`${reason}\``);
      expect(textOf('docs/operations.md')).toContain(`\`${reason}\``);
    },
  );
});
