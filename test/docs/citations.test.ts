import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CODE = ['src', 'test', 'bench'];
const CITING = [...CODE, 'deploy', 'examples', 'docs', 'openapi.yaml', 'README.md', 'ARCHITECTURE.md'];

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'results']);
const TEXT_FILES = /\.(ts|md|ya?ml|tpl|sh|html)$/;

interface Citation {
  /** Relative to the repository. */
  readonly page: string;
  readonly anchor: string;
}

interface Line {
  readonly place: string;
  readonly text: string;
}

/** The anchor that GitHub gives to a heading that is not a repetition of an earlier one. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** Anchors of a page in the order of its headings, before GitHub numbers the repeated ones. */
function headingAnchors(page: string): readonly string[] {
  const outsideCode = page.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '');
  return [...outsideCode.matchAll(/^#{1,6} +(.+?)(?: +#+)? *$/gm)].map(([, heading = '']) =>
    anchorOf(heading),
  );
}

/** As GitHub numbers them: the second heading of one name ends in `-1`. */
function anchorsOf(page: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  return new Set(
    headingAnchors(page).map((anchor) => {
      const count = counts.get(anchor) ?? 0;
      counts.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

/** What one line cites: `docs/page.md#anchor` anywhere, and the relative links of a page. */
function citationsIn(text: string, file: string): readonly Citation[] {
  const cited = [...text.matchAll(/(?<![\w/.-])(docs\/(?:[\w-]+\/)?[\w-]+\.md)#([\w-]+)/g)].map(
    ([, page = '', anchor = '']) => ({ page, anchor }),
  );
  const links = file.endsWith('.md') ? [...text.matchAll(/\]\(((?!\w+:)[\w./-]*)#([\w-]+)\)/g)] : [];
  return [
    ...cited,
    ...links
      .filter(([, path = '']) => path === '' || path.endsWith('.md'))
      .map(([, path = '', anchor = '']) => ({
        page: path === '' ? file : normalize(join(dirname(file), path)),
        anchor,
      })),
  ];
}

/** Why a line of code cites what is not in the repository; undefined for every other line. */
function foreignCitation(text: string): string | undefined {
  if (/(?<!RFC \d+ )§/.test(text)) {
    return 'a section number';
  }
  if (/\bDESIGN(\.md)?\b/.test(text)) {
    return 'the design';
  }
  if (/(?<!docs\/platforms\/|shared\/reference\/|['"])\b(?:adobe|capillary|capillary-apis)\.md/.test(text)) {
    return 'a page outside of docs/platforms';
  }
  const isComment = /^\s*(?:\/?\*|\/\/)/.test(text);
  return isComment && /(?<!docs\/)\bmapping\.md|\bevents\/documented\b/.test(text)
    ? 'the reference'
    : undefined;
}

/** True where the page or its heading does not exist. */
function isBroken({ page, anchor }: Citation): boolean {
  const path = join(ROOT, page);
  return !existsSync(path) || !anchorsOf(readFileSync(path, 'utf8')).has(anchor);
}

function filesBelow(path: string): readonly string[] {
  if (statSync(join(ROOT, path)).isFile()) {
    return [path];
  }
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter(({ name }) => !SKIPPED_FOLDERS.has(name))
    .flatMap((entry) => {
      const inner = `${path}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(inner) : TEXT_FILES.test(entry.name) ? [inner] : [];
    });
}

function linesOf(file: string): readonly Line[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  return lines.map((text, index) => ({ place: `${file}:${index + 1}`, text }));
}

/** This file plants wrong citations, and has no other. */
const files = (roots: readonly string[]): readonly string[] =>
  roots.flatMap(filesBelow).filter((file) => basename(file) !== 'citations.test.ts');

describe('citations of pages', () => {
  it('name a heading that exists', () => {
    const broken = files(CITING).flatMap((file) =>
      linesOf(file).flatMap(({ place, text }) =>
        citationsIn(text, file)
          .filter(isBroken)
          .map(({ page, anchor }) => `${place} ${page}#${anchor}`),
      ),
    );

    expect(broken).toEqual([]);
  });

  it('in code stay within the repository', () => {
    const foreign = files(CODE)
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        linesOf(file).flatMap(({ place, text }) => {
          const what = foreignCitation(text);
          return what === undefined ? [] : [`${place} cites ${what}: ${text.trim()}`];
        }),
      );

    expect(foreign).toEqual([]);
  });

  it.each(readdirSync(join(ROOT, 'docs/platforms')))('in docs/platforms/%s have one heading each', (name) => {
    const anchors = headingAnchors(readFileSync(join(ROOT, 'docs/platforms', name), 'utf8'));

    expect(anchors.length).toBeGreaterThan(10);
    expect(anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index)).toEqual([]);
  });
});

describe('the check of citations', () => {
  it.each([
    ['Dates inside data', 'dates-inside-data'],
    ['`customerUpdated`, or: what changed?', 'customerupdated-or-what-changed'],
    ["Adobe's [connector](connector.md)", 'adobes-connector'],
    ['On-call & alerts_1', 'on-call--alerts_1'],
    ['Größe', 'größe'],
  ])('makes the anchor of %s as GitHub does', (heading, anchor) => {
    expect(anchorOf(heading)).toBe(anchor);
  });

  it('numbers repeated headings and skips comments in code blocks', () => {
    const page = '# One\n\n```sh\n# no heading\n```\n\n## Two ##\n\n### One\n';

    expect([...anchorsOf(page)]).toEqual(['one', 'two', 'one-1']);
    expect(headingAnchors(page)).toEqual(['one', 'two', 'one']);
  });

  it('finds a planted citation of a heading or page that does not exist', () => {
    const planted =
      'see docs/platforms/capillary.md#static-header, docs/platforms/capillary.md#no-such-heading and docs/none.md#x';

    expect(citationsIn(planted, 'src/a.ts').map(({ anchor }) => anchor)).toEqual([
      'static-header',
      'no-such-heading',
      'x',
    ]);
    expect(
      citationsIn(planted, 'src/a.ts')
        .filter(isBroken)
        .map(({ anchor }) => anchor),
    ).toEqual(['no-such-heading', 'x']);
  });

  it('resolves the links of a page from its folder', () => {
    const text =
      '[a](../mapping.md#notes) [b](#patience) [c](https://example.org/x.md#y) [d](../image.svg#z)';

    expect(citationsIn(text, 'docs/platforms/capillary.md')).toEqual([
      { page: 'docs/mapping.md', anchor: 'notes' },
      { page: 'docs/platforms/capillary.md', anchor: 'patience' },
    ]);
  });

  it.each([
    '/** So it is (reference: capillary.md §2.1). */',
    ' * §5): both still carry it.',
    '// Answers as DESIGN §2 says, see DESIGN.md.',
    ' * Sources: adobe.md, capillary-apis.md.',
    ' * So it is (reference: mapping.md, Identity).',
    '/** badgeEarned (reference: events/documented). */',
  ])('refuses the planted line %s', (line) => {
    expect(foreignCitation(line)).toBeDefined();
  });

  it.each([
    '/** A date of HTTP (RFC 9110 §5.6.7), a fact of docs/platforms/adobe.md#tokens. */',
    "const path = referencePath('capillary.md', 'names');",
    "const page = 'docs/mapping.md'; // and docs/mapping.md",
    "const url = new URL('../../../shared/reference/capillary.md', import.meta.url);",
  ])('accepts the line %s', (line) => {
    expect(foreignCitation(line)).toBeUndefined();
  });
});
