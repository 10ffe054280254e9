import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generatedFiles, placeOf } from './generated.ts';

// Updated by: npm run docs
it.each([...(await generatedFiles())])('%s is up to date', (file, text) => {
  expect(readFileSync(placeOf(file), 'utf8') === text, 'outdated: npm run docs').toBe(true);
});
