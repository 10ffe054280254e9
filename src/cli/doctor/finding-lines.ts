import { styleText } from 'node:util';
import { toPrintable } from '../table.ts';
import type { Finding } from './finding.ts';

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/** The findings as lines for people, each with its fix below it. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, level, detail, fix }) => {
      const line = `${styleText(COLOURS[level], level.padEnd(4))}  ${check.padEnd(width)}  ${toPrintable(detail)}`;
      return fix === undefined ? line : `${line}\n${' '.repeat(width + 8)}fix: ${toPrintable(fix)}`;
    })
    .join('\n');
}
