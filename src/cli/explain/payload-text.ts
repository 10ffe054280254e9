/** A body as the admin API shows it. */
interface Payload {
  readonly body?: unknown;
  readonly bodyBase64?: string;
  readonly sent?: unknown;
}

// Of control characters JSON escapes only the first 32; a terminal would interpret the others.
const UNSAFE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Escapes characters that a terminal would interpret, except the ends of lines and tabs. */
function escapeUnsafe(text: string): string {
  return text.replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** The text of bytes that are text in UTF-8; undefined if they are anything else. */
function textOf(base64: string): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
    // oxlint-disable-next-line no-control-regex -- binary data has such characters, text has not
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A payload for people: JSON, or the text of a body that is not JSON; base64 only for bytes. */
export function formatPayload({ body, bodyBase64, sent }: Payload): string {
  const text = bodyBase64 === undefined ? undefined : textOf(bodyBase64);
  if (text !== undefined)
    return `Body, which is not JSON:\n${escapeUnsafe(text.replaceAll('\r\n', '\n').replaceAll('\r', '\\r'))}`;
  const shown = { ...(body === undefined ? { bodyBase64 } : { body }), sent };
  return escapeUnsafe(JSON.stringify(shown, undefined, 2));
}
