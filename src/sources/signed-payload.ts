import type { Hmac } from 'node:crypto';

const PLACEHOLDERS = ['body', 'timestamp', 'id', 'bodyHash'] as const;

/** What a template can be filled with. */
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** The pieces of a template in order. */
export type TemplatePart = { readonly literal: string } | { readonly placeholder: Placeholder };

/** Cuts a template such as `{timestamp}.{body}` into its parts; a word in braces that is no placeholder stays as it is. */
export function parseTemplate(template: string): readonly TemplatePart[] {
  return template
    .split(/(\{(?:body|timestamp|id|bodyHash)\})/)
    .filter((piece) => piece !== '')
    .map((piece) => {
      const placeholder = PLACEHOLDERS.find((name) => piece === `{${name}}`);
      return placeholder === undefined ? { literal: piece } : { placeholder };
    });
}

/** True when the template holds the placeholder. */
export function hasPlaceholder(parts: readonly TemplatePart[], wanted: Placeholder): boolean {
  return parts.some((part) => 'placeholder' in part && part.placeholder === wanted);
}

/** The first word in braces that is no placeholder, so that a slip of the pen is not signed as it stands. */
export function unknownPlaceholder(parts: readonly TemplatePart[]): string | undefined {
  return parts
    .map((part) => ('literal' in part ? /\{\s*\w*\s*\}/.exec(part.literal)?.[0] : undefined))
    .find(Boolean);
}

/** Feeds the filled template to a hash: the body goes in as bytes, because not every body survives becoming text. */
export function updateWith(
  hmac: Hmac,
  parts: readonly TemplatePart[],
  values: Readonly<Record<Placeholder, string | Uint8Array>>,
): Hmac {
  for (const part of parts) {
    hmac.update('literal' in part ? part.literal : values[part.placeholder]);
  }
  return hmac;
}
