import { compileOverrides } from '../mapping/overrides.ts';
import { checkVerifier } from '../sources/check-verifier.ts';
import type { Finding } from './config-error.ts';
import type { Draft } from './draft.ts';
import type { SourceConfig } from './source.ts';

type SourceDraft = Draft['sources'][number];
type Verifier = SourceConfig['verify'][number];

/** `payload: {x} is not known; use {body}` → the field, what is wrong, what to do. */
function verifierFinding(verifier: Verifier, text: string): Finding {
  const [, field, rest = text] = /^(\w+): ([^]*)$/.exec(text) ?? [];
  const isField = field !== undefined && Object.hasOwn(verifier, field);
  const [message = text, ...cure] = (isField ? rest : text).split('; ');
  return {
    path: isField ? [field] : [],
    message,
    cure: cure.length === 0 ? 'docs/configuration.md tells how this verifier is set up' : cure.join('; '),
  };
}

function verifierFindings({ verify = [] }: SourceDraft): Finding[] {
  return verify.flatMap((verifier, index) => {
    const text = checkVerifier(verifier);
    if (text === undefined) return [];
    const finding = verifierFinding(verifier, text);
    return [{ ...finding, path: ['verify', index, ...finding.path] }];
  });
}

function compileFailure(overrides: SourceConfig['overrides']): string | undefined {
  try {
    compileOverrides({ overrides });
    return undefined;
  } catch (error) {
    // The path stands before the text already.
    return error instanceof Error
      ? error.message.replace(/^overrides\.\S+ /, '')
      : 'is no JSONata expression';
  }
}

/** Each expression is compiled by itself, so that all the wrong ones are found. */
function overrideFindings({ overrides = {} }: SourceDraft): Finding[] {
  return Object.entries(overrides).flatMap(([eventName, parts]) =>
    (['event', 'profile'] as const).flatMap((part) => {
      const message = compileFailure({ [eventName]: { [part]: parts[part] } });
      if (message === undefined) return [];
      return [
        {
          path: ['overrides', eventName, part],
          message,
          cure: 'mend the expression; `capillary-relay map` shows what it gives for an event',
        },
      ];
    }),
  );
}

const CHECKS: readonly ((source: SourceDraft) => readonly Finding[])[] = [verifierFindings, overrideFindings];

/** Checks of each source, beyond what each key can tell by itself. */
export function sourceFindings({ sources }: Draft): Finding[] {
  return sources.flatMap((source, index) =>
    CHECKS.flatMap((check) => check(source)).map((finding) => ({
      ...finding,
      path: ['sources', index, ...finding.path],
    })),
  );
}
