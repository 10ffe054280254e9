import type { OversizedBody } from './request-body.ts';

const PREFIX = 'truncated: ';

/** Why a body is stored in part, with what identifies the whole one. */
export function truncationDetail({ head, bytes, sha256, isComplete }: OversizedBody): string {
  const [size, hashed] = isComplete
    ? [`${bytes} bytes`, 'the whole body']
    : [`more than ${bytes} bytes`, `its first ${bytes} bytes`];
  return (
    `${PREFIX}the body has ${size}, over server.bodyLimit; its first ${head.length} are stored; ` +
    `SHA-256 of ${hashed}: ${sha256}`
  );
}

/** True for the detail of a body that is stored in part, which no later version can read. */
export function isTruncated(detail: string | undefined): boolean {
  return detail?.startsWith(PREFIX) === true;
}
