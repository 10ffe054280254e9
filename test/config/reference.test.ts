import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { plainJsonSchema } from '../../src/config/json-schema.ts';
import { withReferenceTables } from './reference-table.ts';

const file = new URL('../../docs/configuration.md', import.meta.url).pathname;

describe('docs/configuration.md', () => {
  // To update it: npm run docs
  it('describes every key of the schema', async () => {
    const text = withReferenceTables(readFileSync(file, 'utf8'), plainJsonSchema());
    await expect(text).toMatchFileSnapshot(file);
  });
});
