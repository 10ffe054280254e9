import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { plainJsonSchema } from '../../src/config/json-schema.ts';
import { referenceTables } from './reference-table.ts';

const file = new URL('../../docs/configuration.md', import.meta.url).pathname;

describe('docs/configuration.md', () => {
  // To update it: npx vitest run test/config -u
  it('describes every key of the schema', async () => {
    const [before, rest = ''] = readFileSync(file, 'utf8').split(/(?<=<!-- keys:begin .*-->\n)/);
    const after = rest.slice(rest.indexOf('<!-- keys:end -->'));
    const text = `${before}\n${referenceTables(plainJsonSchema())}\n\n${after}`;
    await expect(text).toMatchFileSnapshot(file);
  });
});
