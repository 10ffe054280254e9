import { writeFileSync } from 'node:fs';
import { generatedFiles, placeOf } from './generated.ts';

// npm run docs
for (const [file, text] of await generatedFiles()) writeFileSync(placeOf(file), text);
