import { styleText } from 'node:util';
import { toPrintable } from '../table.ts';
import type { Finding, Level } from './finding.ts';

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

export function countFindings(findings: readonly Finding[], level: Level): number {
  return findings.filter((finding) => finding.level === level).length;
}

/** The lines of the findings, and below them how many there are of each level. */
export function formatCountedFindings(findings: readonly Finding[]): string {
  const warnings = countFindings(findings, 'warn');
  const counts = [
    `${countFindings(findings, 'ok')} ok`,
    `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    `${countFindings(findings, 'fail')} failed`,
  ];
  return `${formatFindings(findings)}\n\n${counts.join(', ')}`;
}
