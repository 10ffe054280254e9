import { expect, it } from 'vitest';
import { deliverEvents, failedLine, NEVER, setUpBatches } from './batch-rig.ts';

const MEGABYTE = 1_048_576;

it('a file with hostile content costs only the records that it spoils', async () => {
  const { journal, check, fail, stateOf } = await setUpBatches();
  const sent = await deliverEvents(journal, 7);
  const [first, long, deep, broken, bytes, escaped, last] = sent.map(({ id }) => id);
  const parts: (string | Buffer)[] = [
    '\0\0\0\0',
    failedLine(first!),
    // Over the limit of one record: its id is read from its beginning.
    `{"body":{"xdmEntity":{"_id":"${long}","x":"${'y'.repeat(3 * MEGABYTE)}"}}}`,
    `{"_id":"${deep}","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    `{"_id":"${broken}","x":"a string without an end`,
    Buffer.concat([Buffer.from(`{"_id":"${bytes}","x":"`), Buffer.from('fffec3', 'hex'), Buffer.from('"}')]),
    // A text that only looks like an id, in a record of another system.
    `{"_id":"web-1","x":"\\"_id\\":\\"${escaped}\\""`,
    `{"causingExceptions":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}`,
    failedLine(last!),
  ];
  fail('b1', Buffer.concat(parts.flatMap((part) => [Buffer.from(part as string), Buffer.from('\n')])));
  expect((await check.check(NEVER)).tally).toMatchObject({ refused: 6, unknown: 3 });
  for (const { id, receipt } of sent)
    expect(await stateOf(receipt)).toBe(id === escaped ? 'delivered' : 'refused-later');
});

it('one document without a line break is read record by record', async () => {
  const { journal, check, fail } = await setUpBatches();
  const sent = await deliverEvents(journal, 1_500);
  fail('b1', `[${sent.map(({ id }) => failedLine(id)).join(',')}]`);
  expect((await check.check(NEVER)).tally).toMatchObject({ refused: 1_500, unknown: 0 });
});

it('a line of 60 MB is one unknown record', async () => {
  const { gateway, check, fail } = await setUpBatches();
  fail('b1', '{}');
  const chunk = Buffer.alloc(MEGABYTE, 0x78);
  gateway.intercept(({ url = '' }, response) => {
    if (!url.includes('path=')) return false;
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.write('{"_id":"');
    let left = 60;
    const push = (): void => {
      if (left === 0) return void response.end();
      left -= 1;
      if (response.write(chunk)) setImmediate(push);
      else response.once('drain', push);
    };
    push();
    return true;
  });
  expect((await check.check(NEVER)).tally).toMatchObject({ refused: 0, unknown: 1 });
});

it('detail and notes have no value of a record', async () => {
  const { journal, check, fail } = await setUpBatches();
  const [sent] = await deliverEvents(journal, 1);
  const error = { code: 'DCVS-1104-400', message: 'expected type: String, found: [asha@example.org' };
  const body = { xdmEntity: { _id: sent!.id, personalEmail: { address: 'asha@example.org' } } };
  fail('b1', JSON.stringify({ body, _validationErrors: Array.from({ length: 10_000 }, () => error) }));
  await check.check(NEVER);
  const detail = (await journal.find(sent!.receipt))?.event.detail;
  expect(detail).toBe(
    'AEP refused it after its answer, in batch b1: DCVS-1104-400 expected type: String, found: […]',
  );
  const notes = await journal.reconciliationNotes('aep:aep:batches');
  expect(JSON.stringify([...notes])).not.toContain('asha');
  expect(JSON.stringify(await check.report())).not.toContain('asha');
});
