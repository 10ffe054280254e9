import type {
  NewQuarantined,
  Page,
  PageRequest,
  Quarantine,
  Quarantined,
  QuarantineBounds,
} from '../../journal.ts';
import { cursorAt, MAX_PAGE_BYTES, startOf } from '../../pages.ts';
import {
  headersToStore,
  quarantinedBytes,
  type QuarantineColumns,
  readQuarantined,
} from '../../quarantined-requests.ts';
import { isReceipt, newReceipt, RECEIPT } from '../../receipts.ts';
import { storedInteger } from '../engine/append-statement.ts';
import { addCountsSql, NO_DESTINATION } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { storedText, storedTextOrNull, textOf } from '../engine/stored-text.ts';
import type { Statement } from '../sessions/session.ts';

/** Requests that one statement evicts at most. */
const MAX_EVICTED = 500;

/*
 * What is to be evicted: the oldest requests of the source, as many as exceed the bounds by number
 * or by size. Requests that another replica is evicting at this moment are passed by. Two replicas
 * that store at the same time can exceed the bounds by what they store; the next one evicts it.
 *
 * `$1` stream, `$2` source, `$3` and `$4` number and bytes that are too many if nothing is evicted:
 * they are added to what `counts` says.
 */
const EVICTION = `excess AS MATERIALIZED (
    SELECT coalesce(sum(quarantined), 0) + $3::bigint AS n,
      coalesce(sum(quarantined_bytes), 0) + $4::bigint AS bytes FROM counts WHERE source = $2
  ),
  oldest AS MATERIALIZED (
    SELECT receipt, row_number() OVER w AS place, sum(bytes) OVER w - bytes AS before FROM (
      SELECT q.receipt, q.bytes FROM quarantine AS q, excess
      WHERE q.source = $2 AND (excess.n > 0 OR excess.bytes > 0)
      ORDER BY q.receipt LIMIT ${MAX_EVICTED} FOR UPDATE OF q SKIP LOCKED
    ) AS candidates WINDOW w AS (ORDER BY receipt)
  ),
  evicted AS (
    DELETE FROM quarantine AS q USING oldest AS o, excess
    WHERE q.receipt = o.receipt AND (o.place <= excess.n OR o.before < excess.bytes)
    RETURNING q.bytes, octet_length(q.headers) + octet_length(q.body) AS stored
  )`;

const COUNT_CHANGES = {
  quarantined: 'sum(n)',
  quarantined_bytes: 'sum(n * bytes)',
  stored_bytes: 'sum(n * stored)',
};

const INSERT: Statement = {
  name: 'quarantine_insert',
  text: `WITH ${EVICTION},
    stored AS (
      INSERT INTO quarantine (receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes)
      VALUES ($5, $2, $6, $7, $8, $9, $10, $11, $12)
      RETURNING bytes, octet_length(headers) + octet_length(body) AS stored
    ),
    counted AS (${addCountsSql(
      `(SELECT $2::text AS source, '${NO_DESTINATION}' AS destination, changes.* FROM (
          SELECT 1 AS n, * FROM stored UNION ALL SELECT -1, * FROM evicted) AS changes) AS counted`,
      COUNT_CHANGES,
    )})
    SELECT count(*)::integer AS evicted FROM evicted`,
};

const EVICT: Statement = {
  name: 'quarantine_evict',
  text: `WITH ${EVICTION},
    counted AS (${addCountsSql(
      `(SELECT $2::text AS source, '${NO_DESTINATION}' AS destination, -1 AS n, * FROM evicted) AS counted`,
      COUNT_CHANGES,
    )})
    SELECT count(*)::integer AS evicted FROM evicted`,
};

/** Keys first, so that no body is read that the page does not hold. */
const LIST: Statement = {
  name: 'quarantine_list',
  text: `WITH keys AS MATERIALIZED (
      SELECT receipt, bytes FROM quarantine
      WHERE receipt < $1::uuid AND ($2::uuid[] IS NULL OR receipt = ANY ($2::uuid[]))
        AND ($3::text IS NULL OR source = $3) AND ($4::bigint IS NULL OR received_at >= $4)
        AND ($5::bigint IS NULL OR received_at < $5)
      ORDER BY receipt DESC LIMIT $6::integer + 1
    ),
    summed AS (SELECT receipt, row_number() OVER w AS place, sum(bytes) OVER w AS upto FROM keys
      WINDOW w AS (ORDER BY receipt DESC))
    SELECT q.receipt, q.source, q.received_at, q.ip, q.reasons, q.headers, q.body,
      (SELECT count(*)::integer FROM keys) AS found
    FROM summed AS s JOIN quarantine AS q ON q.receipt = s.receipt
    WHERE s.place <= $6 AND (s.place = 1 OR s.upto <= ${MAX_PAGE_BYTES})
    ORDER BY q.receipt DESC`,
};

const REMOVE: Statement = {
  name: 'quarantine_remove',
  text: `WITH removed AS (
      DELETE FROM quarantine WHERE receipt = ANY ($2::uuid[])
      RETURNING source, -1 AS n, bytes, octet_length(headers) + octet_length(body) AS stored
    ),
    counted AS (${addCountsSql(
      `(SELECT *, '${NO_DESTINATION}' AS destination FROM removed) AS counted`,
      COUNT_CHANGES,
    )})
    SELECT count(*)::integer AS removed FROM removed`,
};

const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

interface QuarantineRow extends QuarantineColumns {
  readonly reasons: readonly string[];
  readonly found: number;
}

function sealed({ cipher }: PostgresEngine, plain: Uint8Array): Buffer {
  const { buffer, byteOffset, byteLength } = cipher.encrypt(plain);
  return Buffer.from(buffer, byteOffset, byteLength);
}

async function quarantine(
  engine: PostgresEngine,
  request: NewQuarantined,
  bounds: QuarantineBounds,
): Promise<{ readonly receipt: string; readonly evicted: number }> {
  const { sessions } = engine;
  const at = engine.now();
  const receipt = newReceipt();
  const bytes = quarantinedBytes(request);
  if (bytes > bounds.maxBytes || bounds.maxCount < 1) return { receipt, evicted: 0 };
  const source = storedText(request.source);
  const [row] = await sessions.queryAs<{ evicted: number }>('work', INSERT, [
    source,
    1 - bounds.maxCount,
    bytes - bounds.maxBytes,
    receipt,
    storedInteger(request.receivedAt) ?? at,
    at + bounds.maxAge,
    storedText(request.ip),
    request.reasons.map(storedText),
    sealed(engine, headersToStore(request)),
    sealed(engine, request.body),
    bytes,
  ]);
  let evicted = row?.evicted ?? 0;
  // More than one statement evicts, because the bounds were made narrower.
  for (let last = evicted; last === MAX_EVICTED; evicted += last) {
    const params = [source, -bounds.maxCount, -bounds.maxBytes];
    last = (await sessions.queryAs<{ evicted: number }>('work', EVICT, params))[0]?.evicted ?? 0;
  }
  return { receipt, evicted };
}

/** Undefined if it cannot be read, which is reported. */
function toQuarantined(
  { cipher, reportUnreadable }: PostgresEngine,
  row: QuarantineRow,
): Quarantined | undefined {
  const texts = { source: textOf(row.source), ip: textOf(row.ip) };
  const request = readQuarantined(cipher, { ...row, ...texts }, row.reasons.map(textOf));
  if (typeof request !== 'string') return request;
  reportUnreadable('a quarantined request', request, row.receipt);
  return undefined;
}

async function listQuarantined(
  engine: PostgresEngine,
  { receipts, source, since, until }: Parameters<Quarantine['listQuarantined']>[0],
  page: PageRequest,
): Promise<Page<Quarantined>> {
  const rows = await engine.sessions.query<QuarantineRow>('work', LIST, [
    startOf('quarantine', page, RECEIPT) ?? LAST,
    receipts?.filter(isReceipt) ?? null,
    storedTextOrNull(source),
    since ?? null,
    until ?? null,
    page.limit,
  ]);
  const items = rows.flatMap((row) => toQuarantined(engine, row) ?? []);
  const last = rows.at(-1);
  return last === undefined || rows.length === last.found
    ? { items }
    : { items, cursor: cursorAt('quarantine', last.receipt) };
}

/** What no verifier accepted, in a table of its own. */
export function createQuarantine(engine: PostgresEngine): Quarantine {
  return {
    quarantine: (request, bounds) => quarantine(engine, request, bounds),
    listQuarantined: (filter, page) => listQuarantined(engine, filter, page),
    removeQuarantined: async (receipts) => {
      const known = [...new Set(receipts)].filter(isReceipt);
      const [row] = await engine.sessions.queryAs<{ removed: number }>('work', REMOVE, [known]);
      return { removed: row?.removed ?? 0 };
    },
  };
}
